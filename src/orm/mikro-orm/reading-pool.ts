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

  acquire(options?: AcquireOptions): Promise<SqlLease<C>> {
    return this.#pool.acquire(options).then((lease) => this.#putOn(lease))
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
    const connection = stillOf(lease)
    if (connection !== undefined) this.#reading.takeOff(connection)
  }

  #putOn(lease: SqlLease<C>): SqlLease<C> {
    try {
      this.#reading.putOn(lease.connection as object)
      return lease
    } catch (error) {
      lease.release()
      throw error
    }
  }
}

/** What the pool has ended nobody reads from any more. */
function stillOf(lease: SqlLease<unknown>): object | undefined {
  try {
    return lease.connection as object
  } catch {
    return undefined
  }
}
