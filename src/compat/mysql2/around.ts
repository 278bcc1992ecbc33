import type { Pool } from 'mysql2'
import type { Pool as Rockpool } from '../../contract/pool.ts'
import { assertPool } from '../existing-pool.ts'
import { StandingQueue } from '../standing-queue.ts'
import { type Mysql2Package, type PoolConfig, packageOf } from './package.ts'
import { poolOf } from './pool.ts'

/** How a pool is put in the place of mysql2's. */
export interface AroundOptions {
  /** The package `mysql2` that the pool's driver was given. Default: the one that is installed. */
  module?: unknown
  /** `end` also closes the pool. Default false: it lets go of it, and the pool stays open for others. */
  ownsPool?: boolean | undefined
}

export function around(pool: Rockpool<never> | Rockpool<unknown>, options: AroundOptions = {}): Pool {
  assertPool(pool, 'mysqlPool', 'createPool(mysql2(...))')
  const mysql2 = packageOf(options.module)
  return new (poolOf(mysql2))({
    mysql2,
    pool: pool as Rockpool<unknown>,
    config: configOf(pool.stats().max, mysql2),
    ownsPool: options.ownsPool ?? false,
    queue: new StandingQueue(),
  })
}

function configOf(max: number, { ConnectionConfig }: Mysql2Package): PoolConfig {
  return {
    connectionConfig: new ConnectionConfig({}),
    waitForConnections: true,
    connectionLimit: max,
    maxIdle: max,
    idleTimeout: 60_000,
    queueLimit: 0,
    resetOnRelease: false,
  }
}
