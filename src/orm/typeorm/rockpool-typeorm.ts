import type { TlsOptions } from 'node:tls'
import { aBoolean, assertKnown, assertOption, show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { Pool } from '../../contract/pool.ts'
import type { SqlPool } from '../../contract/sql.ts'
import { dialectOf } from '../pool-dialect.ts'
import { mssqlPackage } from './mssql-package.ts'
import { mysqlPackage } from './mysql-package.ts'
import { type Node, REPLICA } from './node.ts'
import { oraclePackage } from './oracle-package.ts'
import { pgPackage } from './pg-package.ts'
import { trap } from './trap.ts'

/** Options of `rockpoolTypeorm`. */
export interface RockpoolTypeormOptions<C = unknown> {
  /** `dataSource.destroy()` closes the pool, and the replicas. Default false: it lets go of them, and others may use them. */
  ownsPool?: boolean
  /** Pools that only read: TypeORM sends them what is not written. Default: none. */
  replicas?: readonly Pool<C>[]
  /**
   * The package that the pool's driver was given: `pg`, `mysql2`, `mssql` or `oracledb`. Needed where it cannot be found, as in
   * a bundle. Default: the one that is installed.
   */
  module?: unknown
  /** For a pool that does not say what it speaks: one of `tedious` connections, or one of `oracledb` connections. */
  type?: 'mssql' | 'oracle'
}

type PackageOptions<C> = RockpoolTypeormOptions<C> & { type: 'mssql' | 'oracle' }

/** What a pool adds to the options of a DataSource. */
export interface RockpoolTypeorm {
  /** Takes the place of the package that TypeORM would load. */
  readonly driver: object
  /** Throws `PoolBypassedError` if another driver is given it. */
  readonly ssl: TlsOptions
  /** With `replicas`. */
  readonly replication?: Replication
}

interface Replication {
  readonly master: Credentials
  readonly slaves: Credentials[]
}

interface Credentials {
  readonly applicationName: string
  readonly ssl: TlsOptions
}

const OPTIONS = ['ownsPool', 'replicas', 'module', 'type']
const NO_SQLITE =
  'with SQLite TypeORM uses no pool: it keeps one synchronous connection of an in-process database, and rockpool has nothing to take the place of'

const PACKAGES = { postgres: pgPackage, mysql: mysqlPackage, mssql: mssqlPackage, oracle: oraclePackage }

/**
 * TypeORM on a pool: `new DataSource({ type: 'postgres', ...rockpoolTypeorm(pool), entities })`.
 * @throws InvalidOptionError for what is no such pool. What else of the options contradicts the pool is refused by `initialize`
 */
export function rockpoolTypeorm<C>(pool: Pool<C>, options: PackageOptions<C>): Pick<RockpoolTypeorm, 'driver'>
export function rockpoolTypeorm<C>(pool: Pool<C>, options?: RockpoolTypeormOptions<C>): RockpoolTypeorm
export function rockpoolTypeorm<C>(
  pool: Pool<C>,
  options: RockpoolTypeormOptions<C> = {},
): Partial<RockpoolTypeorm> {
  assertKnown(options, OPTIONS, 'rockpoolTypeorm')
  const { ownsPool = false, replicas = [], module, type } = options
  assertOption('ownsPool', ownsPool, aBoolean)
  const spoken = spokenBy(pool, type)
  if (replicas.some((replica) => spokenBy(replica, type) !== spoken))
    throw new InvalidOptionError('replicas', 'the replicas must speak what the pool speaks')
  if (replicas.length > 0 && (spoken === 'mssql' || spoken === 'oracle'))
    throw new InvalidOptionError('replicas', 'replicas are for PostgreSQL, MariaDB and MySQL')
  const nodes = [pool, ...replicas].map((one): Node => ({ pool: one as Pool<unknown>, ownsPool, module }))
  const ssl = trap(pool.name)
  const driver = PACKAGES[spoken](nodes, ssl)
  if (type !== undefined) return { driver }
  if (replicas.length === 0) return { driver, ssl }
  const credentials = nodes.map((_, index) => ({ applicationName: `${REPLICA}${index}`, ssl }))
  const [master, ...slaves] = credentials as [Credentials, ...Credentials[]]
  return { driver, ssl, replication: { master, slaves } }
}

/** @throws InvalidOptionError */
function spokenBy(pool: Pool<never> | Pool<unknown>, type: unknown): keyof typeof PACKAGES {
  if (type === 'mssql' || type === 'oracle') return type
  if (type !== undefined)
    throw new InvalidOptionError(
      'type',
      `option "type" is ${show(type)}: it must be "mssql" or "oracle", or left out`,
    )
  const dialect = dialectOf(pool as SqlPool<unknown>, 'rockpoolTypeorm')
  if (dialect === 'sqlite') throw new InvalidOptionError('pool', NO_SQLITE)
  return dialect
}
