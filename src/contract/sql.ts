/// <reference lib="esnext.disposable" preserve="true" />
import type { AcquireOptions, Lease } from './lease.ts'
import type { Pool } from './pool.ts'
import type { BeginOptions, QueryResult, Row } from './sql-driver.ts'

/** A text with its values apart, made by the `sql` tag; each driver gets it with its own placeholders. */
export interface SqlFragment {
  readonly strings: readonly string[]
  readonly values: readonly unknown[]
}

export type SqlText = string | SqlFragment

export interface QueryOptions {
  /** Prepare the statement: at once, never, or (the default) at its fifth use on a connection. */
  prepare?: boolean
  /** Rejects with the signal's reason and asks the server to stop the statement. */
  signal?: AbortSignal
  /** Milliseconds for waiting and running together. */
  timeoutMs?: number
  /** The statement may run twice: after a lost connection it runs again, until the deadline. On `pool.query` only. */
  idempotent?: boolean
  /** A replica or a reader may serve. */
  readOnly?: boolean
  /** Whether this statement may share a connection with others. */
  multiplex?: boolean
}

export interface StreamOptions {
  /** Rows fetched at a time. Default 100. */
  batch?: number
  signal?: AbortSignal
}

export interface TransactionOptions extends AcquireOptions, BeginOptions {
  /** How often the whole work is run again after a conflict, or a connection lost before COMMIT was sent. Default 0. */
  retries?: number
}

/** What runs statements: a pool, a lease, a transaction, a session. */
export interface Queryable {
  query<R = Row>(sql: SqlText, params?: readonly unknown[], options?: QueryOptions): Promise<QueryResult<R>>
  stream<R = Row>(sql: SqlText, params?: readonly unknown[], options?: StreamOptions): AsyncIterable<R>
}

export interface Transaction<C> extends Queryable {
  /** The driver's own client. */
  readonly connection: C
  /** A nested transaction: a savepoint. */
  transaction<T>(work: (tx: Transaction<C>) => Promise<T>): Promise<T>
}

export interface SqlLease<C> extends Lease<C>, Queryable {
  transaction<T>(
    work: (tx: Transaction<C>) => Promise<T>,
    options?: Omit<TransactionOptions, keyof AcquireOptions | 'retries'>,
  ): Promise<T>
  begin(options?: BeginOptions): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
}

export interface SessionOptions {
  /**
   * When the connection goes back: after each `statement` outside a transaction, at the end of each `transaction` (the
   * default), or when the session is closed.
   */
  release?: 'statement' | 'transaction' | 'close'
}

/** A unit of work: borrows a connection at its first statement and gives it back as told. */
export interface Session<C> extends Queryable, AsyncDisposable {
  transaction<T>(work: (tx: Transaction<C>) => Promise<T>, options?: BeginOptions): Promise<T>
  begin(options?: BeginOptions): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
  /** Ends the session; an open transaction is rolled back. */
  close(): Promise<void>
}

export interface SqlPool<C = unknown> extends Pool<C, SqlLease<C>>, Queryable {
  /**
   * Runs `work` in a transaction, which commits when it resolves and rolls back when it rejects.
   * @throws TransactionError when the server did not commit, or when nobody knows
   */
  transaction<T>(work: (tx: Transaction<C>) => Promise<T>, options?: TransactionOptions): Promise<T>
  session(options?: SessionOptions): Session<C>
}
