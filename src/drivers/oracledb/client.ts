import type { Row } from '../../contract/sql-driver.ts'

export interface OracleColumn {
  readonly name: string
  readonly dbType?: unknown
}

/** What a statement gives. */
export interface OracleResult {
  readonly rows?: readonly Row[] | undefined
  readonly metaData?: readonly OracleColumn[] | undefined
  readonly rowsAffected?: number | undefined
  readonly lastRowid?: string | undefined
  readonly resultSet?: OracleResultSet | undefined
}

interface OracleResultSet {
  getRows(count: number): Promise<readonly Row[]>
  close(): Promise<void>
}

/** The part of a connection of the `oracledb` package that we use. */
export interface OracleConnection {
  callTimeout: number
  /** Since 6.3: whether the last answer of the server said that a transaction is open. */
  readonly transactionInProgress?: boolean | undefined
  execute(sql: string, binds: readonly unknown[], options: object): Promise<OracleResult>
  commit(): Promise<void>
  rollback(): Promise<void>
  ping(): Promise<void>
  /** Whether the server has said, without being asked, that it ends the session. */
  isHealthy(): boolean
  break(): Promise<void>
  close(options?: { drop?: boolean }): Promise<void>
}

export interface OraclePool {
  getConnection(): Promise<OracleConnection>
  close(drainTime: number): Promise<void>
}

/** The `oracledb` package as the user imports it; its type of a connection is found by the last two of its overloads. */
export interface OracleModule<C> {
  getConnection: {
    (attributes: never): Promise<C>
    (attributes: never, callback: never): void
  }
  createPool(attributes: never): Promise<unknown>
}

/** What of the package is not a method; all of it has been there since version 6. */
export interface OraclePackage extends OracleModule<OracleConnection> {
  readonly OUT_FORMAT_OBJECT: number
  readonly STRING: unknown
  readonly BUFFER: unknown
  readonly DB_TYPE_CLOB: unknown
  readonly DB_TYPE_NCLOB: unknown
  readonly DB_TYPE_BLOB: unknown
  readonly fetchTypeHandler?: unknown
}
