import type { Clock } from '../contract/clock.ts'
import type { LendingDesk } from './lending-desk.ts'

/** Waits until nobody waits and nothing is out. What is still out at the deadline is destroyed. */
export async function drained<R>(desk: LendingDesk<R>, clock: Clock, withinMs: number): Promise<void> {
  const limit = clock.after(withinMs, () => {
    desk.turnAwayAll(() => new Error('the pool was drained before this caller could be served'))
    desk.destroyLoans(new Error('it was not given back before the pool was drained'))
  })
  await desk.quiet()
  limit.cancel()
}
