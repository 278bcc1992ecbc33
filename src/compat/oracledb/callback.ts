import type { Connection, DBError } from 'oracledb'

// As programs write them: oracledb's own types refuse a callback that declares its result without a question mark.

export type Callback<T> = (error: DBError | null, result: T) => void

/** Something that is changed, by promise or with a callback. */
export interface Change<Given> {
  (given: Given): Promise<void>
  (given: Given, callback: (error: DBError | null) => void): void
}

/** A connection for a callback. */
export interface Lend<Options> {
  (callback: Callback<Connection>): void
  (options: Options, callback: Callback<Connection>): void
}
