import { aBoolean, assertKnown, assertOption } from '../../contract/check.ts'
import { InvalidOptionError, PoolBypassedError } from '../../contract/errors.ts'
import type { SqlPool } from '../../contract/sql.ts'
import { dialectOf } from '../pool-dialect.ts'
import { adapterClass, type Kind, kindOf, type Maker, type PrismaAdapterClass } from './adapter-class.ts'
import { PrismaMariadbPool } from './mariadb-shape.ts'
import { PrismaPgPool } from './pg-shape.ts'

/** Options of `rockpoolPrisma`. */
export interface RockpoolPrismaOptions {
  /** `prisma.$disconnect()` closes the pool. Default false: it lets go of the pool, which others may use. */
  ownsPool?: boolean
  /**
   * `PrismaPg` or `PrismaMariaDb`, where its package cannot be found: in a bundle, or under Jest. Default: that of the
   * installed package.
   */
  adapter?: PrismaAdapterClass
  /** For Prisma's own adapter: `schema`, `statementNameGenerator`, `userDefinedTypeParser`, `database`, `useTextProtocol`. */
  adapterOptions?: object
}

/** What `new PrismaClient({ adapter })` takes. */
export interface PrismaAdapterFactory {
  readonly provider: 'postgres' | 'mysql'
  readonly adapterName: string
  /** Prisma calls it at its first query. What comes of it is Prisma's own, whose types need not be installed here. */
  connect(): Promise<never>
}

/**
 * Prisma on a pool: `new PrismaClient({ adapter: rockpoolPrisma(pool) })`. The pool is one of the `pg` driver, or of the
 * `mariadb` driver.
 * @throws InvalidOptionError for what is no such pool; DriverMissingError where Prisma's adapter is not installed. The first
 * query throws PoolBypassedError should the adapter have opened a pool of its own
 */
export function rockpoolPrisma<C>(
  pool: SqlPool<C>,
  options: RockpoolPrismaOptions = {},
): PrismaAdapterFactory {
  assertKnown(options, ['ownsPool', 'adapter', 'adapterOptions'], 'rockpoolPrisma')
  const { ownsPool = false, adapter, adapterOptions = {} } = options
  assertOption('ownsPool', ownsPool, aBoolean)
  if ('disposeExternalPool' in adapterOptions)
    throw new InvalidOptionError('adapterOptions', 'say "ownsPool" instead of "disposeExternalPool"')
  const kind = kindOf(dialectOf(pool, 'rockpoolPrisma'))
  const Adapter = adapterClass(kind, adapter)
  return new Factory({ kind, Adapter, pool, ownsPool, adapterOptions })
}

interface Parts {
  readonly kind: Kind
  readonly Adapter: ReturnType<typeof adapterClass>
  readonly pool: SqlPool<unknown>
  readonly ownsPool: boolean
  readonly adapterOptions: object
}

const SHAPES = { postgres: PrismaPgPool, mysql: PrismaMariadbPool }

class Factory implements PrismaAdapterFactory {
  readonly provider: 'postgres' | 'mysql'
  readonly adapterName: string
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.provider = parts.kind.provider
    this.adapterName = parts.kind.package
    this.#parts = parts
  }

  /** A shape for each time that the client connects: after `$disconnect()` it may do so again. */
  async connect(): Promise<never> {
    const { pool, kind, ownsPool } = this.#parts
    const shape = new SHAPES[kind.provider](pool, ownsPool)
    const adapter = await this.#makeAround(shape).connect()
    if (adapter.underlyingDriver?.() === shape) return adapter as never
    await adapter.dispose()
    throw new PoolBypassedError(
      pool.name,
      'Prisma',
      `this version of ${kind.package} has opened a pool of its own`,
    )
  }

  #makeAround(shape: PrismaPgPool | PrismaMariadbPool): Maker {
    const { Adapter, adapterOptions } = this.#parts
    // An end of the shape lets go of the pool, unless it is owned.
    const maker = new Adapter(shape, { ...adapterOptions, disposeExternalPool: true })
    // What is no instance of its own copy of `pg.Pool` it has taken for a config.
    if ('externalPool' in maker) maker.externalPool = shape
    return maker
  }
}
