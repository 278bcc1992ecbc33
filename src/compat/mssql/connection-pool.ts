import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import { oncePer } from '../once-per.ts'
import { type TarnShape, TimeoutError } from '../tarn/index.ts'
import { innerPoolOf, used } from './inner-pool.ts'
import type {
  MssqlPackage,
  OriginalConnectionPool,
  OriginalConnectionPoolClass,
  TediousConnection,
} from './package.ts'

/** What mssql calls READ COMMITTED: what a session has after its login. */
const READ_COMMITTED = 2

/** The class, with what it has beyond the original. */
export interface RockpoolConnectionPool extends OriginalConnectionPool {
  /** The pool behind it, once it is connected: its `stats()`, `on` and `resize`. */
  readonly rockpool: RockpoolPool<TediousConnection> | undefined
  /** Stands around this pool from now on, and makes none of its own. */
  standAround(inner: TarnShape<TediousConnection>): void
}

export type RockpoolConnectionPoolClass = Omit<typeof import('mssql').ConnectionPool, 'prototype'> &
  (new (
    ...args: ConstructorParameters<OriginalConnectionPoolClass>
  ) => RockpoolConnectionPool & import('mssql').ConnectionPool) & {
    readonly prototype: RockpoolConnectionPool
  }

/** The one subclass of this package's ConnectionPool. */
export const connectionPoolOf = oncePer((mssql: MssqlPackage) =>
  extend(mssql.ConnectionPool as unknown as OriginalConnectionPoolClass),
)

/** What ours know of themselves. Not in fields: those of `mssql.connect()` are made by the original's constructor. */
const inners = new WeakMap<object, TarnShape<TediousConnection>>()
/** Connections whose next owner would not find the isolation level that he expects. */
const changed = new WeakSet<TediousConnection>()

function extend(Original: OriginalConnectionPoolClass): RockpoolConnectionPoolClass {
  class ConnectionPool extends (Original as new (...args: never[]) => OriginalConnectionPool) {
    constructor(...args: ConstructorParameters<OriginalConnectionPoolClass>) {
      super(...(args as unknown as never[]))
      notToBeMissed(this)
    }

    /** Whenever the original puts a pool of tarn's here, ours takes its place. */
    get pool(): TarnShape<TediousConnection> | null {
      return inners.get(this) ?? null
    }

    set pool(given: object | null) {
      if (given === null) inners.delete(this)
      else if (!inners.has(this)) inners.set(this, innerPoolOf(this))
    }

    get rockpool(): RockpoolPool<TediousConnection> | undefined {
      return inners.get(this)?.pool
    }

    standAround(inner: TarnShape<TediousConnection>): void {
      inners.set(this, inner)
      this._connected = true
      this._healthy = true
    }

    override async _acquire(): Promise<TediousConnection> {
      try {
        return await super._acquire()
      } catch (error) {
        if (error instanceof TimeoutError) {
          error.message = `Failed to acquire a connection from the pool: ${error.message}`
        }
        throw error
      }
    }

    override acquire(requester: unknown, callback?: unknown): unknown {
      const { isolationLevel } = (requester ?? {}) as { isolationLevel?: number }
      if (isolationLevel === undefined || isolationLevel === READ_COMMITTED) {
        return super.acquire(requester, callback)
      }
      if (typeof callback === 'function') return super.acquire(requester, noting(callback as Acquired))
      return (super.acquire(requester) as Promise<TediousConnection>).then((connection) => {
        changed.add(connection)
        return connection
      })
    }

    override release(connection: TediousConnection): this {
      used(connection)
      if (connection?.closed || !(changed.delete(connection) || connection?.inTransaction)) {
        return super.release(connection)
      }
      const giveBack = () => super.release(connection)
      // The request that ends with this call still holds the connection.
      setImmediate(() => cleaned(connection, giveBack))
      return this
    }
  }
  return ConnectionPool as unknown as RockpoolConnectionPoolClass
}

/** What cannot be cleaned is closed, and not lent again. */
function cleaned(connection: TediousConnection, giveBack: () => void): void {
  connection.reset((error) => {
    if (!error) return void setImmediate(giveBack)
    // Of an end that has been told of nobody is told once more.
    if (connection.closed) return giveBack()
    connection.on('end', giveBack)
    connection.close()
  })
}

type Acquired = (error: unknown, connection?: TediousConnection, config?: unknown) => void

function noting(callback: Acquired): Acquired {
  return (error, connection, config) => {
    if (connection !== undefined && connection !== null) changed.add(connection)
    callback(error, connection, config)
  }
}

/** Takes over a pool that the original has just made and that has not connected yet. */
export function adopt(pool: OriginalConnectionPool, Ours: RockpoolConnectionPoolClass): void {
  if (pool instanceof (Ours as unknown as new () => object)) return
  Reflect.deleteProperty(pool, 'pool')
  Object.setPrototypeOf(pool, Ours.prototype)
  notToBeMissed(pool)
}

/** An `error` that nobody listens to would end the process; who asks for it is told as before. */
function notToBeMissed(pool: OriginalConnectionPool): void {
  pool.on('error', () => {})
}
