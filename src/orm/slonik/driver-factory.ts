import { assertKnown } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { Pool } from '../../contract/pool.ts'
import type { SqlPool } from '../../contract/sql.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import { dialectOf } from '../pool-dialect.ts'
import {
  assertPoolDecides,
  assertSameDatabase,
  type DriverConfiguration,
  makePassThrough,
} from './configuration.ts'
import { type SlonikModule, slonikOf } from './errors.ts'
import { House } from './house.ts'
import { askServer } from './reading.ts'
import { type QueryStreamClass, queryStreamOf } from './row-stream.ts'
import { Seat, type SlonikClient } from './seat.ts'

/** Options of `rockpoolDriverFactory`. */
export interface RockpoolDriverFactoryOptions {
  /** Your own copy, where it cannot be found, as in a bundle: `import * as slonik from 'slonik'`. Default: the installed one. */
  slonik?: Partial<Record<keyof SlonikModule, unknown>>
  /** The class that `pg-query-stream` exports, likewise; only streams want it. Default: the one that Slonik brings along. */
  QueryStream?: unknown
}

/** What Slonik makes its connections with. */
export interface SlonikDriver {
  createClient: () => Promise<SlonikClient>
}

/**
 * Slonik on a pool: `createPool('postgres://', { driverFactory: rockpoolDriverFactory(pool) })`. Slonik's own pool then keeps
 * nothing and queues nothing; its `end` lets go of this one, and closes none of its connections.
 * @throws InvalidOptionError for what is no pool of PostgreSQL. What else of Slonik's options contradicts the pool is refused by
 * `createPool`
 */
export function rockpoolDriverFactory(
  pool: Pool<never> | Pool<unknown>,
  options: RockpoolDriverFactoryOptions = {},
): (setup: { driverConfiguration: DriverConfiguration }) => Promise<SlonikDriver> {
  assertKnown(options, ['slonik', 'QueryStream'], 'rockpoolDriverFactory')
  const sqlPool = pool as unknown as SqlPool<PgClient>
  const dialect = dialectOf(sqlPool, 'rockpoolDriverFactory')
  if (dialect !== 'postgres')
    throw new InvalidOptionError('pool', `Slonik speaks to PostgreSQL, and pool "${pool.name}" to ${dialect}`)
  return async ({ driverConfiguration }) => {
    assertPoolDecides(driverConfiguration)
    makePassThrough(driverConfiguration)
    const slonik = slonikOf(options.slonik)
    const facts = await askServer(sqlPool, driverConfiguration.typeParsers)
    assertSameDatabase(driverConfiguration, facts.database)
    let QueryStream = options.QueryStream as QueryStreamClass | undefined
    const queryStream = () => {
      QueryStream = queryStreamOf(QueryStream)
      return QueryStream
    }
    const house = new House({ pool: sqlPool, slonik, configuration: driverConfiguration, queryStream, facts })
    return { createClient: async () => new Seat(house, await house.borrow()).asClient() }
  }
}
