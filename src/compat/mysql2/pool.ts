import { EventEmitter } from 'node:events'
import type { Connection, Pool, PoolConnection } from 'mysql2'
import { dispose } from '../../contract/dispose.ts'
import { ConnectError, InvalidOptionError, PoolClosedError, QueueFullError } from '../../contract/errors.ts'
import type { Lease } from '../../contract/lease.ts'
import type { Pool as Rockpool } from '../../contract/pool.ts'
import { oncePer } from '../once-per.ts'
import type { StandingQueue } from '../standing-queue.ts'
import type { Traces } from '../traces.ts'
import { executeOnce, type LendCallback } from './execute.ts'
import { graft } from './graft.ts'
import { type CoreConnection, coreOf, type Mysql2Package, type PoolConfig } from './package.ts'
import { type Lender, type Loan, poolConnectionOf } from './pool-connection.ts'

interface PoolParts {
  readonly mysql2: Mysql2Package
  readonly pool: Rockpool<unknown>
  readonly config: PoolConfig
  /** `end` closes the pool as well. */
  readonly ownsPool: boolean
  /** Those who wait for a connection through this pool. */
  readonly queue: StandingQueue
}

/** The class of the pools, for this copy of mysql2: `query`, `promise` and `format` are that copy's own. */
export const poolOf = oncePer((mysql2: Mysql2Package) => {
  const Class = graft(Borrowing, mysql2.Pool.prototype as object)
  Object.defineProperty(Class, 'name', { value: 'Pool' })
  return Class as unknown as new (
    parts: PoolParts,
  ) => Pool
})

const behind = new WeakMap<object, Rockpool<unknown>>()

/** The pool of ours behind a pool of this shape, or behind its promises. @throws InvalidOptionError */
export function rockpoolOf(pool: object): Rockpool<Connection> {
  const found = behind.get(pool) ?? behind.get((pool as { pool?: object }).pool ?? pool)
  if (found !== undefined) return found as Rockpool<Connection>
  throw new InvalidOptionError('pool', 'rockpoolOf takes a pool that rockpool/compat/mysql2 has made')
}

class Borrowing extends EventEmitter implements Lender {
  readonly config: PoolConfig
  _closed = false
  readonly #parts: PoolParts
  readonly #Connection: ReturnType<typeof poolConnectionOf>
  /** Those that `connection` has been told of. */
  readonly #known = new WeakSet<CoreConnection>()

  constructor(parts: PoolParts) {
    super()
    this.config = parts.config
    this.#parts = parts
    behind.set(this, parts.pool)
    this.#Connection = poolConnectionOf(parts.mysql2)
  }

  /** Those who measure mysql2's pools read the lengths of these; there is nothing else in them. */
  get _allConnections(): { readonly length: number } {
    const { total, closing } = this.#parts.pool.stats()
    return { length: total - closing }
  }

  get _freeConnections(): { readonly length: number } {
    return { length: this.#parts.pool.stats().idle }
  }

  get _connectionQueue(): { readonly length: number } {
    return { length: this.#parts.pool.stats().waiting }
  }

  getConnection(callback: LendCallback): void {
    try {
      if (this._closed) throw new PoolClosedError(this.#parts.pool.name)
      const lease = this.#parts.pool.tryAcquire()
      if (lease === undefined) this.#wait(callback)
      else this.#handOver(lease, callback)
    } catch (error) {
      process.nextTick(callback, this.#told(error))
    }
  }

  releaseConnection(connection: { release(): void }): void {
    connection.release()
  }

  /** mysql2's own needs a callback, and would break the connection without one. */
  execute(...given: unknown[]): void {
    executeOnce((callback) => this.getConnection(callback), given)
  }

  end(callback?: (error?: Error | null) => unknown): void {
    const { pool, ownsPool, queue } = this.#parts
    this._closed = true
    queue.refuseAll(new PoolClosedError(pool.name))
    void (ownsPool ? pool.close() : Promise.resolve()).then(() => {
      if (typeof callback === 'function') process.nextTick(callback)
    })
  }

  giveBack(connection: PoolConnection, loan: Loan, traces: Traces): void {
    // Those who prepare a session in `connection` prepare it again.
    if (traces.giveBack(loan.lease)) this.#known.delete(loan.core)
    this.emit('release', connection)
  }

  destroy({ lease }: Loan): void {
    lease.destroy()
  }

  #wait(callback: LendCallback): void {
    const { pool, queue } = this.#parts
    if (this.listenerCount('enqueue') > 0 && this.#isExhausted()) this.emit('enqueue')
    queue.acquire(pool, {
      use: (lease) => this.#handOver(lease, callback),
      fail: (error) => process.nextTick(callback, this.#told(error)),
    })
  }

  /** On a tick of its own: what the callback throws is not for us to catch. */
  #handOver(lease: Lease<unknown>, callback: LendCallback): void {
    try {
      process.nextTick(callback, null, this.#lend(lease))
    } catch (error) {
      process.nextTick(callback, this.#told(error))
    }
  }

  #lend(lease: Lease<unknown>): PoolConnection {
    try {
      const core = coreOf(lease.connection, this.#parts.mysql2)
      if (!this.#known.has(core)) {
        this.#known.add(core)
        this.emit('connection', core)
      }
      const connection = new this.#Connection({ lease, core, lender: this })
      this.emit('acquire', connection)
      return connection
    } catch (error) {
      // Also what a listener has thrown.
      lease[dispose]()
      throw error
    }
  }

  #isExhausted(): boolean {
    const { total, idle, max } = this.#parts.pool.stats()
    return idle === 0 && total >= max
  }

  /** Errors as mysql2 words them. */
  #told(error: unknown): unknown {
    // The server's own, by whose code programs tell what is wrong.
    if (error instanceof ConnectError) return error.cause ?? error
    if (error instanceof PoolClosedError) return worded('Pool is closed.', error)
    if (!(error instanceof QueueFullError)) return error
    return worded(
      this.config.waitForConnections ? 'Queue limit reached.' : 'No connections available.',
      error,
    )
  }
}

function worded(message: string, cause: PoolClosedError | QueueFullError): Error {
  return Object.assign(new Error(message, { cause }), { code: cause.code })
}
