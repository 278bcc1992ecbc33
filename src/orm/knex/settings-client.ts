import type { Knex } from 'knex'
import { Pool, type PoolOptions as TarnOptions } from '../../compat/tarn/index.ts'
import { aFunction, assertKnown, assertOption } from '../../contract/check.ts'
import type { PoolOptions } from '../../contract/options.ts'
import type { KnexClientClass, Marked } from './client.ts'
import { type KnexModule, KnexPackage } from './module.ts'

/** Options of `rockpoolClient`. */
export interface RockpoolClientOptions {
  /** The `knex` package, where it cannot be found: in a bundle. Default: the one that is installed. */
  knex?: KnexModule
  /** Options of rockpool's own, over those that follow from `pool` in Knex's config: `maxLifetimeMs`, `leakThresholdMs`. */
  pool?: PoolOptions<unknown>
}

/**
 * A client of Knex that opens its connections from Knex's own settings, and pools them with rockpool:
 * `knex({ client: rockpoolClient('pg'), connection, pool })`. For every dialect, SQL Server and Oracle included.
 * @throws InvalidOptionError; DriverMissingError where `knex` is not installed
 */
export function rockpoolClient(
  client: NonNullable<Knex.Config['client']>,
  options: RockpoolClientOptions = {},
): typeof Knex.Client {
  assertKnown(options, ['knex', 'pool'], 'rockpoolClient')
  const knex = new KnexPackage(options.knex)
  return withPool(knex.dialect(client), knex, options.pool) as unknown as typeof Knex.Client
}

function withPool(
  Dialect: KnexClientClass,
  knex: KnexPackage,
  rockpool: PoolOptions<unknown> = {},
): KnexClientClass {
  return class SettingsClient extends Dialect {
    override initializePool(config: Knex.Config = this.config): void {
      if (config.connectionPool !== undefined) {
        super.initializePool(config)
        return
      }
      const settings = this.getPoolSettings(config.pool) as unknown as TarnOptions<Marked>
      assertOption('create', settings.create, aFunction)
      this.pool = new Pool<Marked>({ ...settings, onLost, rockpool: { name: 'knex', ...rockpool } as never })
      this._ownsPool = true
    }

    override async acquireConnection(): Promise<Marked> {
      try {
        return await super.acquireConnection()
      } catch (error) {
        throw knex.timeoutOf(error)
      }
    }
  }
}

interface Emitter {
  on?(event: string, listener: (error?: unknown) => void): unknown
}

/** Drivers tell the end of a connection by events; also one that nobody waits for, which would end the process. */
function onLost(connection: object, lost: (error: unknown) => void): void {
  const { on } = connection as Emitter
  if (typeof on !== 'function') return
  on.call(connection, 'error', lost)
  on.call(connection, 'end', (error) => lost(error ?? new Error('Connection ended unexpectedly')))
}
