import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import { assertPool } from '../existing-pool.ts'
import { StandingQueue } from '../standing-queue.ts'
import { settled } from './attributes.ts'
import { Closing } from './closing.ts'
import { Lender } from './lender.ts'
import { OraclePool } from './oracle-pool.ts'
import { type OracleConnection, packageOf } from './package.ts'

/** Options of `oraclePool`. */
export interface AroundOptions {
  /** `close` closes the pool as well. Default false: it lets go of it, and the pool stays open for others. */
  ownsPool?: boolean
  /** Your copy of the package. Default: the one that is installed. */
  module?: unknown
}

/** An existing pool of oracledb connections, as a pool of oracledb's. @throws InvalidOptionError */
export function around(
  pool: RockpoolPool<OracleConnection>,
  { ownsPool = false, module }: AroundOptions = {},
): OraclePool {
  assertPool(pool, 'oraclePool', 'createResourcePool()')
  const oracledb = packageOf(module)
  const attributes = { poolMax: pool.stats().max }
  const settings = settled(attributes, oracledb)
  const closing = new Closing(pool, ownsPool, () => {})
  const lender = new Lender({
    pool,
    driver: undefined,
    closing,
    queue: new StandingQueue(),
    // It has a limit of its own.
    queueMax: -1,
    sessionCallback: undefined,
    defaults: oracledb,
  })
  return new OraclePool({ pool, lender, closing, attributes, settings, package: oracledb })
}
