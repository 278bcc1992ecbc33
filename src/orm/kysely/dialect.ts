import type { DatabaseIntrospector, Dialect, DialectAdapter, Driver, Kysely, QueryCompiler } from 'kysely'
import { aBoolean, aFunction, assertKnown, assertOption } from '../../contract/check.ts'
import type { SqlPool } from '../../contract/sql.ts'
import type { SqlDialect } from '../../contract/sql-driver.ts'
import { dialectOf } from '../pool-dialect.ts'
import { type ConnectionHook, PoolDriver } from './driver.ts'
import { type KyselyModule, kyselyOf } from './module.ts'
import { sqliteAdapter } from './sqlite-adapter.ts'

/** Options of `rockpoolDialect`. */
export interface RockpoolDialectOptions {
  /** The `kysely` package, where it cannot be found: in a bundle, or under Jest. Default: the one that is installed. */
  kysely?: KyselyModule
  /** `db.destroy()` closes the pool. Default false: it lets go of the pool, which others may use. */
  ownsPool?: boolean
  /**
   * Called once for each connection, before Kysely first uses it. With it every statement borrows a connection of its own:
   * the pool's `onConnect` costs nothing.
   */
  onCreateConnection?: ConnectionHook
  /** Called each time that Kysely is given a connection; with it every statement borrows one of its own. */
  onReserveConnection?: ConnectionHook
}

const OPTIONS = ['kysely', 'ownsPool', 'onCreateConnection', 'onReserveConnection']

/**
 * Kysely on a pool: `new Kysely<Database>({ dialect: rockpoolDialect(pool) })`. What the pool speaks, PostgreSQL, MariaDB
 * and MySQL, or SQLite, is known from its driver.
 * @throws InvalidOptionError for what is no such pool; DriverMissingError where `kysely` is not installed
 */
export function rockpoolDialect<C>(pool: SqlPool<C>, options: RockpoolDialectOptions = {}): Dialect {
  assertKnown(options, OPTIONS, 'rockpoolDialect')
  const { ownsPool = false, onCreateConnection, onReserveConnection } = options
  assertOption('ownsPool', ownsPool, aBoolean)
  if (onCreateConnection !== undefined) assertOption('onCreateConnection', onCreateConnection, aFunction)
  if (onReserveConnection !== undefined) assertOption('onReserveConnection', onReserveConnection, aFunction)
  const dialect = dialectOf(pool, 'rockpoolDialect')
  const kysely = kyselyOf(options.kysely)
  const aborted = (cause: unknown) => abortedError(kysely, cause)
  const makeDriver = () =>
    new PoolDriver<C>({ pool, dialect, ownsPool, onCreateConnection, onReserveConnection, aborted })
  return new PoolDialect(partsOf(kysely, dialect, pool), makeDriver)
}

interface Parts {
  readonly adapter: () => DialectAdapter
  readonly compiler: () => QueryCompiler
  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  readonly introspector: (db: Kysely<any>) => DatabaseIntrospector
}

class PoolDialect implements Dialect {
  readonly #parts: Parts
  readonly #makeDriver: () => Driver

  constructor(parts: Parts, makeDriver: () => Driver) {
    this.#parts = parts
    this.#makeDriver = makeDriver
  }

  createDriver(): Driver {
    return this.#makeDriver()
  }

  createQueryCompiler(): QueryCompiler {
    return this.#parts.compiler()
  }

  createAdapter(): DialectAdapter {
    return this.#parts.adapter()
  }

  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return this.#parts.introspector(db)
  }
}

function partsOf(kysely: KyselyModule, dialect: SqlDialect, pool: object): Parts {
  switch (dialect) {
    case 'postgres':
      return {
        adapter: () => new kysely.PostgresAdapter(),
        compiler: () => new kysely.PostgresQueryCompiler(),
        introspector: (db) => new kysely.PostgresIntrospector(db),
      }
    case 'mysql':
      return {
        adapter: () => new kysely.MysqlAdapter(),
        compiler: () => new kysely.MysqlQueryCompiler(),
        introspector: (db) => new kysely.MysqlIntrospector(db),
      }
    case 'sqlite':
      return {
        adapter: () => sqliteAdapter(kysely, pool),
        compiler: () => new kysely.SqliteQueryCompiler(),
        introspector: (db) => new kysely.SqliteIntrospector(db),
      }
  }
}

/** Kysely knows its error by this symbol, whichever copy it comes from. */
function abortedError({ AbortedTransactionError }: KyselyModule, cause: unknown): Error {
  if (AbortedTransactionError !== undefined) return new AbortedTransactionError({ cause })
  return new Error('Transaction was rolled back instead of committed', { cause })
}
