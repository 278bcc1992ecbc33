import type { SqlPool } from '../../contract/sql.ts'
import type { Isolation, SqlDriver } from '../../contract/sql-driver.ts'

/** A case that this driver does not run, and why. */
export interface Skip<Name extends string = string> {
  readonly case: Name
  readonly reason: string
}

/** A driver under test, and what the suite must know about its database. A case that needs a missing fact fails, unless it is skipped. */
export interface Subject<C, Name extends string = string> {
  /** A new driver, which shares nothing with earlier ones but the database. */
  driver(): SqlDriver<C> | Promise<SqlDriver<C>>
  readonly sql: SqlFacts<C>
  readonly server?: ServerFacts
  readonly network?: NetworkFacts<C>
  readonly refusals?: Refusals<C>
  readonly skip?: readonly Skip<Name>[]
}

/** Statements in the database's own words. `?` stands for the driver's placeholders, in their order. */
export interface SqlFacts<C> {
  /** Gives one row. Default `select 1`. */
  readonly one?: string
  /** Creates an empty table with a whole number `id` as its key and a text `note` that may be null. */
  readonly createTable?: (name: string) => string
  /** Runs for so long, on the server. */
  readonly sleep?: (ms: number) => string
  /** Gives the number or name of the session, as `server.kill` takes it. */
  readonly sessionId?: string
  /** Statements that give their only parameter back, as this type. */
  readonly echo?: {
    readonly text: string
    readonly integer: string
    readonly double: string
    readonly binary: string
    /** A whole number of 64 bits, given back as text. */
    readonly bigAsText: string
  }
  /** Reads a whole number beyond 2^53, and what the driver is documented to give for it. */
  readonly big?: { readonly read: string; readonly gives: unknown }
  /** Gives the numbers from 1 to `count`, one per row. */
  readonly series?: (count: number) => string
  /** Gives so many rows of about a kilobyte each. */
  readonly wide?: (count: number) => string
  /** `read` fails where the temporary table does not exist. */
  readonly temporaryTable?: { readonly create: string; readonly read: string }
  /** `read` gives something else after `set`. */
  readonly setting?: { readonly set: string; readonly read: string }
  /** `isFree`, asked in another session, gives 1 or true when nobody holds the lock. */
  readonly lock?: { readonly take: string; readonly isFree: string }
  /** A statement prepared in SQL; `use` fails where it does not exist. */
  readonly prepared?: { readonly make: string; readonly use: string }
  /** A table with a generated key, and a statement that inserts one row into it. */
  readonly insertId?: { readonly create: (name: string) => string; readonly insert: (name: string) => string }
  /** `read` gives this in a transaction of this isolation. */
  readonly isolation?: { readonly level: Isolation; readonly read: string; readonly gives: unknown }
  /** Whether a failed statement fails the whole transaction. Default false. */
  readonly abortsTransactions?: boolean
  /** Lets two transactions collide and gives the loser's error. Default: two serializable ones that read, then write. */
  readonly collide?: (pool: SqlPool<C>) => Promise<unknown>
}

export interface ServerFacts {
  /** How many sessions the driver under test has open, as the server counts them. */
  sessions(): number | Promise<number>
  /** Ends a session from outside. */
  kill(id: unknown): void | Promise<void>
  /** Makes the server refuse writes, as after a failover; returns what makes it take them again. */
  demote?(): (() => unknown) | Promise<() => unknown>
}

export interface Address {
  readonly host: string
  readonly port: number
}

export interface NetworkFacts<C> extends Address {
  /** A driver for the same database at another address. */
  at(address: Address): SqlDriver<C> | Promise<SqlDriver<C>>
}

/** Drivers that the server must not let in. */
export interface Refusals<C> {
  wrongPassword?(): SqlDriver<C> | Promise<SqlDriver<C>>
  unknownDatabase?(): SqlDriver<C> | Promise<SqlDriver<C>>
  /** One to whom the server gives no more than `limit` connections. */
  limited?(): Promise<{ driver: SqlDriver<C>; limit: number; sessions?(): number | Promise<number> }>
}
