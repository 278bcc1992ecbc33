import type { QueryOptions, SqlText } from '../contract/sql.ts'
import type { BeginOptions, QueryResult } from '../contract/sql-driver.ts'
import type { Statement } from './statement.ts'

/** What opens a transaction on a lease. */
export interface OpeningHost {
  /** Checks a statement and its options. */
  read(sql: SqlText, params?: readonly unknown[], options?: QueryOptions): Statement
  query<R>(sql: SqlText, params?: readonly unknown[], options?: QueryOptions): Promise<QueryResult<R>>
  /** What waits behind a BEGIN that fails must not run outside of the transaction: the connection is given up. */
  beginForOthers(options: BeginOptions): Promise<void>
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
  #begun: Promise<unknown> | undefined

  /** With `begun` it has happened already. */
  constructor(host: OpeningHost, options: BeginOptions, begun?: Promise<unknown>) {
    this.#host = host
    this.#options = options
    this.#begun = begun
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
    this.#begun ??= kept(this.#host.beginForOthers(this.#options))
    return this.#begun
  }

  /** The first statement, and the BEGIN before it. */
  query<R>(
    sql: SqlText,
    params: readonly unknown[] | undefined,
    options: QueryOptions | undefined,
  ): Promise<QueryResult<R>> {
    const statement = this.#host.read(sql, params, options)
    // One with limits might be given up before it is sent, and with it the BEGIN; several in one text travel alone.
    if (options?.signal !== undefined || options?.timeoutMs !== undefined || /;\s*\S/.test(statement.text)) {
      void this.beginNow()
      return this.#host.query<R>(sql, params, options)
    }
    const result = this.#host.queryWithBegin(this.#options, statement, options?.prepare)
    // The statement's own error is its caller's; a failed BEGIN has cost the connection.
    this.#begun = Promise.resolve()
    return result as Promise<QueryResult<R>>
  }
}

/** Looked at later, if at all. */
function kept<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
