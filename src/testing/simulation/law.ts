/** A rule that the pool has broken. */
export interface Violation {
  /** Names the rule: shrinking keeps to it. */
  readonly rule: string
  readonly detail: string
  /** Virtual milliseconds since the start. */
  readonly at: number
}

/** Where everybody who watches reports what should never happen. The first violation ends the run. */
export class Law {
  readonly #now: () => number
  violation: Violation | undefined = undefined

  constructor(now: () => number) {
    this.#now = now
  }

  get broken(): boolean {
    return this.violation !== undefined
  }

  breaks(rule: string, detail: string, at?: number): void {
    this.violation ??= { rule, detail, at: at ?? this.#now() }
  }

  demand(holds: boolean, rule: string, detail: () => string): void {
    if (!holds) this.breaks(rule, detail())
  }
}
