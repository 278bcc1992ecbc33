import type { Clock } from '../contract/clock.ts'
import type { Pool } from '../contract/pool.ts'
import type { FactoryDriver } from './factory-driver.ts'
import type { LendingDesk } from './lending-desk.ts'

export interface DrainParts<R> {
  readonly pool: Pool<R>
  /** Without it the pool stays as it is, for others. */
  readonly ownsPool: boolean
  readonly clock: Clock
  readonly timeoutMs: number
  readonly desk: LendingDesk<R>
  /** Where the pool was made here. */
  readonly driver: FactoryDriver<R> | undefined
}

/** The end of a pool in two steps: first it serves those who wait and lends no more, then what is idle is destroyed. */
export class Drain<R> {
  readonly #parts: DrainParts<R>
  #hasBegun = false

  constructor(parts: DrainParts<R>) {
    this.#parts = parts
  }

  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** @throws an error once it has begun */
  assertLending(): void {
    if (this.#hasBegun) throw new Error('pool is draining and cannot accept work')
  }

  /** Resolves when nobody waits and nothing is out. What is still out at the deadline is destroyed. */
  async begin(): Promise<void> {
    const { pool, ownsPool, clock, timeoutMs, desk } = this.#parts
    this.#hasBegun = true
    if (ownsPool && !pool.closed) pool.resize({ min: 0 })
    const limit = clock.after(timeoutMs, () => {
      desk.turnAwayAll(() => new Error('the pool was drained before this caller could be served'))
      desk.destroyLoans(new Error('it was not given back before the pool was drained'))
    })
    await desk.quiet()
    limit.cancel()
  }

  /** Destroys what is not lent, and ends the pool once all has come back. Gives what came of the destroys. */
  async clear(): Promise<PromiseSettledResult<void>[]> {
    const { pool, timeoutMs, desk, driver } = this.#parts
    for (let left = pool.stats().idle; left > 0; left--) pool.tryAcquire()?.destroy()
    const outcomes = await Promise.allSettled(driver?.destroyingAll() ?? [])
    if (this.#hasBegun && desk.isQuiet) await pool.close({ drainTimeoutMs: timeoutMs })
    return outcomes
  }
}
