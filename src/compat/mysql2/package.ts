import type {
  Connection,
  ConnectionConfig,
  ConnectionOptions,
  Pool,
  PoolCluster,
  PoolClusterOptions,
  PoolOptions,
  Query,
  QueryError,
} from 'mysql2'
import type { Pool as PromisePool } from 'mysql2/promise'
import { InvalidOptionError } from '../../contract/errors.ts'
import { givenPackage } from '../../drivers/given-package.ts'
import { loadPackage } from '../../drivers/load-package.ts'

/** What a pool of mysql2's has as `config`. */
export interface PoolConfig {
  readonly connectionConfig: ConnectionOptions & { readonly gracefulEnd?: boolean }
  readonly waitForConnections: boolean
  /** 0 = no limit. */
  readonly connectionLimit: number
  readonly maxIdle: number
  /** Milliseconds. */
  readonly idleTimeout: number
  /** 0 = no limit. */
  readonly queueLimit: number
  readonly resetOnRelease: boolean
}

/** What a connection of mysql2's has beyond what its types tell. */
export interface CoreConnection extends Connection {
  readonly config: ConnectionOptions & { readonly gracefulEnd?: boolean }
  query(sql: unknown, values?: unknown, callback?: unknown): Query
  execute(sql: unknown, values?: unknown, callback?: unknown): Query
  changeUser(options: unknown, callback?: unknown): unknown
}

export type Settled = (error: QueryError | null, rows?: unknown, fields?: unknown) => void

type Original = typeof import('mysql2')

/** The package `mysql2`, with what its types leave out. */
export interface Mysql2Package extends Omit<Original, 'ConnectionConfig' | 'Pool' | 'PoolCluster'> {
  readonly ConnectionConfig: {
    new (options: ConnectionOptions): ConnectionConfig
    parseUrl(url: string): PoolOptions & Record<string, unknown>
  }
  readonly Pool: new (options: { config: PoolConfig }) => Pool
  readonly PoolCluster: new (config?: PoolClusterOptions) => PoolCluster
}

/** `mysql2/promise`, with what its types leave out. */
export interface PromisePackage extends Omit<typeof import('mysql2/promise'), never> {
  readonly PromisePool: new (pool: Pool, promise?: unknown) => PromisePool
}

/**
 * The user's mysql2: his own copy where he passes it, for a pool must make its connections, commands and promises by one.
 * @throws InvalidOptionError, DriverMissingError
 */
export function packageOf(given?: unknown): Mysql2Package {
  const functions = ['ConnectionConfig'] as const
  return givenPackage<Mysql2Package>(given ?? loadPackage('mysql2'), {
    called: '"mysql2" package',
    functions,
  })
}

/** The connection behind what a lease lends, whichever flavour of the package it was made by. */
export function coreOf(connection: unknown, { Connection }: Mysql2Package): CoreConnection {
  if (connection instanceof Connection) return connection as CoreConnection
  const { connection: inner } = (connection ?? {}) as { connection?: unknown }
  if (inner instanceof Connection) return inner as CoreConnection
  throw new InvalidOptionError(
    'pool',
    'the pool\'s connections are not of this mysql2: it must be a pool of the mysql2 driver, with the same copy of the package (option "module")',
  )
}

/** `mysql2/promise`, of the copy that is installed. @throws DriverMissingError */
export function promisePackage(): PromisePackage {
  packageOf()
  return loadPackage('mysql2/promise') as PromisePackage
}
