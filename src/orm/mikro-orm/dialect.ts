import type { Dialect, Driver } from 'kysely'
import { aBoolean, aFunction, assertKnown, assertOption } from '../../contract/check.ts'
import type { SqlLease, SqlPool } from '../../contract/sql.ts'
import { type ConnectionHook, type KyselyModule, rockpoolDialect } from '../kysely/index.ts'
import { kyselyOf } from '../kysely/module.ts'
import { dialectOf } from '../pool-dialect.ts'
import { kyselyOfMikroOrm } from './kysely-package.ts'
import { READING } from './reading.ts'
import { ReadingPool } from './reading-pool.ts'
import { Trap } from './trap.ts'

/** Options of `rockpoolMikroOrm`. */
export interface RockpoolMikroOrmOptions {
  /** `orm.close()` closes the pool. Default false: it lets go of the pool, which others may use. */
  ownsPool?: boolean
  /** The `kysely` package, where it cannot be found: in a bundle, or under Jest. Default: the one that MikroORM brings along. */
  kysely?: KyselyModule
  /** MikroORM's option of that name, which it does not pass on to a dialect. */
  onCreateConnection?: ConnectionHook
  /** MikroORM's option of that name, which it does not pass on to a dialect. */
  onReserveConnection?: ConnectionHook
}

/** What is spread into MikroORM's own options, behind everything else. */
export interface MikroOrmOptions {
  /** Called for each connection to a database that MikroORM makes ready. */
  readonly driverOptions: () => Dialect
  /** Throws `PoolBypassedError` if MikroORM is about to open a pool of its own. */
  readonly pool: { readonly min?: never; readonly max?: never }
}

const OPTIONS = ['ownsPool', 'kysely', 'onCreateConnection', 'onReserveConnection']

/**
 * MikroORM on a pool: `MikroORM.init({ entities, dbName, ...rockpoolMikroOrm(pool) })`. The pool is one of the `pg`, the
 * `mysql2` or an SQLite driver.
 * @throws InvalidOptionError for what is no such pool; DriverMissingError where `kysely` is not installed
 */
export function rockpoolMikroOrm<C>(
  pool: SqlPool<C>,
  options: RockpoolMikroOrmOptions = {},
): MikroOrmOptions {
  assertKnown(options, OPTIONS, 'rockpoolMikroOrm')
  const { ownsPool = false, kysely: given, onCreateConnection, onReserveConnection } = options
  assertOption('ownsPool', ownsPool, aBoolean)
  if (onCreateConnection !== undefined) assertOption('onCreateConnection', onCreateConnection, aFunction)
  if (onReserveConnection !== undefined) assertOption('onReserveConnection', onReserveConnection, aFunction)
  const sql = dialectOf(pool, 'rockpoolMikroOrm')
  const kysely = kyselyOf(given ?? kyselyOfMikroOrm(sql))
  const hooks = {
    ...(onCreateConnection === undefined ? {} : { onCreateConnection }),
    ...(onReserveConnection === undefined ? {} : { onReserveConnection }),
  }
  const reading = READING[sql]
  const trap = new Trap(pool.name)
  if (reading === undefined)
    return { driverOptions: () => rockpoolDialect(pool, { kysely, ownsPool, ...hooks }), pool: trap }
  const readers = new ReadingPool(pool, sql, reading)
  const dialect = () => rockpoolDialect(readers as unknown as SqlPool<C>, { kysely, ownsPool, ...hooks })
  return { driverOptions: () => readingDialect(dialect(), readers), pool: trap }
}

function readingDialect<C>(dialect: Dialect, readers: ReadingPool<C>): Dialect {
  return {
    createDriver: () => takingOff(dialect.createDriver(), readers),
    createAdapter: () => dialect.createAdapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
  }
}

function takingOff<C>(driver: Driver, readers: ReadingPool<C>): Driver {
  const release = driver.releaseConnection.bind(driver)
  driver.releaseConnection = (connection) => {
    const { lease } = connection as unknown as { lease: SqlLease<C> | undefined }
    if (lease !== undefined) readers.takeOff(lease)
    return release(connection)
  }
  return driver
}
