import type { Clock } from '../contract/clock.ts'
import { QueryTimeoutError } from '../contract/errors.ts'
import { whenAborted } from '../pool/when-aborted.ts'

/** What ends the wait for a statement early. */
export interface Limits {
  signal?: AbortSignal
  /** How long it may still run, and the whole time that was given, for the error. */
  timeout?: { leftMs: number; givenMs: number }
}

/**
 * The outcome of a statement, or the signal's reason, or `QUERY_TIMEOUT`, whatever comes first. `onStop` is called when
 * nobody waits for the statement any more.
 */
export function within<T>(
  running: Promise<T>,
  { signal, timeout }: Limits,
  { name, clock, onStop }: { name: string; clock: Clock; onStop: () => void },
): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false
    const finish = () => {
      over = true
      timer?.cancel()
      signal?.removeEventListener('abort', onAbort)
    }
    const stop = (reason: unknown) => {
      if (over) return
      finish()
      onStop()
      reject(reason)
    }
    const onAbort = () => stop(signal?.reason)
    // Had the loop been blocked, the answer may have arrived: one poll, then judge.
    const onTimeout = (givenMs: number) => clock.afterPoll(() => stop(new QueryTimeoutError(name, givenMs)))
    const timer =
      timeout === undefined || timeout.leftMs === Number.POSITIVE_INFINITY
        ? undefined
        : clock.after(Math.max(0, timeout.leftMs), () => onTimeout(timeout.givenMs))
    if (signal !== undefined) whenAborted(signal, onAbort)
    if (signal?.aborted === true) onAbort()
    running.then(
      (value) => {
        finish()
        resolve(value)
      },
      (error) => {
        finish()
        reject(error)
      },
    )
  })
}
