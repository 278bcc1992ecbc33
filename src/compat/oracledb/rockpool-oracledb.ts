import type { ConnectionAttributes, ResultCallback } from 'oracledb'
import type { Pool } from '../../contract/pool.ts'
import { createResourcePool } from '../../pool/create-resource-pool.ts'
import { oncePer } from '../once-per.ts'
import { StandingQueue } from '../standing-queue.ts'
import {
  assertLendable,
  connectionAttributes,
  type OraclePoolAttributes,
  rockpoolOptions,
  settled,
} from './attributes.ts'
import type { Callback, Lend } from './callback.ts'
import { calledBack } from './checkout.ts'
import { Closing } from './closing.ts'
import { OracleDriver } from './driver.ts'
import { OraclePoolError } from './errors.ts'
import { Lender } from './lender.ts'
import { OraclePool } from './oracle-pool.ts'
import { type OracleConnection, type OraclePackage, packageOf } from './package.ts'

const DEFAULT_ALIAS = 'default'

/** The package `oracledb` with other pools. */
export type RockpoolOracledb = Omit<OraclePackage, 'createPool' | 'getPool' | 'getConnection' | 'Pool'> & {
  readonly Pool: typeof OraclePool
  createPool(attributes: OraclePoolAttributes): Promise<OraclePool>
  createPool(attributes: OraclePoolAttributes, callback: Callback<OraclePool>): void
  createPool(attributes: OraclePoolAttributes, callback: ResultCallback<OraclePool>): void
  getPool(alias?: string): OraclePool
  readonly getConnection: Lend<string | ConnectionAttributes> & OraclePackage['getConnection']
}

type Package = ReturnType<typeof packageOf>

/** The pools of one copy of the package, by alias. */
class Aliases {
  readonly #oracledb: Package
  readonly #pools = new Map<string, OraclePool>()

  constructor(oracledb: Package) {
    this.#oracledb = oracledb
  }

  async create(given: OraclePoolAttributes): Promise<OraclePool> {
    const oracledb = this.#oracledb
    const settings = settled(given, oracledb)
    assertLendable(given)
    const poolAlias = given.poolAlias ?? (this.#pools.has(DEFAULT_ALIAS) ? undefined : DEFAULT_ALIAS)
    if (poolAlias !== undefined && this.#pools.has(poolAlias))
      throw new OraclePoolError('NJS-046', `: ${poolAlias}`)
    const single = connectionAttributes(given)
    const queue = new StandingQueue()
    const driver = new OracleDriver((change) => {
      const attributes: object = { ...single, ...change }
      return queue.telling(pool, () => oracledb.getConnection(attributes))
    })
    const pool: Pool<OracleConnection> = createResourcePool<OracleConnection>(driver, {
      ...rockpoolOptions(settings),
      ...given.rockpool,
    })
    const closing = new Closing(pool, true, () => poolAlias !== undefined && this.#pools.delete(poolAlias))
    const { sessionCallback } = given
    const { queueMax } = settings
    const lender = new Lender({ pool, driver, closing, queue, queueMax, sessionCallback, defaults: oracledb })
    const attributes = poolAlias === undefined ? given : { ...given, poolAlias }
    const made = new OraclePool({ pool, lender, closing, attributes, settings, package: oracledb })
    if (poolAlias !== undefined) this.#pools.set(poolAlias, made)
    return made
  }

  find(alias: string = DEFAULT_ALIAS): OraclePool {
    const found = this.#pools.get(alias)
    if (found === undefined) throw new OraclePoolError('NJS-047', `: ${alias}`)
    return found
  }

  async connection(wanted: string | object | undefined): Promise<OracleConnection> {
    if (wanted === undefined || typeof wanted === 'string') return this.find(wanted).getConnection()
    const { poolAlias } = wanted as { poolAlias?: string }
    if (poolAlias === undefined) return this.#oracledb.getConnection(wanted)
    return this.find(poolAlias).getConnection(wanted)
  }
}

/**
 * The user's oracledb, with pools of rockpool. Nothing of it is changed for others; its settings are the same ones.
 * @throws InvalidOptionError, DriverMissingError
 */
export function rockpoolOracledb(module?: unknown): RockpoolOracledb {
  return withPools(packageOf(module))
}

const withPools = oncePer((oracledb: Package): RockpoolOracledb => {
  const aliases = new Aliases(oracledb)
  const ours = {
    Pool: OraclePool,
    createPool: calledBack((given: OraclePoolAttributes) => aliases.create(given)),
    getPool: (alias?: string) => aliases.find(alias),
    getConnection: calledBack((wanted?: string | object) => aliases.connection(wanted)),
  }
  // With their accessors: `oracledb.autoCommit = true` is meant for the package.
  const whole = Object.create(Object.prototype, Object.getOwnPropertyDescriptors(oracledb))
  for (const [name, value] of Object.entries(ours)) {
    Object.defineProperty(whole, name, { value, enumerable: true, configurable: true, writable: true })
  }
  return whole
})
