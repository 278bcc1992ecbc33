import { asyncDispose, dispose } from '../contract/dispose.ts'
import { InvalidOptionError, LeaseReleasedError } from '../contract/errors.ts'
import type {
  QueryOptions,
  Session,
  SessionOptions,
  SqlText,
  StreamOptions,
  Transaction,
} from '../contract/sql.ts'
import type { BeginOptions, QueryResult, Row } from '../contract/sql-driver.ts'
import type { PooledLease } from './pooled-lease.ts'

/** A unit of work that borrows late and gives back early. */
export class PooledSession<C> implements Session<C> {
  readonly #acquire: () => Promise<PooledLease<C>>
  readonly #release: NonNullable<SessionOptions['release']>
  #lease: Promise<PooledLease<C>> | undefined = undefined
  #state: 'free' | 'in transaction' | 'closed' = 'free'
  /** Statements under way: the connection goes back with the last of them. */
  #running = 0

  constructor(acquire: () => Promise<PooledLease<C>>, release: NonNullable<SessionOptions['release']>) {
    this.#acquire = acquire
    this.#release = release
  }

  query<R = Row>(sql: SqlText, params?: readonly unknown[], options?: QueryOptions): Promise<QueryResult<R>> {
    return this.#with((lease) => lease.query<R>(sql, params, options))
  }

  async *stream<R = Row>(
    sql: SqlText,
    params?: readonly unknown[],
    options?: StreamOptions,
  ): AsyncGenerator<R, void, undefined> {
    const lease = await this.#enter()
    try {
      yield* lease.stream<R>(sql, params, options) as AsyncGenerator<R, void, undefined>
    } finally {
      this.#leave()
    }
  }

  async transaction<T>(work: (tx: Transaction<C>) => Promise<T>, options?: BeginOptions): Promise<T> {
    this.#assertNoTransaction('transaction')
    this.#state = 'in transaction'
    try {
      return await this.#with((lease) => lease.transaction(work, options))
    } finally {
      this.#endTransaction()
    }
  }

  async begin(options?: BeginOptions): Promise<void> {
    if (this.#release === 'statement') {
      throw new InvalidOptionError(
        'release',
        'a session that gives back after each statement cannot begin a transaction: use transaction()',
      )
    }
    this.#assertNoTransaction('begin')
    this.#state = 'in transaction'
    try {
      await this.#with((lease) => lease.begin(options))
    } catch (error) {
      this.#endTransaction()
      throw error
    }
  }

  async commit(): Promise<void> {
    await this.#finish('commit')
  }

  async rollback(): Promise<void> {
    await this.#finish('rollback')
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    const inTransaction = this.#state === 'in transaction'
    this.#state = 'closed'
    const lease = await this.#lease?.catch(() => undefined)
    this.#lease = undefined
    try {
      if (inTransaction && lease?.usable === true) await lease.rollback()
    } finally {
      lease?.[dispose]()
    }
  }

  async [asyncDispose](): Promise<void> {
    await this.close()
  }

  async #finish(how: 'commit' | 'rollback'): Promise<void> {
    this.#assertOpen()
    if (this.#state !== 'in transaction') return
    try {
      await this.#with((lease) => lease[how]())
    } finally {
      this.#endTransaction()
    }
  }

  async #with<T>(work: (lease: PooledLease<C>) => Promise<T>): Promise<T> {
    const lease = await this.#enter()
    try {
      return await work(lease)
    } finally {
      this.#leave()
    }
  }

  async #enter(): Promise<PooledLease<C>> {
    this.#assertOpen()
    this.#running++
    try {
      this.#lease ??= this.#acquire()
      return await this.#lease
    } catch (error) {
      this.#lease = undefined
      this.#running--
      throw error
    }
  }

  #leave(): void {
    this.#running--
    if (this.#state === 'free' && this.#release !== 'close') this.#giveBack()
  }

  #endTransaction(): void {
    if (this.#state === 'closed') return
    this.#state = 'free'
    if (this.#release !== 'close') this.#giveBack()
  }

  #giveBack(): void {
    if (this.#running > 0) return
    const lease = this.#lease
    this.#lease = undefined
    void lease?.then((held) => held[dispose]())
  }

  #assertOpen(): void {
    if (this.#state === 'closed') throw new LeaseReleasedError('the session is closed')
  }

  #assertNoTransaction(call: string): void {
    this.#assertOpen()
    if (this.#state === 'in transaction') {
      throw new InvalidOptionError(
        call,
        `the session is in a transaction already: commit or roll back before ${call}()`,
      )
    }
  }
}
