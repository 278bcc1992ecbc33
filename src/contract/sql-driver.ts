import type { Driver } from './driver.ts'

/** A row as the driver gives it: column names to values. */
export type Row = Record<string, unknown>

/** What a statement gives. */
export interface QueryResult<R = Row> {
  rows: R[]
  /** Rows returned, or rows affected where none are returned. */
  rowCount: number
  /** The columns, in order. */
  fields: { name: string }[]
  /** The key that the server generated, where the driver reports one. */
  insertId?: number | bigint | string
  /** What the server says that it has done, such as `INSERT`, where it says so (PostgreSQL). */
  command?: string
  /** Rows that an UPDATE found and that were not like that already, where the driver tells (mysql2). */
  changedRows?: number
}

/**
 * How the rows of one statement are read, where its caller wants them otherwise than the connection reads them: as pg's own
 * config of a query says it.
 */
export interface RowForm {
  /** `array`: a row is the values in the order of the columns. */
  readonly rowMode?: string | undefined
  /** Gives what reads the values, by the number of their type; `own` is how the connection reads them. */
  readonly types?: TypeParsers | undefined
}

/** What gives the parser of a type, as pg's `types` do. */
export interface TypeParsers {
  getTypeParser(type: number, format: string, own: TypeParsers): (value: string) => unknown
}

/** The family of SQL that a database speaks, where it is one that ORMs know. */
export type SqlDialect = 'postgres' | 'mysql' | 'sqlite'

/** Isolation levels; one that the database does not have is an error. */
export type Isolation =
  | 'read uncommitted'
  | 'read committed'
  | 'repeatable read'
  | 'snapshot'
  | 'serializable'

/** How a transaction begins. */
export interface BeginOptions {
  /** Default: the database's. */
  isolation?: Isolation
  /** The server refuses writes. Default false. */
  readOnly?: boolean
}

/** What is done with a savepoint: set it, forget it, or go back to it. */
export type SavepointMove = 'set' | 'release' | 'rollback'

/** A driver that speaks SQL. Statements arrive one after another: the pool queues those of one connection. */
export interface SqlDriver<C> extends Driver<C> {
  /**
   * Runs one statement; with `name`, as a prepared statement of that name, prepared when the connection first sees it;
   * with `readOnly`, as one that its caller has declared to read only; with `form`, where the driver is pg, its rows read
   * so; with `together`, as a read that shares its connection, and may share an error boundary with others that are sent at
   * the same time: what is not executed, or not for good, because another one failed, rejects with an error that `isUndone`
   * knows.
   */
  query(
    connection: C,
    sql: string,
    params: readonly unknown[],
    options: {
      name?: string | undefined
      readOnly?: boolean
      together?: boolean
      form?: RowForm | undefined
    },
  ): Promise<QueryResult>
  /**
   * The result of a statement that needs no session, where the driver can have it at once, without a connection and
   * without holding up the program; undefined where it cannot. Throws the statement's error.
   */
  answer?(sql: string, params: readonly unknown[]): QueryResult | undefined
  begin(connection: C, options: BeginOptions): Promise<void>
  /**
   * BEGIN and the first statement of the transaction in one flight, which saves a round trip. They share one error
   * boundary: where BEGIN fails, the statement is not executed. Needs `inTransaction`.
   */
  beginWith?(
    connection: C,
    begin: BeginOptions,
    statement: { sql: string; params: readonly unknown[]; name: string | undefined },
  ): Promise<QueryResult>
  /** Resolves only when the server says that it has committed; a COMMIT answered by ROLLBACK is `TRANSACTION_ABORTED`. */
  commit(connection: C): Promise<void>
  rollback(connection: C): Promise<void>
  /** Default: the standard's statements. */
  savepoint?(connection: C, name: string, move: SavepointMove): Promise<void>
  /** Reads a large result in batches; a consumer that stops early leaves the connection usable. */
  stream?(
    connection: C,
    sql: string,
    params: readonly unknown[],
    options: { batch: number },
  ): AsyncIterable<Row>
  /** Asks the server to stop what runs on this connection; resolves when that request can no longer hit anything. */
  cancel?(connection: C): Promise<void>
  /**
   * Statements may share this connection while others are in flight, from now on or no longer. Throws where this version
   * of the package cannot.
   */
  pipeline?(connection: C, on: boolean): void
  /** Tells from the last answer, whatever else is in flight, that a transaction is open. Needed to share connections. */
  inTransaction?(connection: C): boolean
  /** True for an error by which the server itself ended the session: what was sent behind it was never executed. */
  isFarewell?(error: unknown): boolean
  /** What ORMs need to know to write statements for it. */
  readonly dialect?: SqlDialect
  /** The driver can name prepared statements. */
  readonly preparesByName?: boolean
  /** The placeholder of the parameter at this position, counted from 1: `$1`, `?`, `@p1`. Default `?`. */
  placeholder?(position: number): string
  /** True for an error that says that the server lost a prepared statement, or that its plan is no longer valid. */
  isStalePlan?(error: unknown): boolean
  /** True for an error that says that the statement is as good as never sent, for no fault of its own. */
  isUndone?(error: unknown): boolean
  /**
   * Told that a name of this connection failed by such an error: whether something between us and the server is the
   * reason, which may run each transaction in another session. May ask the server.
   */
  confirmPooler?(connection: C, error: unknown): boolean | Promise<boolean>
}
