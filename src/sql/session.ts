import { asyncDispose, dispose } from '../contract/dispose.ts'
import { InvalidOptionError, LeaseReleasedError, SessionStatementError } from '../contract/errors.ts'
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
import type { Reading } from './text-reader.ts'

export interface SessionParts<C> {
  acquire(): Promise<PooledLease<C>>
  /** What the text of a statement tells about it. */
  read(sql: SqlText, params: readonly unknown[] | undefined): Reading
  release: NonNullable<SessionOptions['release']>
}

/** A unit of work that borrows late and gives back early. */
export class PooledSession<C> implements Session<C> {
  readonly #acquire: () => Promise<PooledLease<C>>
  readonly #read: SessionParts<C>['read']
  readonly #release: SessionParts<C>['release']
  #lease: Promise<PooledLease<C>> | undefined = undefined
  #state: 'free' | 'in transaction' | 'closed' = 'free'
  /** Statements under way: the connection goes back with the last of them. */
  #running = 0

  constructor({ acquire, read, release }: SessionParts<C>) {
    this.#acquire = acquire
    this.#read = read
    this.#release = release
  }

  async query<R = Row>(
    sql: SqlText,
    params?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<QueryResult<R>> {
    const taints = this.#examine(sql, params)
    return this.#with((lease) => {
      if (taints) lease.taint()
      return lease.query<R>(sql, params, options)
    })
  }

  async *stream<R = Row>(
    sql: SqlText,
    params?: readonly unknown[],
    options?: StreamOptions,
  ): AsyncGenerator<R, void, undefined> {
    const taints = this.#examine(sql, params)
    const lease = await this.#enter()
    if (taints) lease.taint()
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

  /** A connection that goes back early may take neither an open transaction nor a changed session along. */
  #examine(sql: SqlText, params: readonly unknown[] | undefined): boolean {
    this.#assertOpen()
    if (this.#release === 'close') return false
    const { session, taints } = this.#read(sql, params)
    if (session !== undefined && this.#state === 'free')
      throw new SessionStatementError(session.word, 'begin(), or a session that releases at its close')
    return taints
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
    this.#lease ??= this.#acquire()
    const lease = this.#lease
    try {
      return await lease
    } catch (error) {
      if (this.#lease === lease) this.#lease = undefined
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
