/// <reference lib="esnext.disposable" preserve="true" />
import type { AcquireOptions, Lease } from './lease.ts'
import type { Pool } from './pool.ts'
import type { BeginOptions, QueryResult, Row, SqlDialect } from './sql-driver.ts'

/** A text with its values apart, made by the `sql` tag; each driver gets it with its own placeholders. */
export interface SqlFragment {
  readonly strings: readonly string[]
  readonly values: readonly unknown[]
}

/** A text with the driver's own placeholders (`$1`, `?`), or what the `sql` tag made. */
export type SqlText = string | SqlFragment

/** Options of one statement. */
export interface QueryOptions {
  /** Prepare the statement: at once, never, or (the default) at its fifth use on a connection. */
  prepare?: boolean
  /** Rejects with the signal's reason and asks the server to stop the statement. */
  signal?: AbortSignal
  /** Milliseconds for waiting and running together; then `QueryTimeoutError`, and the server is asked to stop. Default: none. */
  timeoutMs?: number
  /** The statement may run twice: after a lost connection it runs again, until the deadline. On `pool.query` only. */
  idempotent?: boolean
  /** A replica or a reader may serve. */
  readOnly?: boolean
  /** False: this statement does not share a connection with others. */
  multiplex?: boolean
}

/** Options of `stream`. */
export interface StreamOptions {
  /** Rows fetched at a time. Default 100. */
  batch?: number
  /** Ends the stream with the signal's reason. */
  signal?: AbortSignal
}

/** Options of `pool.transaction`: of the acquire, of the BEGIN, and how often to try. */
export interface TransactionOptions extends AcquireOptions, BeginOptions {
  /** How often the whole work is run again after a conflict, or a connection lost before COMMIT was sent. Default 0. */
  retries?: number
}

/** What runs statements: a pool, a lease, a transaction, a session. */
export interface Queryable {
  /**
   * Runs one statement.
   * @throws the driver's own error; QueryTimeoutError, ConnectionLostError, InvalidOptionError; on a pool also what `acquire`
   * throws, and SessionStatementError; on a lease LeaseReleasedError
   */
  query<R = Row>(sql: SqlText, params?: readonly unknown[], options?: QueryOptions): Promise<QueryResult<R>>
  /** Reads a large result in batches. The consumer may stop early. @throws InvalidOptionError where the driver cannot */
  stream<R = Row>(sql: SqlText, params?: readonly unknown[], options?: StreamOptions): AsyncIterable<R>
}

/** The handle of a transaction: used after its end, it throws `LeaseReleasedError`. */
export interface Transaction<C> extends Queryable {
  /** The driver's own client. */
  readonly connection: C
  /** A nested transaction: a savepoint. */
  transaction<T>(work: (tx: Transaction<C>) => Promise<T>): Promise<T>
}

/** A lease that runs statements, one after another in the order of the calls. */
export interface SqlLease<C> extends Lease<C>, Queryable {
  /** Runs `work` between BEGIN and COMMIT, or ROLLBACK when it rejects. @throws TransactionError */
  transaction<T>(
    work: (tx: Transaction<C>) => Promise<T>,
    options?: Omit<TransactionOptions, keyof AcquireOptions | 'retries'>,
  ): Promise<T>
  /** Begins a transaction by hand. One that is open at `release` is rolled back. */
  begin(options?: BeginOptions): Promise<void>
  /** Resolves only when the server has committed. @throws TransactionError */
  commit(): Promise<void>
  rollback(): Promise<void>
  /**
   * Asks the server to stop what runs on the connection, which stays the lease's; resolves when that request can no longer
   * hit anything. The statement fails with the server's own error. @throws InvalidOptionError where the driver cannot
   */
  cancel(): Promise<void>
}

/** Options of `pool.session`. */
export interface SessionOptions {
  /**
   * When the connection goes back: after each `statement` outside a transaction, at the end of each `transaction` (the
   * default), or when the session is closed.
   */
  release?: 'statement' | 'transaction' | 'close'
}

/** A unit of work: borrows a connection at its first statement and gives it back as told. */
export interface Session<C> extends Queryable, AsyncDisposable {
  /** Runs `work` between BEGIN and COMMIT, or ROLLBACK when it rejects. @throws TransactionError */
  transaction<T>(work: (tx: Transaction<C>) => Promise<T>, options?: BeginOptions): Promise<T>
  /** Begins a transaction; the connection stays until its end. */
  begin(options?: BeginOptions): Promise<void>
  /** Commits; does nothing where no transaction is open. @throws TransactionError */
  commit(): Promise<void>
  /** Rolls back; does nothing where no transaction is open. */
  rollback(): Promise<void>
  /** Ends the session; an open transaction is rolled back. */
  close(): Promise<void>
}

/** A pool whose connections speak SQL. */
export interface SqlPool<C = unknown> extends Pool<C, SqlLease<C>>, Queryable {
  /** The family of SQL that its driver speaks, where that is known. */
  readonly dialect: SqlDialect | undefined
  /**
   * Runs `work` in a transaction, which commits when it resolves and rolls back when it rejects.
   * @throws what `work` throws; TransactionError when the server did not commit (`TRANSACTION_ABORTED`), or when nobody knows
   * (`COMMIT_UNKNOWN`); what `acquire` throws
   */
  transaction<T>(work: (tx: Transaction<C>) => Promise<T>, options?: TransactionOptions): Promise<T>
  /** A unit of work that borrows late and gives back early. */
  session(options?: SessionOptions): Session<C>
}
