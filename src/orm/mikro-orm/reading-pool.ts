import type { AcquireOptions } from '../../contract/lease.ts'
import type { QueryOptions, SqlLease, SqlPool } from '../../contract/sql.ts'
import type { QueryResult, SqlDialect } from '../../contract/sql-driver.ts'
import type { Reading } from './reading.ts'

/**
 * The pool as MikroORM's dialect uses it. It may serve others, who read values as pg or mysql2 do: MikroORM's ways are put on
 * when it borrows, and taken off before it gives back.
 */
export class ReadingPool<C> {
  readonly name: string
  readonly dialect: SqlDialect
  readonly #pool: SqlPool<C>
  readonly #reading: Reading
  readonly #worn = new WeakMap<SqlLease<C>, () => void>()

  constructor(pool: SqlPool<C>, dialect: SqlDialect, reading: Reading) {
    this.name = pool.name
    this.dialect = dialect
    this.#pool = pool
    this.#reading = reading
  }

  tryAcquire(): SqlLease<C> | undefined {
    const lease = this.#pool.tryAcquire()
    return lease === undefined ? undefined : this.#putOn(lease)
  }

  async acquire(options?: AcquireOptions): Promise<SqlLease<C>> {
    return this.#putOn(await this.#pool.acquire(options))
  }

  /** On a connection of its own: those that are shared read as the pool does. */
  async query(sql: string, params?: readonly unknown[], options?: QueryOptions): Promise<QueryResult> {
    const lease = this.tryAcquire() ?? (await this.acquire())
    try {
      return (await lease.query(sql, params, options)) as QueryResult
    } finally {
      this.takeOff(lease)
      lease.release()
    }
  }

  close(): Promise<unknown> {
    return this.#pool.close()
  }

  /** To be called before the lease is released. */
  takeOff(lease: SqlLease<C>): void {
    this.#worn.get(lease)?.()
  }

  #putOn(lease: SqlLease<C>): SqlLease<C> {
    try {
      this.#worn.set(lease, this.#reading(lease.connection as object))
      return lease
    } catch (error) {
      lease.release()
      throw error
    }
  }
}
