import type { Knex } from 'knex'
import { aBoolean, assertKnown, assertOption } from '../../contract/check.ts'
import { InvalidOptionError, PoolBypassedError } from '../../contract/errors.ts'
import type { SqlPool } from '../../contract/sql.ts'
import type { SqlDialect } from '../../contract/sql-driver.ts'
import { dialectOf } from '../pool-dialect.ts'
import type { KnexClientClass } from './client.ts'
import { assertPoolConfig } from './lending.ts'
import { type KnexModule, KnexPackage } from './module.ts'
import { type ClientParts, MYSQL, POSTGRES, pooledClient } from './server-client.ts'
import { sqliteClient } from './sqlite-client.ts'

/** Options of `rockpoolKnex`. */
export interface RockpoolKnexOptions {
  /** The `knex` package, where it cannot be found: in a bundle. Default: the one that is installed. */
  knex?: KnexModule
  /** `knex.destroy()` closes the pool. Default false: it lets go of the pool, which others may use. */
  ownsPool?: boolean
}

/** Knex's config but for what the pool brings along. */
export type RockpoolKnexConfig<SV extends object = Record<string, unknown>> = Omit<
  Knex.Config<SV>,
  'connection' | 'connectionPool' | 'pool'
> & { pool?: Pick<Knex.PoolConfig, 'afterCreate' | 'validate'> }

const DEFAULT_CLIENT: Readonly<Record<SqlDialect, string>> = {
  postgres: 'pg',
  mysql: 'mysql2',
  sqlite: 'better-sqlite3',
}

/**
 * Knex's config for a pool: `knex(rockpoolKnex(pool))`, `knex(rockpoolKnex(pool, { client: 'cockroachdb', searchPath: 'app' }))`.
 * `client` is known from the pool's driver where it is left out.
 * @throws InvalidOptionError; DriverMissingError where `knex` is not installed
 */
export function rockpoolKnex<C, SV extends object = Record<string, unknown>>(
  pool: SqlPool<C>,
  config: RockpoolKnexConfig<SV> = {},
  options: RockpoolKnexOptions = {},
): Knex.Config<SV> {
  assertKnown(options, ['knex', 'ownsPool'], 'rockpoolKnex')
  const { ownsPool = false } = options
  assertOption('ownsPool', ownsPool, aBoolean)
  assertConfig(config)
  const dialect = dialectOf(pool, 'rockpoolKnex')
  const knex = new KnexPackage(options.knex)
  const Dialect = knex.dialect(config.client ?? DEFAULT_CLIENT[dialect])
  const parts: ClientParts = { pool: pool as SqlPool<unknown>, knex, ownsPool }
  return {
    ...config,
    client: clientFor(dialect, Dialect, parts) as unknown as typeof Knex.Client,
    connection: trap(pool.name),
  }
}

function clientFor(dialect: SqlDialect, Dialect: KnexClientClass, parts: ClientParts): KnexClientClass {
  if (dialect === 'sqlite') return sqliteClient(Dialect, parts)
  return pooledClient(Dialect, parts, dialect === 'postgres' ? POSTGRES : MYSQL)
}

/** Whoever takes this config with another client would open connections of his own, to wherever the environment says. */
function trap(pool: string): Knex.ConnectionConfigProvider {
  const spring = () => {
    throw new PoolBypassedError(
      pool,
      'Knex',
      'the config that rockpoolKnex has made is used with another "client". Pass the client to rockpoolKnex',
    )
  }
  return Object.assign(spring, { filename: 'rockpool' })
}

/** @throws InvalidOptionError */
function assertConfig(config: object): void {
  for (const name of ['connection', 'connectionPool']) {
    if ((config as Record<string, unknown>)[name] === undefined) continue
    const problem = `"${name}" of Knex's config says where to connect to, and the pool knows that already: leave it out`
    throw new InvalidOptionError(name, problem)
  }
  assertPoolConfig((config as { pool?: Knex.PoolConfig }).pool)
}
