import { EventEmitter } from 'node:events'
import type { Connection, Pool, PoolConnection, QueryOptions, SqlImportOptions } from 'mariadb'
import { asyncDispose, dispose } from '../../contract/dispose.ts'
import {
  AcquireTimeoutError,
  ConnectError,
  InvalidOptionError,
  PoolClosedError,
} from '../../contract/errors.ts'
import type { Lease } from '../../contract/lease.ts'
import type { Pool as Rockpool } from '../../contract/pool.ts'
import { assertPool } from '../existing-pool.ts'
import { StandingQueue } from '../standing-queue.ts'
import { Checkout } from './checkout.ts'

/** Options of `mariadbPool`. */
export interface MariadbPoolOptions {
  /** `end` also closes the pool. Default false: it lets go of it, and the pool stays open for others. */
  ownsPool?: boolean | undefined
}

/**
 * A pool of the `mariadb` package's shape around one of ours, which has the mariadb driver: for those who are given such a
 * pool, as Prisma's adapter is.
 * @throws InvalidOptionError
 */
export function mariadbPool(
  pool: Rockpool<never> | Rockpool<unknown>,
  options: MariadbPoolOptions = {},
): Pool {
  assertPool(pool, 'mariadbPool', 'createPool(mariadb(...))')
  return new MariadbPool(
    pool as unknown as Rockpool<Connection>,
    options.ownsPool ?? false,
  ) as unknown as Pool
}

type Sql = string | QueryOptions

class MariadbPool extends EventEmitter {
  closed = false
  readonly #pool: Rockpool<Connection>
  readonly #ownsPool: boolean
  readonly #queue = new StandingQueue()
  /** Those that `connection` has been told of; and one that can answer questions which need no server. */
  readonly #known = new WeakSet<Connection>()
  #last: Connection | undefined = undefined

  constructor(pool: Rockpool<Connection>, ownsPool: boolean) {
    super()
    this.#pool = pool
    this.#ownsPool = ownsPool
  }

  async getConnection(): Promise<PoolConnection> {
    const lease = await this.#acquire()
    try {
      const { connection } = lease
      this.#greet(connection)
      const { handle } = new Checkout(lease, (isRenewed) => {
        // Those who prepare a session in `connection` prepare it again.
        if (isRenewed) this.#known.delete(connection)
        this.emit('release', connection)
      })
      this.emit('acquire', handle)
      return handle
    } catch (error) {
      lease[dispose]()
      throw error
    }
  }

  query(sql: Sql, values?: unknown): Promise<unknown> {
    return this.#with((connection) => connection.query(sql, values))
  }

  execute(sql: Sql, values?: unknown): Promise<unknown> {
    return this.#with((connection) => connection.execute(sql, values))
  }

  batch(sql: Sql, values?: unknown): Promise<unknown> {
    return this.#with((connection) => connection.batch(sql, values))
  }

  importFile(options: SqlImportOptions): Promise<void> {
    return this.#with((connection) => connection.importFile(options))
  }

  async end(): Promise<void> {
    this.closed = true
    this.#queue.refuseAll(alreadyClosed(new PoolClosedError(this.#pool.name)))
    if (this.#ownsPool) await this.#pool.close()
  }

  [asyncDispose](): Promise<void> {
    return this.end()
  }

  totalConnections(): number {
    const { total, closing } = this.#pool.stats()
    return total - closing
  }

  activeConnections(): number {
    return this.#pool.stats().leased
  }

  idleConnections(): number {
    return this.#pool.stats().idle
  }

  taskQueueSize(): number {
    return this.#pool.stats().waiting
  }

  escape(value: unknown): string {
    return this.#anyConnection().escape(value)
  }

  escapeId(identifier: string): string {
    return this.#anyConnection().escapeId(identifier)
  }

  async #acquire() {
    if (this.closed) throw alreadyClosed(new PoolClosedError(this.#pool.name))
    try {
      const lease = this.#pool.tryAcquire()
      if (lease !== undefined) return lease
      if (this.listenerCount('enqueue') > 0) this.emit('enqueue')
      return await new Promise<Lease<Connection>>((use, fail) => {
        this.#queue.acquire(this.#pool, { use, fail })
      })
    } catch (error) {
      throw inWordsOfMariadb(error)
    }
  }

  async #with<T>(run: (connection: PoolConnection) => Promise<T>): Promise<T> {
    const connection = await this.getConnection()
    try {
      return await run(connection)
    } finally {
      void connection.release()
    }
  }

  #greet(connection: Connection): void {
    if (this.#known.has(connection)) return
    if (typeof connection.escapeId !== 'function' || typeof connection.batch !== 'function')
      throw new InvalidOptionError('pool', "the pool's connections are not the mariadb package's")
    this.#known.add(connection)
    this.#last = connection
    this.emit('connection', connection)
  }

  #anyConnection(): Connection {
    if (this.#last === undefined)
      throw new Error('escape needs to have seen a connection: use it after the first one was borrowed')
    return this.#last
  }
}

/** The codes by which programs tell what is wrong; what the pool knows about it is the `cause`. */
function inWordsOfMariadb(error: unknown): unknown {
  if (error instanceof PoolClosedError) return alreadyClosed(error)
  if (error instanceof ConnectError) return error.cause ?? error
  if (!(error instanceof AcquireTimeoutError)) return error
  return coded(error.message, { code: 'ER_GET_CONNECTION_TIMEOUT', errno: 45_028, cause: error })
}

function alreadyClosed(cause: PoolClosedError): Error {
  return coded('pool is closed', { code: 'ER_POOL_ALREADY_CLOSED', errno: 45_027, cause })
}

function coded(message: string, { cause, ...facts }: { code: string; errno: number; cause: Error }): Error {
  return Object.assign(new Error(message, { cause }), facts)
}
