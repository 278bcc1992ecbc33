import type { Pool as MysqlPool } from 'mysql2/promise'
import type { PgPoolShape } from '../../compat/pg-pool/pool-shape.ts'
import { aBoolean, assertKnown, assertOption } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { SqlPool } from '../../contract/sql.ts'
import { dialectOf } from '../pool-dialect.ts'
import { mysqlClient } from './mysql-client.ts'
import { DrizzlePgPool } from './pg-client.ts'

/** Options of `rockpoolDrizzle`. */
export interface RockpoolDrizzleOptions {
  /** `db.$client.end()` closes the pool. Default false: it lets go of the pool, which others may use. */
  ownsPool?: boolean
  /** The package that the pool's driver was given, where it cannot be found: in a bundle. Default: the one that is installed. */
  module?: unknown
}

/** What Drizzle takes for a pool of these connections: one of mysql2/promise, or one of pg. */
export type DrizzleClient<C> = C extends { readonly threadId: number } ? MysqlPool : PgPoolShape

const NO_SQLITE =
  'with SQLite Drizzle uses no pool: it takes one synchronous connection of an in-process database, and rockpool has nothing to take the place of'

/**
 * Drizzle on a pool: `drizzle(rockpoolDrizzle(pool), { schema })`, with `drizzle` from `drizzle-orm/node-postgres` or
 * `drizzle-orm/mysql2`.
 * @throws InvalidOptionError for what is no such pool; DriverMissingError where `mysql2` is not installed
 */
export function rockpoolDrizzle<C>(pool: SqlPool<C>, options: RockpoolDrizzleOptions = {}): DrizzleClient<C> {
  assertKnown(options, ['ownsPool', 'module'], 'rockpoolDrizzle')
  const { ownsPool = false, module } = options
  assertOption('ownsPool', ownsPool, aBoolean)
  const dialect = dialectOf(pool, 'rockpoolDrizzle')
  if (dialect === 'sqlite') throw new InvalidOptionError('pool', NO_SQLITE)
  const client =
    dialect === 'mysql' ? mysqlClient(pool, { ownsPool, module }) : new DrizzlePgPool(pool, { ownsPool })
  return client as DrizzleClient<C>
}
