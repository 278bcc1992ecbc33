const COLUMN_MS = 100

/** Answers over time, and those that never came. */
export class Answers {
  readonly failed = { idempotent: 0, other: 0 }
  count = 0
  /** Between two answers, from the moment of the blow on. */
  longestPauseMs = 0
  readonly #since = performance.now()
  readonly #lengthMs: number
  readonly #columns: number[] = []
  #last: number | undefined

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs
  }

  get elapsedMs(): number {
    return performance.now() - this.#since
  }

  get over(): boolean {
    return this.elapsedMs >= this.#lengthMs
  }

  add(): void {
    const now = this.elapsedMs
    this.count++
    const column = Math.floor(now / COLUMN_MS)
    this.#columns[column] = (this.#columns[column] ?? 0) + 1
    if (this.#last === undefined) return
    this.longestPauseMs = Math.max(this.longestPauseMs, now - this.#last)
    this.#last = now
  }

  fail(whose: 'idempotent' | 'other'): void {
    this.failed[whose]++
  }

  struck(): void {
    this.#last = this.elapsedMs
  }

  /** A column for each tenth of a second that is over; `levels` are characters from low to high. */
  line(levels: string): string {
    const full = Math.min(Math.floor(this.elapsedMs / COLUMN_MS), Math.ceil(this.#lengthMs / COLUMN_MS))
    const columns = Array.from({ length: full }, (_, at) => this.#columns[at] ?? 0)
    const highest = Math.max(1, ...columns)
    return columns.map((count) => levels[Math.round((count / highest) * (levels.length - 1))]).join('')
  }
}
