import type { DatabaseConnection, Driver, TransactionSettings } from 'kysely'
import { ConnectionLostError, LeaseReleasedError, TransactionError } from '../../contract/errors.ts'
import type { SqlLease, SqlPool } from '../../contract/sql.ts'
import type { SqlDialect } from '../../contract/sql-driver.ts'
import { Connection, type Home } from './connection.ts'
import { TO_KYSELY, type ToKysely } from './results.ts'

type Abortable = { signal?: AbortSignal | undefined } | undefined

/** Runs statements on a connection that is about to be used. */
export type ConnectionHook = (
  connection: DatabaseConnection,
  options?: { signal?: AbortSignal | undefined },
) => Promise<void>

/** What the driver is told by the dialect. */
export interface DriverParts<C> {
  readonly pool: SqlPool<C>
  readonly dialect: SqlDialect
  readonly ownsPool: boolean
  readonly onCreateConnection: ConnectionHook | undefined
  readonly onReserveConnection: ConnectionHook | undefined
  /** Kysely's error for a transaction that was rolled back instead of committed. */
  readonly aborted: (cause: unknown) => Error
}

/** Kysely's idea of a driver, over a pool. */
export class PoolDriver<C> implements Driver, Home<C> {
  readonly pool: SqlPool<C>
  readonly toKysely: ToKysely
  readonly prepare: Home<C>['prepare']
  readonly #parts: DriverParts<C>
  /** Connections that the user's hook has seen. */
  readonly #created = new WeakSet<object>()
  /** Every connection is borrowed at once: a hook wants to see it, or statements belong together. */
  #isEager: boolean
  #isDestroyed = false

  constructor(parts: DriverParts<C>) {
    const { pool, dialect, onCreateConnection, onReserveConnection } = parts
    this.pool = pool
    this.toKysely = TO_KYSELY[dialect]
    this.#parts = parts
    this.#isEager = onCreateConnection !== undefined || onReserveConnection !== undefined
    if (this.#isEager)
      this.prepare = (connection, lease, options) => this.#prepare(connection, lease, options)
  }

  async init(): Promise<void> {}

  /**
   * Kysely passes `undefined` for a single statement, a stream or a transaction, and options for `connection()` and for what
   * may be aborted. Versions that know no options pass nothing: then nobody can tell what the connection is wanted for.
   */
  async acquireConnection(...reason: [options?: Abortable]): Promise<DatabaseConnection> {
    if (this.#isDestroyed) throw new Error('driver has already been destroyed')
    const connection = new Connection(this)
    const [options] = reason
    if (!this.#isEager && reason.length === 1 && options === undefined) return connection
    try {
      await connection.reserve(options)
    } catch (error) {
      connection.release()
      // Kysely has seen the signal as well, and prints what is thrown after it.
      if (options?.signal?.aborted !== true) throw error
    }
    return connection
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const { isolationLevel: isolation, accessMode } = settings
    await ours<C>(connection).begin({
      ...(isolation === undefined ? {} : { isolation }),
      ...(accessMode === undefined ? {} : { readOnly: accessMode === 'read only' }),
    })
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    if (ours<C>(connection).isUntouched) return
    const lease = leaseOf<C>(connection)
    try {
      await lease.commit()
    } catch (error) {
      if (!(error instanceof TransactionError) || error.code !== 'TRANSACTION_ABORTED') throw error
      // Kysely takes this one for the end of the transaction.
      await this.rollbackTransaction(connection)
      throw this.#parts.aborted(error)
    }
  }

  /** A transaction whose connection is gone is rolled back already; and the error that led here counts for more. */
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (ours<C>(connection).isUntouched) return
    const lease = leaseOf<C>(connection)
    try {
      await lease.rollback()
    } catch (error) {
      if (error instanceof ConnectionLostError || error instanceof LeaseReleasedError) return
      lease.destroy(error)
      throw error
    }
  }

  async savepoint(connection: DatabaseConnection, name: string): Promise<void> {
    const lease = await ours<C>(connection).begun()
    await lease.query(`savepoint ${this.#quoted(name)}`)
  }

  async rollbackToSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await leaseOf(connection).query(`rollback to savepoint ${this.#quoted(name)}`)
  }

  async releaseSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await leaseOf(connection).query(`release savepoint ${this.#quoted(name)}`)
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    ours<C>(connection).release()
  }

  async destroy(): Promise<void> {
    this.#isDestroyed = true
    if (this.#parts.ownsPool) await this.pool.close()
  }

  async #prepare(connection: Connection<C>, lease: SqlLease<C>, options: Abortable): Promise<void> {
    const { onCreateConnection, onReserveConnection } = this.#parts
    try {
      const native = lease.connection as object
      if (onCreateConnection !== undefined && !this.#created.has(native)) {
        await onCreateConnection(connection, options)
        this.#created.add(native)
      }
      await onReserveConnection?.(connection, options)
    } catch (error) {
      // What the hook was to make of it, it is not.
      lease.destroy(error)
      throw error
    }
  }

  noteUnannounced(): void {
    this.#isEager = true
  }

  #quoted(name: string): string {
    const mark = this.#parts.dialect === 'mysql' ? '`' : '"'
    return mark + name.replaceAll(mark, mark + mark) + mark
  }
}

function ours<C>(connection: DatabaseConnection): Connection<C> {
  return connection as Connection<C>
}

/** Of a connection on which a transaction is open. */
function leaseOf<C>(connection: DatabaseConnection): SqlLease<C> {
  return ours<C>(connection).lease as SqlLease<C>
}
