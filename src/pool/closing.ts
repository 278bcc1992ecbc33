import type { Clock } from '../contract/clock.ts'
import type { CloseReport } from '../contract/pool.ts'
import type { Slot } from '../engine/slot.ts'
import type { Effects } from './effects.ts'
import type { Holder, PoolLease } from './pool-lease.ts'

/** The end of a pool: begun once, joined by every later call. */
export class Closing<C, L extends PoolLease<C>> {
  readonly #effects: Effects<C, L>
  readonly #clock: Clock
  readonly #report: CloseReport = { closed: 0, destroyed: 0, abandoned: 0, rejected: 0, durationMs: 0 }
  readonly #done: Promise<CloseReport>

  constructor(effects: Effects<C, L>, clock: Clock) {
    this.#effects = effects
    this.#clock = clock
    const since = clock.now()
    const letProcessGo = effects.holdProcess()
    this.#report.rejected = effects.engine.state.waiting
    this.#done = new Promise((resolve) => {
      effects.onGone = (slot) => {
        if (slot !== undefined) return this.#count(slot)
        effects.onGone = undefined
        letProcessGo()
        this.#report.durationMs = clock.now() - since
        resolve(this.#report)
      }
    })
  }

  /** Ends what is still out after this time at the latest. A later call can only make it earlier. */
  within(drainTimeoutMs: number): Promise<CloseReport> {
    this.#effects.engine.close(this.#clock.now() + drainTimeoutMs)
    return this.#done
  }

  #count(slot: Slot<C, Holder>): void {
    if (slot.reason === 'abandoned') this.#report.abandoned++
    else if (slot.revoked) this.#report.destroyed++
    else if (slot.opened) this.#report.closed++
  }
}
