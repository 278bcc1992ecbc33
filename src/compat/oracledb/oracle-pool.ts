import { EventEmitter } from 'node:events'
import type { GetPooledConnectionOptions, Pool, PoolAttributes, Statistics } from 'oracledb'
import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import { type OraclePoolAttributes, present, type Settled } from './attributes.ts'
import type { Change, Lend } from './callback.ts'
import { calledBack } from './checkout.ts'
import type { Closing } from './closing.ts'
import { OraclePoolError } from './errors.ts'
import type { Lender } from './lender.ts'
import type { OracleConnection, OracleDefaults } from './package.ts'
import { Counts, OraclePoolStatistics } from './statistics.ts'

export interface OraclePoolParts {
  readonly pool: RockpoolPool<OracleConnection>
  readonly lender: Lender
  readonly closing: Closing
  readonly attributes: OraclePoolAttributes
  readonly settings: Settled
  readonly package: OracleDefaults
}

/** What of a pool can be changed while it runs. */
export interface Reconfiguration extends PoolAttributes {
  resetStatistics?: boolean | undefined
}

/** A pool as oracledb's `createPool` gives it, with rockpool behind. */
export class OraclePool extends EventEmitter implements Pool {
  /** The pool behind it: its `stats()`, `on` and `resize`. */
  readonly pool: RockpoolPool<OracleConnection>
  readonly #parts: OraclePoolParts
  readonly #createdAt = Date.now()
  #settings: Settled

  constructor(parts: OraclePoolParts) {
    super()
    this.#parts = parts
    this.#settings = parts.settings
    this.pool = parts.pool
  }

  /** Borrows a connection, whose `close` gives it back. */
  readonly getConnection = calledBack((options?: object) =>
    this.#parts.lender.lend(options),
  ) as Lend<GetPooledConnectionOptions> & Pool['getConnection']
  /** Without `drainTime` it fails while connections are out; with it, that many seconds are waited for them. */
  readonly close = calledBack((drainTime?: number) => this.#parts.closing.close(drainTime)) as Pool['close']
  readonly terminate = this.close
  readonly reconfigure = calledBack((change: Reconfiguration) =>
    this.#reconfigure(change),
  ) as Change<Reconfiguration>
  /** The token that connections are opened with from now on. */
  readonly setAccessToken = calledBack(async (token: object) => {
    this.#parts.lender.setAccessToken(token)
  }) as Change<object>

  get connectionsInUse(): number {
    return this.pool.stats().leased
  }

  get connectionsOpen(): number {
    const { total, connecting, closing } = this.pool.stats()
    return total - connecting - closing
  }

  get status(): number {
    const { closing, package: oracledb } = this.#parts
    if (closing.state === 'open') return oracledb.POOL_STATUS_OPEN
    return closing.state === 'draining' ? oracledb.POOL_STATUS_DRAINING : oracledb.POOL_STATUS_CLOSED
  }

  get connectString(): string | undefined {
    const { connectString, connectionString } = this.#parts.attributes
    return connectString ?? connectionString
  }

  get user(): string | undefined {
    return this.#parts.attributes.user
  }

  get edition(): string | undefined {
    return this.#parts.attributes.edition
  }

  get events(): boolean {
    return this.#parts.attributes.events ?? false
  }

  get externalAuth(): boolean {
    return this.#parts.attributes.externalAuth ?? false
  }

  get homogeneous(): boolean {
    return true
  }

  get poolAlias(): string | undefined {
    return this.#parts.attributes.poolAlias
  }

  get sessionCallback(): OraclePoolAttributes['sessionCallback'] {
    return this.#parts.attributes.sessionCallback
  }

  get sodaMetaDataCache(): boolean {
    return this.#parts.attributes.sodaMetaDataCache ?? false
  }

  get thin(): boolean {
    return this.#parts.package.thin ?? true
  }

  get poolMax(): number {
    return this.#settings.poolMax
  }

  get poolMaxPerShard(): number {
    return this.#parts.attributes.poolMaxPerShard ?? 0
  }

  get poolMin(): number {
    return this.#settings.poolMin
  }

  get poolIncrement(): number {
    return this.#settings.poolIncrement
  }

  get poolTimeout(): number {
    return this.#settings.poolTimeout
  }

  get poolPingInterval(): number {
    return this.#settings.poolPingInterval
  }

  get poolPingTimeout(): number {
    return this.#settings.poolPingTimeout
  }

  get maxLifetimeSession(): number {
    return this.#settings.maxLifetimeSession
  }

  get queueMax(): number {
    return this.#settings.queueMax
  }

  get queueTimeout(): number {
    return this.#settings.queueTimeout
  }

  get stmtCacheSize(): number {
    return this.#settings.stmtCacheSize
  }

  get enableStatistics(): boolean {
    return this.#settings.enableStatistics
  }

  /** null while `enableStatistics` is off; the type is oracledb's, which does not say so. */
  getStatistics(): OraclePoolStatistics & Statistics {
    return this.#statistics() as OraclePoolStatistics & Statistics
  }

  logStatistics(): void {
    const statistics = this.#statistics()
    if (statistics === null) throw new OraclePoolError('NJS-083')
    statistics.logStatistics()
  }

  _logStats(): void {
    this.logStatistics()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #statistics(): OraclePoolStatistics | null {
    this.#parts.closing.assertOpen()
    if (!this.enableStatistics) return null
    return new OraclePoolStatistics(this, this.#parts.lender.counts, this.#createdAt)
  }

  async #reconfigure(change: Reconfiguration): Promise<void> {
    this.#parts.closing.assertOpen()
    const { resetStatistics, ...wanted } = change
    this.#settings = this.#parts.lender.reconfigure({ ...this.#settings, ...present(wanted) })
    const switchedOn = wanted.enableStatistics === true
    if (resetStatistics === true || switchedOn) this.#parts.lender.counts = new Counts()
  }
}
