import { VirtualClock, type VirtualClockOptions } from '../virtual-clock.ts'

/** So many looks at the clock within one callback can only be a loop that waits for time to pass. */
const STUCK_AFTER = 3_000_000

/** A virtual clock that breaks out of a loop which would hang the program. */
export class PacedClock extends VirtualClock {
  readonly #stuck: () => void
  #looks = 0

  constructor(options: VirtualClockOptions, stuck: () => void) {
    super(options)
    this.#stuck = stuck
  }

  override now(): number {
    if (++this.#looks > STUCK_AFTER) {
      this.#looks = 0
      this.#stuck()
      throw new Error('stuck')
    }
    return super.now()
  }

  override step(target?: number): boolean {
    this.#looks = 0
    return super.step(target)
  }
}
