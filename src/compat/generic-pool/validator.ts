import type { Clock } from '../../contract/clock.ts'
import type { Validation } from '../borrower.ts'
import type { Factory, Settings } from './options.ts'

/** The factory's validation on borrow: only false is a no, as ever; so is a failure, which used to end the process. */
export function validationOf<T>(factory: Factory<T>, settings: Settings, clock: Clock): Validation<T> {
  const isGood = async (resource: T): Promise<boolean> => {
    try {
      return (await factory.validate?.(resource)) !== false
    } catch {
      return false
    }
  }
  return { clock, timeoutMs: settings.acquireTimeoutMs, answersAtOnce: false, isGood }
}
