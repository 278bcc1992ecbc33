import type { VirtualClock } from '../../src/testing/virtual-clock.ts'

/** What a promise rejects with, which must not resolve; time goes on until it has. */
export function failureOf(clock: VirtualClock, promise: Promise<unknown>): Promise<Error> {
  return clock.until(
    promise.then(
      (value) => {
        throw new Error(`should have failed, but gave ${JSON.stringify(value)}`)
      },
      (error) => error,
    ),
  )
}
