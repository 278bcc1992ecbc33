import type { Clock } from '../contract/clock.ts'
import { ConnectionLostError } from '../contract/errors.ts'
import type { AcquireOptions } from '../contract/lease.ts'
import type { QueryOptions } from '../contract/sql.ts'
import type { Limits } from './limits.ts'
import type { Statement } from './statement.ts'
import type { TextEntry } from './text-book.ts'

/** One call of `pool.query`: its statement, and what is left of its time. */
export class Call {
  readonly statement: Statement
  readonly entry: TextEntry
  readonly options: QueryOptions | undefined
  readonly #clock: Clock
  readonly #acquireTimeoutMs: number
  /** Read only where time matters. */
  readonly #since: number
  #isRepeated = false

  constructor(
    statement: Statement,
    facts: { entry: TextEntry; options: QueryOptions | undefined; clock: Clock; acquireTimeoutMs: number },
  ) {
    this.statement = statement
    this.entry = facts.entry
    this.options = facts.options
    this.#clock = facts.clock
    this.#acquireTimeoutMs = facts.acquireTimeoutMs
    this.#since = facts.options === undefined ? 0 : facts.clock.now()
  }

  get isLimited(): boolean {
    return this.options?.signal !== undefined || this.options?.timeoutMs !== undefined
  }

  limits(): Limits | undefined {
    if (this.options === undefined || !this.isLimited) return undefined
    const { signal, timeoutMs } = this.options
    return {
      signal,
      timeout: timeoutMs === undefined ? undefined : { leftMs: this.#left(timeoutMs), givenMs: timeoutMs },
    }
  }

  acquireOptions(): AcquireOptions | undefined {
    if (this.options === undefined) return undefined
    const { signal, timeoutMs, readOnly } = this.options
    if (signal === undefined && timeoutMs === undefined && readOnly === undefined && !this.#isRepeated)
      return undefined
    return {
      signal,
      readOnly,
      timeoutMs: Math.max(
        0,
        Math.min(this.#left(timeoutMs ?? this.#acquireTimeoutMs), this.#acquireTimeoutMs),
      ),
    }
  }

  /** The statement may run once more after this error, and there is time for it. */
  mayRepeat(error: unknown): boolean {
    if (!(error instanceof ConnectionLostError)) return false
    if (this.options?.idempotent !== true && error.executed !== 'no') return false
    this.#isRepeated = true
    return this.options === undefined || this.#left(this.options.timeoutMs ?? this.#acquireTimeoutMs) > 0
  }

  #left(givenMs: number): number {
    return givenMs - (this.#clock.now() - this.#since)
  }
}
