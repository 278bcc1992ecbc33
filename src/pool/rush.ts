/** Looks that come within this time of each other are quick. */
const QUICK_MS = 1
/** So many quick looks in a row make a rush. */
const RUSH = 1_000
/** In a rush one look in so many is a real one. Odd: leases look twice, and both their beginnings and their ends shall have their turn. */
const REAL_OF = 31

/**
 * Looks at a clock as often as is worth it: reading one costs as much as all else that lending and taking back does. Who
 * lends thousands of times within one turn of the event loop is not served worse by a time some looks old; what is held
 * from one turn to another takes its time, and is measured.
 */
export class Rush {
  readonly #now: () => number
  readonly #afterPoll: (run: () => void) => void
  #at = Number.NEGATIVE_INFINITY
  #quick = 0
  #skipped = 0

  constructor(now: () => number, afterPoll: (run: () => void) => void) {
    this.#now = now
    this.#afterPoll = afterPoll
  }

  glance(): number {
    if (this.#quick === RUSH && ++this.#skipped < REAL_OF) return this.#at
    return this.#look()
  }

  #look(): number {
    const now = this.#now()
    const isQuick = now - this.#at < QUICK_MS
    this.#at = now
    this.#skipped = 0
    if (!isQuick) this.#quick = 0
    else if (this.#quick < RUSH) this.#count()
    return now
  }

  #count(): void {
    this.#quick++
    if (this.#quick === RUSH) {
      this.#afterPoll(() => {
        this.#quick = 0
      })
    }
  }
}
