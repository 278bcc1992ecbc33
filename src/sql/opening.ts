import type { BeginOptions, QueryResult } from '../contract/sql-driver.ts'
import type { Statement } from './statement.ts'

/** What opens a transaction on a lease. */
export interface OpeningHost {
  begin(options: BeginOptions): Promise<void>
  /** Sends both at once. What it throws, it throws before anything is sent. */
  queryWithBegin(
    begin: BeginOptions,
    statement: Statement,
    prepare: boolean | undefined,
  ): Promise<QueryResult>
}

/**
 * The BEGIN of a transaction, put off until the first statement, with which it travels in one flight: a round trip less.
 * A transaction without statements sends nothing.
 */
export class Opening {
  readonly #host: OpeningHost
  readonly #options: BeginOptions
  #begun: Promise<unknown> | undefined = undefined

  constructor(host: OpeningHost, options: BeginOptions) {
    this.#host = host
    this.#options = options
  }

  /** Nothing has been sent yet. */
  get isDue(): boolean {
    return this.#begun === undefined
  }

  /** Settles as the BEGIN did. */
  get outcome(): Promise<unknown> | undefined {
    return this.#begun
  }

  /** For whatever cannot travel with it: what comes next on the connection comes after. */
  beginNow(): Promise<unknown> {
    this.#begun ??= kept(this.#host.begin(this.#options))
    return this.#begun
  }

  query(statement: Statement, prepare: boolean | undefined): Promise<QueryResult> {
    const result = this.#host.queryWithBegin(this.#options, statement, prepare)
    // The statement's own error is its caller's; a failed BEGIN has cost the connection.
    this.#begun = Promise.resolve()
    return result
  }
}

/** Looked at later, if at all. */
function kept<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
