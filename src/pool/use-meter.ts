import type { Distribution } from './distribution.ts'

/** Returns that come within this time of each other are quick. */
const QUICK_MS = 1
/** So many quick returns in a row make a rush. */
const RUSH = 1_000
/** During a rush one return in so many is measured, and stands for the others: a clock costs as much as a lease. */
const MEASURED_OF = 8

/** Measures how long leases are out. */
export class UseMeter {
  readonly #clock: { readonly now: number; read(): number }
  readonly #useTime: Distribution
  #readAt = Number.NEGATIVE_INFINITY
  #quick = 0
  #unmeasured = 0

  /** `clock.read` reads the clock; `clock.now` is what it gave last. */
  constructor(clock: { readonly now: number; read(): number }, useTime: Distribution) {
    this.#clock = clock
    this.#useTime = useTime
  }

  /** Notes the end of a lease that began at `since`. */
  ended(since: number): void {
    if (this.#quick >= RUSH && ++this.#unmeasured < MEASURED_OF) this.#useTime.again()
    else this.measured(since)
  }

  /** The same, and gives its length. */
  measured(since: number): number {
    this.#unmeasured = 0
    const now = this.#clock.read()
    this.#quick = now - this.#readAt < QUICK_MS ? this.#quick + 1 : 0
    this.#readAt = now
    this.#useTime.add(now - since)
    return now - since
  }
}
