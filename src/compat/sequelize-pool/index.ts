import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import { systemClock } from '../../pool/system-clock.ts'
import { assertPool } from '../existing-pool.ts'
import { SequelizePoolShape } from './shape.ts'

export { DestroyErrors as AggregateError, TimeoutError } from './errors.ts'
export type { FactoryLogger, FactoryOptions, LogLevel } from './options.ts'
export { Pool } from './pool.ts'
export type { SequelizePoolShape } from './shape.ts'

/** Options of `sequelizePool`. */
export interface SequelizePoolOptions {
  /** `destroyAllNow` after `drain` closes the pool as well. Default false: it lets go of it, and the pool stays open for others. */
  ownsPool?: boolean
}

/** An existing pool, as those see it who know sequelize-pool. */
export function sequelizePool<T>(
  pool: RockpoolPool<T>,
  { ownsPool = false }: SequelizePoolOptions = {},
): SequelizePoolShape<T> {
  assertPool(pool, 'sequelizePool')
  return new SequelizePoolShape<T>({
    pool,
    ownsPool,
    clock: systemClock,
    drainTimeoutMillis: 30_000,
    log: () => {},
    limits: () => ({ min: 0, max: pool.stats().max }),
  })
}
