import { aBoolean, assertKnown, assertOption, show } from '../../contract/check.ts'
import { InvalidOptionError, PoolBypassedError } from '../../contract/errors.ts'
import type { Pool } from '../../contract/pool.ts'
import type { SqlPool } from '../../contract/sql.ts'
import { createResourcePool } from '../../pool/create-resource-pool.ts'
import type { Host, Target } from './host.ts'
import { driverOf } from './opening.ts'
import { PgGuest } from './pg-guest.ts'
import {
  type SequelizePoolOptions,
  type Settings,
  type SharedPoolOptions,
  settingsOf,
} from './pool-options.ts'
import { type PoolOfSequelize, ReplicationOf6, ReplicationOf7 } from './replication.ts'
import { HostOf7, type Sequelize7 } from './seven.ts'
import { SharedSide } from './shared-side.ts'
import { Side } from './side.ts'
import { HostOf6, type Sequelize6 } from './six.ts'

/** What a Sequelize of any version looks like. */
export interface AnySequelize {
  authenticate(...args: never[]): PromiseLike<unknown>
  close(): PromiseLike<unknown>
}

/** The pools that a Sequelize stands on. */
export interface SequelizePools {
  /** For everything, or with replication for what writes. */
  readonly write: Pool<object>
  /** With replication, for what only reads. */
  readonly read: Pool<object> | undefined
}

const attached = new WeakMap<object, SequelizePools>()

/**
 * Puts rockpool in the place of Sequelize's pool and returns the same Sequelize: `const sequelize = rockpoolSequelize(new
 * Sequelize(url, options))`. Its `pool` options are honoured; rockpool's own go before them. Instead of options, a pool of
 * PostgreSQL that is there already (`createPool(pg(...))`) can serve Sequelize 6 along with others.
 * @throws InvalidOptionError for a Sequelize that has no pool (SQLite), is closed, or stands on rockpool already
 */
export function rockpoolSequelize<S extends AnySequelize>(sequelize: S, options?: SequelizePoolOptions): S
export function rockpoolSequelize<S extends AnySequelize, C extends object>(
  sequelize: S,
  pool: SqlPool<C>,
  options?: SharedPoolOptions,
): S
export function rockpoolSequelize<S extends AnySequelize>(
  sequelize: S,
  given: SequelizePoolOptions | SqlPool<object> = {},
  shared: SharedPoolOptions = {},
): S {
  if (attached.has(sequelize)) {
    throw new InvalidOptionError('sequelize', 'this Sequelize stands on rockpool already')
  }
  const host = hostOf(sequelize)
  const pool = isPool(given) ? around(host, given, shared) : replacing(host, given)
  takePlace(host, pool)
  attached.set(sequelize, { write: pool.write.pool, read: pool.read?.pool })
  return sequelize
}

/** The pools under a Sequelize that `rockpoolSequelize` has returned: for `stats`, events and `resize`. @throws InvalidOptionError */
export function poolsOf(sequelize: AnySequelize): SequelizePools {
  const pools = attached.get(sequelize)
  if (pools !== undefined) return pools
  throw new InvalidOptionError(
    'sequelize',
    'this Sequelize stands on its own pool: pass it through rockpoolSequelize',
  )
}

function hostOf(sequelize: object): Host {
  // Sequelize 7 throws where 6 had its connection manager.
  const { pool, dialect, hooks } = sequelize as { pool?: object; dialect?: { name: string }; hooks?: object }
  const isSeven = typeof pool === 'object' && typeof hooks === 'object'
  const host = isSeven ? new HostOf7(sequelize as Sequelize7) : hostOf6(sequelize)
  if (/^sqlite/.test(String(isSeven ? dialect?.name : host.dialect)))
    throw new InvalidOptionError('sequelize', NO_SQLITE)
  return host
}

const NO_SQLITE =
  'with SQLite Sequelize uses no pool: it keeps one connection, and one more for each transaction, of an in-process database; rockpool has nothing to take the place of'

function hostOf6(sequelize: object): Host {
  const { connectionManager } = sequelize as { connectionManager?: { pool?: object; initPools?: unknown } }
  if (typeof connectionManager?.initPools !== 'function') {
    throw new InvalidOptionError(
      'sequelize',
      `rockpoolSequelize takes a Sequelize of version 6 or 7, not ${show(sequelize)}`,
    )
  }
  return new HostOf6(sequelize as Sequelize6)
}

function isPool(given: object): given is SqlPool<object> {
  return typeof (given as Partial<SqlPool<object>>).acquire === 'function'
}

/** A pool of its own, which ends with its Sequelize. */
function replacing(host: Host, given: SequelizePoolOptions): PoolOfSequelize {
  const settings = settingsOf(host.settings, given)
  const hasReplicas = host.readers.length > 0
  const write = sideOf(host, settings, {
    kind: 'write',
    targets: [host.writer],
    suffix: hasReplicas ? ':write' : '',
  })
  const read = hasReplicas
    ? sideOf(host, settings, { kind: 'read', targets: host.readers, suffix: ':read' })
    : null
  host.limitConnects(settings.connectLimitMs)
  return host.version === '6' ? new ReplicationOf6(host, write, read) : new ReplicationOf7(host, write, read)
}

function sideOf(
  host: Host,
  { options, unreachable, connectLimitMs }: Settings,
  { kind, targets, suffix }: { kind: 'read' | 'write'; targets: readonly Target[]; suffix: string },
): Side {
  const ends = new WeakMap<object, (error: unknown) => void>()
  const driver = driverOf({ host, targets, kind, unreachable, connectLimitMs, ends })
  const pool = createResourcePool(driver, { ...options, name: `${options.name}${suffix}` })
  const { max = 0, min = 0 } = options
  const isSound = (connection: object) => host.validate(connection)
  return new Side(pool, { max, min, validate: host.settings.validate, isSound, ends })
}

/** A pool that others use too. */
function around(host: Host, pool: SqlPool<object>, options: SharedPoolOptions): PoolOfSequelize {
  const { ownsPool = false } = options
  assertKnown(options, ['ownsPool'], 'a shared pool of Sequelize')
  assertOption('ownsPool', ownsPool, aBoolean)
  if (
    !(host instanceof HostOf6) ||
    host.dialect !== 'postgres' ||
    pool.dialect !== 'postgres' ||
    host.isNative
  ) {
    throw new InvalidOptionError(
      'pool',
      'a pool can be shared with Sequelize 6 on PostgreSQL by the package "pg", and the pool must be one of pg; pass options instead, for a pool of its own',
    )
  }
  if (host.readers.length > 0) {
    throw new InvalidOptionError('pool', 'with replication Sequelize needs two pools: pass options instead')
  }
  const guest = new PgGuest(host)
  const side = new SharedSide(pool, { introduce: (connection) => guest.introduce(connection), ownsPool })
  return new ReplicationOf6(host, side, null)
}

/** Whatever would put another pool there again fails, rather than going past this one in silence. */
function takePlace(host: Host, pool: PoolOfSequelize): void {
  const orm = `Sequelize ${host.version}`
  const refuse = (facts: string): never => {
    throw new PoolBypassedError(pool.write.name, orm, facts)
  }
  Object.defineProperty(host.owner, 'pool', {
    configurable: true,
    enumerable: true,
    get: () => pool,
    set: () =>
      refuse('its pool was about to be replaced. Call rockpoolSequelize after everything that makes pools'),
  })
  host.onNextAcquire((connection) => {
    if (!pool.lends(connection)) {
      refuse(
        'it got a connection from elsewhere. Call rockpoolSequelize on the instance that runs the statements',
      )
    }
  })
}
