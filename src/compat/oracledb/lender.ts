import { show } from '../../contract/check.ts'
import {
  AcquireTimeoutError,
  ConnectError,
  InvalidOptionError,
  PoolClosedError,
  QueueFullError,
} from '../../contract/errors.ts'
import type { Lease } from '../../contract/lease.ts'
import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import { isHeld } from '../borrower.ts'
import type { StandingQueue } from '../standing-queue.ts'
import { changeableOptions, type OraclePoolAttributes, type Settled, settled } from './attributes.ts'
import { checkout } from './checkout.ts'
import type { Closing } from './closing.ts'
import type { OracleDriver } from './driver.ts'
import { OraclePoolError } from './errors.ts'
import type { OracleConnection, OracleDefaults } from './package.ts'
import { Counts } from './statistics.ts'

export interface LenderParts {
  readonly pool: RockpoolPool<OracleConnection>
  readonly driver: OracleDriver | undefined
  readonly closing: Closing
  /** Those who wait for a connection. */
  readonly queue: StandingQueue
  /** How many may wait; below 0 there is no limit. */
  readonly queueMax: number
  readonly sessionCallback: OraclePoolAttributes['sessionCallback']
  readonly defaults: OracleDefaults
}

const KNOWN = ['tag', 'matchAnyTag', 'poolAlias']

/** Lends connections as oracledb's pools do, and counts what its statistics tell. */
export class Lender {
  counts = new Counts()
  readonly #parts: LenderParts
  #queueMax: number
  /** Tags of sessions that the callback has prepared. */
  readonly #tags = new WeakMap<OracleConnection, string>()

  constructor(parts: LenderParts) {
    this.#parts = parts
    this.#queueMax = parts.queueMax
  }

  async lend(options: object = {}): Promise<OracleConnection> {
    this.#parts.closing.assertOpen()
    assertLoan(options)
    this.counts.connectionRequests++
    const lease = await this.#acquire()
    await this.#prepare(lease, (options as { tag?: string }).tag ?? '')
    return checkout(lease)
  }

  /** @throws InvalidOptionError where the connections are not opened here */
  setAccessToken(token: object): void {
    const { driver } = this.#parts
    if (driver !== undefined) driver.change({ accessToken: token })
    else
      throw new InvalidOptionError(
        'token',
        'setAccessToken: the connections of this pool are opened elsewhere',
      )
  }

  /** Changes the pool while it runs: all of it or, when something is refused, nothing. */
  reconfigure(wanted: Settled): Settled {
    const settings = settled(wanted, this.#parts.defaults)
    this.#parts.pool.resize(changeableOptions(settings))
    const { driver } = this.#parts
    if (driver !== undefined) {
      driver.change({ stmtCacheSize: settings.stmtCacheSize })
      this.#queueMax = settings.queueMax
    }
    return settings
  }

  async #acquire(): Promise<Lease<OracleConnection>> {
    for (;;) {
      const lease = this.#parts.pool.tryAcquire() ?? (await this.#wait())
      if (isHeld(lease) && lease.connection.isHealthy()) return lease
      lease.destroy(new Error('its server has ended it'))
    }
  }

  async #wait(): Promise<Lease<OracleConnection>> {
    const { pool, queue } = this.#parts
    const { waiting, leased, max } = pool.stats()
    const queues = leased >= max
    if (queues && this.#queueMax >= 0 && waiting >= this.#queueMax) {
      this.counts.rejectedRequests++
      throw new OraclePoolError('NJS-076', `: ${waiting} wait already`)
    }
    const coming = pool.acquire({ signal: queue.signal })
    const since = Date.now()
    if (queues) this.counts.queued(pool.stats().waiting)
    try {
      return await coming
    } catch (error) {
      throw this.#translated(error)
    } finally {
      if (queues) this.counts.dequeued(Date.now() - since)
    }
  }

  /** A session that is new, or was prepared for another tag, goes through the user's callback first. */
  async #prepare(lease: Lease<OracleConnection>, tag: string): Promise<void> {
    const { sessionCallback } = this.#parts
    if (typeof sessionCallback !== 'function') return
    const { connection } = lease
    if (this.#tags.get(connection) === tag) return
    try {
      await new Promise<void>((resolve, reject) => {
        sessionCallback(connection as never, tag, (error) => (error ? reject(error) : resolve()))
      })
      this.#tags.set(connection, tag)
    } catch (error) {
      lease.destroy(error)
      throw error
    }
  }

  #translated(error: unknown): unknown {
    if (error instanceof AcquireTimeoutError) {
      this.counts.requestTimeouts++
      return new OraclePoolError('NJS-040', `: ${error.message}`, { cause: error })
    }
    if (error instanceof QueueFullError) {
      this.counts.rejectedRequests++
      return new OraclePoolError('NJS-076', `: ${error.message}`, { cause: error })
    }
    this.counts.failedRequests++
    if (error instanceof ConnectError) return error.cause ?? error
    return error instanceof PoolClosedError ? new OraclePoolError('NJS-065', '', { cause: error }) : error
  }
}

/** @throws InvalidOptionError */
function assertLoan(options: object): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError('options', `getConnection takes an object, not ${show(options)}`)
  }
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name))
  if (unknown === undefined) return
  throw new InvalidOptionError(
    unknown,
    `getConnection: all connections of this pool are alike; "${unknown}" is for the pool of oracledb itself`,
  )
}
