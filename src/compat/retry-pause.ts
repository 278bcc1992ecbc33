import type { Clock } from '../contract/clock.ts'
import type { Permits } from '../contract/permits.ts'

/** Keeps the pauses between failed creates at least as long as the user wants them. */
export class RetryPause implements Permits {
  readonly #clock: Clock
  readonly #ms: number
  #until = Number.NEGATIVE_INFINITY
  #wake: (() => void) | undefined = undefined

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  /** A create has failed. */
  begin(): void {
    this.#until = this.#clock.now() + this.#ms
    this.#clock.after(this.#ms, () => this.#wake?.()).unref()
  }

  take(): boolean {
    return this.#clock.now() >= this.#until
  }

  give(): void {}

  onFree(wake: () => void): void {
    this.#wake = wake
  }

  onWanted(): void {}
}
