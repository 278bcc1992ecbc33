import type { Clock } from '../contract/clock.ts'
import type { Distribution } from './distribution.ts'

/** Returns that come within this time of each other are quick. */
const QUICK_MS = 1
/** So many quick returns in a row make a rush. */
const RUSH = 1_000
/** During a rush one return in so many is measured, and stands for the others: a clock costs as much as a lease. */
const MEASURED_OF = 8

/** A lease at its end: when it began, and whether statements shared it. */
interface Ended {
  readonly since: number
  readonly shared: boolean
}

/** Measures how long leases are out. */
export class UseMeter {
  readonly #clock: { readonly now: number; read(): number }
  readonly #useTime: Distribution
  readonly #forecast: { learnHold(ms: number): void }
  readonly #loop: Pick<Clock, 'afterPoll'>
  #readAt = Number.NEGATIVE_INFINITY
  #quick = 0
  #unmeasured = 0

  /** `clock.read` reads the clock; `clock.now` is what it gave last. */
  constructor(
    clock: { readonly now: number; read(): number },
    learners: { useTime: Distribution; forecast: { learnHold(ms: number): void } },
    loop: Pick<Clock, 'afterPoll'>,
  ) {
    this.#clock = clock
    this.#forecast = learners.forecast
    this.#useTime = learners.useTime
    this.#loop = loop
  }

  /** Notes the end of a lease. */
  ended({ since, shared }: Ended): void {
    if (this.#quick >= RUSH && ++this.#unmeasured < MEASURED_OF) this.#useTime.again()
    else this.measured({ since, shared })
  }

  /** The same, and gives its length. */
  measured({ since, shared }: Ended): number {
    this.#unmeasured = 0
    const now = this.#clock.read()
    this.#quick = now - this.#readAt < QUICK_MS ? this.#quick + 1 : 0
    this.#readAt = now
    if (this.#quick === RUSH) this.#endRushWithThisTurn()
    this.#useTime.add(now - since)
    // How long a shared connection is out says nothing of what a caller does.
    if (!shared) this.#forecast.learnHold(now - since)
    return now - since
  }

  /** What is held from one turn of the event loop to another takes its time, and must be measured. */
  #endRushWithThisTurn(): void {
    this.#loop.afterPoll(() => {
      this.#quick = 0
    })
  }
}
