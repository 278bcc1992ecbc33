import type * as mssql from 'mssql'
import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import { assertPool } from '../existing-pool.ts'
import { tarnPool } from '../tarn/index.ts'
import type { RockpoolConnectionPool } from './connection-pool.ts'
import type { TediousConnection } from './package.ts'
import { rockpoolMssql } from './sql.ts'

/** Options of `mssqlPool`. */
export interface AroundOptions {
  /** `close` closes the pool as well. Default false: it lets go of it, and the pool stays open for others. */
  ownsPool?: boolean
  /** What requests read of the configuration, such as `requestTimeout` or `arrayRowMode`. The pool has its own connections. */
  config?: Partial<mssql.config>
  /** Your copy of the package. Default: the one that is installed. */
  module?: unknown
}

/** An existing pool of tedious connections, as a connected ConnectionPool of mssql's. @throws InvalidOptionError */
export function around(
  pool: RockpoolPool<TediousConnection>,
  { ownsPool = false, config = {}, module }: AroundOptions = {},
): RockpoolConnectionPool {
  assertPool(pool, 'mssqlPool', 'createResourcePool()')
  const { ConnectionPool } = rockpoolMssql(module)
  const made = new ConnectionPool({ server: pool.name, ...config } as mssql.config)
  made.standAround(tarnPool(pool, { ownsPool }))
  return made
}
