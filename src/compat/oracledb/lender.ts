import { show } from '../../contract/check.ts'
import {
  AcquireTimeoutError,
  InvalidOptionError,
  PoolClosedError,
  QueueFullError,
} from '../../contract/errors.ts'
import type { Lease } from '../../contract/lease.ts'
import type { Pool as RockpoolPool } from '../../contract/pool.ts'
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
  readonly sessionCallback: OraclePoolAttributes['sessionCallback']
  readonly defaults: OracleDefaults
}

const KNOWN = ['tag', 'matchAnyTag', 'poolAlias']

/** Lends connections as oracledb's pools do, and counts what its statistics tell. */
export class Lender {
  counts = new Counts()
  readonly #parts: LenderParts
  /** Tags of sessions that the callback has prepared. */
  readonly #tags = new WeakMap<OracleConnection, string>()

  constructor(parts: LenderParts) {
    this.#parts = parts
  }

  async lend(options: object = {}): Promise<OracleConnection> {
    const { closing, driver } = this.#parts
    closing.assertOpen()
    assertLoan(options)
    this.counts.connectionRequests++
    const lease = await this.#acquire()
    driver?.lent(lease.connection)
    await this.#prepare(lease, (options as { tag?: string }).tag ?? '')
    return checkout(lease)
  }

  /** @throws InvalidOptionError where the connections are not opened here */
  setAccessToken(token: object): void {
    const { driver } = this.#parts
    if (driver !== undefined) driver.accessToken = token
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
    return settings
  }

  async #acquire(): Promise<Lease<OracleConnection>> {
    const { pool } = this.#parts
    const idle = pool.tryAcquire()
    if (idle !== undefined) return idle
    const coming = pool.acquire()
    const { waiting, leased, max } = pool.stats()
    const queues = waiting > 0 && leased >= max
    const since = Date.now()
    if (queues) this.counts.queued(waiting)
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
