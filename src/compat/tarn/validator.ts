import { stackOf, type TarnLog } from './events.ts'

type Validate<T> = (resource: T) => boolean | Promise<boolean>

/** The user's validation, for which a failure is a no that is logged. */
export function quietly<T>(validate: Validate<T>, log: TarnLog): Validate<T> {
  const refuse = (error: unknown) => {
    log(`Tarn: resource validator threw an exception ${stackOf(error)}`, 'warn')
    return false
  }
  return (resource) => {
    try {
      const verdict: unknown = validate(resource)
      return isPromise(verdict) ? verdict.then(Boolean, refuse) : Boolean(verdict)
    } catch (error) {
      return refuse(error)
    }
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
