import type * as mysql from 'mysql2'
import type * as promise from 'mysql2/promise'
import type { Pool as Rockpool } from '../../contract/pool.ts'
import { type AroundOptions, around } from './around.ts'
import { clusterOf, makeCluster } from './cluster.ts'
import { makePool } from './create-pool.ts'
import { lateClass, lateFunction, lateObject } from './late.ts'
import type { PoolOptions } from './options.ts'
import { type Mysql2Package, packageOf, promisePackage } from './package.ts'
import { rockpoolOf as behind, poolOf } from './pool.ts'
import * as promises from './promise-names.ts'

/** All types of mysql2's; what follows stands in their place. */
export type * from 'mysql2'
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

/** mysql2's `createPool`: the same options and the same pool, with rockpool behind it. @throws InvalidOptionError */
export function createPool(config: PoolOptions | string): Pool {
  return makePool(config)
}

/** A pool of mysql2's shape around one of ours, which has the mysql2 driver. @throws InvalidOptionError */
export function mysqlPool(pool: Rockpool<never> | Rockpool<unknown>, options?: AroundOptions): Pool {
  return around(pool, options)
}

/** The rockpool pool behind one of these, for its events, its statistics and `resize`. @throws InvalidOptionError */
export function rockpoolOf(pool: object): Rockpool<mysql.Connection> {
  return behind(pool)
}

/** mysql2's `createPoolCluster`, over pools of ours. */
export function createPoolCluster(config?: mysql.PoolClusterOptions): PoolCluster {
  return makeCluster(config)
}

export type Pool = mysql.Pool
export type PoolCluster = mysql.PoolCluster
export type Connection = mysql.Connection
export type PoolConnection = mysql.PoolConnection
export type ConnectionConfig = mysql.ConnectionConfig

/** The class of the pools, for `instanceof`. */
export const Pool: Mysql2Package['Pool'] = lateClass(
  () => poolOf(packageOf()) as unknown as Mysql2Package['Pool'],
)
/** The class of the clusters, for `instanceof`. */
export const PoolCluster: Mysql2Package['PoolCluster'] = lateClass(
  () => clusterOf(packageOf()) as unknown as Mysql2Package['PoolCluster'],
)

// What is no pool is the user's own mysql2's.
export const Connection: typeof mysql.Connection = lateClass(() => packageOf().Connection)
export const PoolConnection: typeof mysql.PoolConnection = lateClass(() => packageOf().PoolConnection)
export const ConnectionConfig: Mysql2Package['ConnectionConfig'] = lateClass(
  () => packageOf().ConnectionConfig,
)
export const createConnection: typeof mysql.createConnection = lateFunction(
  () => packageOf().createConnection,
)
export const connect: typeof mysql.createConnection = createConnection
export const createQuery: typeof mysql.Connection.createQuery = lateFunction(
  () => packageOf().Connection.createQuery,
)
export const createServer: typeof mysql.createServer = lateFunction(() => packageOf().createServer)
export const authPlugins: typeof mysql.authPlugins = lateObject(() => packageOf().authPlugins)

export const createConnectionPromise: typeof promise.createConnection = lateFunction(
  () => promisePackage().createConnection,
)
export const createPoolPromise: typeof promises.createPool = promises.createPool
export const createPoolClusterPromise: typeof promises.createPoolCluster = promises.createPoolCluster
