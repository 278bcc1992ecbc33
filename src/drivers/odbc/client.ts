import type { Row } from '../../contract/sql-driver.ts'

/** A column as the package describes it; `dataType` is ODBC's number. */
export interface OdbcColumn {
  readonly name: string
  readonly dataType: number
  readonly columnSize: number
}

/** Rows, with what the package hangs on them. */
export interface OdbcResult extends Array<Row> {
  readonly count: number
  readonly columns?: readonly OdbcColumn[]
}

export interface OdbcCursor {
  readonly noData: boolean
  fetch(): Promise<OdbcResult>
  close(): Promise<void>
}

/** A statement in steps, each of them outside of the program's thread. */
interface OdbcStatement {
  prepare(sql: string): Promise<void>
  bind(parameters: readonly unknown[]): Promise<void>
  execute(): Promise<unknown>
  close(): Promise<void>
}

/** The part of a connection of the `odbc` package that we use. */
export interface OdbcConnection {
  query(sql: string, parameters?: readonly unknown[], options?: object): Promise<unknown>
  createStatement(): Promise<OdbcStatement>
  beginTransaction(): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
  /** Since 2.6: calls SQLCancel in the calling thread. */
  cancel?(): Promise<void>
  close(): Promise<void>
}

/** The `odbc` package as the user imports it. */
export interface OdbcModule<C> {
  connect(config: never): Promise<C>
}
