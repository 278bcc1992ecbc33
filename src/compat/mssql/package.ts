import type * as mssql from 'mssql'
import { givenPackage } from '../../drivers/given-package.ts'
import { loadPackage } from '../../drivers/load-package.ts'

/** The package `mssql`. */
export type MssqlPackage = typeof mssql

/** What a connection of tedious has that is of use to a pool. */
export interface TediousConnection {
  readonly inTransaction?: boolean
  readonly closed?: boolean
  /** mssql's own mark of a socket that has died. */
  readonly hasError?: boolean
  on(event: 'end' | 'error', listener: (error?: Error & { code?: string }) => void): unknown
  /** Makes the session as it was after the login: one round trip. */
  reset(callback: (error?: Error | null) => void): void
  close(): void
}

/** The inside of mssql's ConnectionPool, as far as ours stands in it. */
export interface OriginalConnectionPool extends Omit<mssql.ConnectionPool, 'pool'> {
  readonly config: mssql.config & { pool?: Record<string, unknown>; rockpool?: Record<string, unknown> }
  _healthy: boolean
  _connected: boolean
  _poolCreate(): Promise<TediousConnection>
  _poolValidate(connection: TediousConnection): boolean | Promise<boolean>
  _poolDestroy(connection: TediousConnection): Promise<void>
  _acquire(): Promise<TediousConnection>
  acquire(requester: unknown, callback?: unknown): unknown
  release(connection: TediousConnection): this
}

export interface OriginalConnectionPoolClass {
  new (config: mssql.config | string, callback?: (error?: unknown) => void): OriginalConnectionPool
  readonly prototype: OriginalConnectionPool
}

/** The user's mssql: his own copy where he passes it. @throws InvalidOptionError, DriverMissingError */
export function packageOf(given?: unknown): MssqlPackage {
  const functions = ['ConnectionPool', 'Request'] as const
  return givenPackage<MssqlPackage>(given ?? loadPackage('mssql'), { called: '"mssql" package', functions })
}
