import { CANCELLED, sqlErrors } from './error.ts'
import type { Session } from './session.ts'

/** SET: what is not looked at by anybody here is kept all the same, and forgotten by a reset. */
export function setOption(session: Session, option: string, value: string): void {
  if (option !== 'isolation') {
    session.options.set(option, value.toLowerCase())
    return
  }
  const levels = ['read uncommitted', 'read committed', 'repeatable read', 'serializable', 'snapshot']
  if (!levels.includes(value)) throw sqlErrors.syntax(value)
  session.isolation = value
}

/** WAITFOR DELAY '00:00:01.500' */
export async function waitFor(delay: string, signal: AbortSignal): Promise<void> {
  const [, hours = '0', minutes = '0', seconds = '0'] =
    /^(\d+):(\d+)(?::(\d+(?:\.\d+)?))?$/.exec(delay.trim()) ?? []
  const ms = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
  await pause(ms, signal)
}

/** Rejects with the signal's reason. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal.reason ?? CANCELLED)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, ms)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}
