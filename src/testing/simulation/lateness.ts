/** Blocks of the event loop: who is late because of them is excused. */
export class Lateness {
  #from = Number.NEGATIVE_INFINITY
  #to = Number.NEGATIVE_INFINITY

  blocked(from: number, to: number): void {
    if (from > this.#to + SLACK_MS) this.#from = from
    this.#to = to
  }

  excuses(deadline: number, now: number): boolean {
    if (now <= deadline + SLACK_MS) return true
    return deadline >= this.#from - SLACK_MS && now <= this.#to + SLACK_MS
  }
}

/** Timers and sums of fractions of milliseconds are not exact. */
export const SLACK_MS = 0.01
