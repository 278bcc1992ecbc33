import type * as callbacks from 'mysql2'
import type * as mysql from 'mysql2/promise'
import type { Pool as Rockpool } from '../../contract/pool.ts'
import { type AroundOptions, around } from './around.ts'
import { makePool } from './create-pool.ts'
import { lateClass, lateFunction } from './late.ts'
import type { PoolOptions } from './options.ts'
import { type PromisePackage, promisePackage } from './package.ts'
import { rockpoolOf as behind } from './pool.ts'
import { makePromiseCluster } from './promise-cluster.ts'

/** All types of mysql2's; what follows stands in their place. */
export type * from 'mysql2/promise'
export {
  Charsets,
  CharsetToEncoding,
  clearParserCache,
  escape,
  escapeId,
  format,
  raw,
  setMaxParserCache,
  TypedParameter,
  Types,
} from './package-names.ts'
export type { AroundOptions, PoolOptions }

/** `createPool` of mysql2/promise: the same options and the same pool, with rockpool behind it. @throws InvalidOptionError */
export function createPool(config: PoolOptions | string): mysql.Pool {
  return makePool(config).promise(promiseOf(config))
}

/** A pool of the shape of mysql2/promise around one of ours, which has the mysql2 driver. @throws InvalidOptionError */
export function mysqlPool(pool: Rockpool<never> | Rockpool<unknown>, options?: AroundOptions): mysql.Pool {
  return around(pool, options).promise()
}

/** The rockpool pool behind one of these, for its events, its statistics and `resize`. @throws InvalidOptionError */
export function rockpoolOf(pool: object): Rockpool<callbacks.Connection> {
  return behind(pool)
}

/** `createPoolCluster` of mysql2/promise, over pools of ours. */
export function createPoolCluster(config?: mysql.PoolClusterOptions): mysql.PoolCluster {
  return makePromiseCluster(config)
}

export type Connection = mysql.Connection
export type PoolConnection = mysql.PoolConnection

// What is no pool is the user's own mysql2's.
export const Connection: typeof mysql.Connection = lateClass(() => promisePackage().Connection)
export const PoolConnection: typeof mysql.PoolConnection = lateClass(() => promisePackage().PoolConnection)
/** The class of the pools; the one that it is given has callbacks. */
export const PromisePool: PromisePackage['PromisePool'] = lateClass(() => promisePackage().PromisePool)
export const PromiseConnection: typeof mysql.Connection = Connection
export const PromisePoolConnection: typeof mysql.PoolConnection = PoolConnection
export const createConnection: typeof mysql.createConnection = lateFunction(
  () => promisePackage().createConnection,
)

/** The user may have promises of his own kind. */
function promiseOf(config: PoolOptions | string): PromiseConstructor | undefined {
  return typeof config === 'object' ? (config?.Promise as PromiseConstructor | undefined) : undefined
}
