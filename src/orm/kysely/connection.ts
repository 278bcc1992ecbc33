import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import { dispose } from '../../contract/dispose.ts'
import type { QueryOptions, SqlLease, SqlPool } from '../../contract/sql.ts'
import type { BeginOptions } from '../../contract/sql-driver.ts'
import { Opening } from '../../sql/opening.ts'
import type { TransactionHost } from '../../sql/transaction-scope.ts'
import type { ToKysely } from './results.ts'

type Abortable = { signal?: AbortSignal | undefined } | undefined

/** What a connection needs of its driver. */
export interface Home<C> {
  readonly pool: SqlPool<C>
  readonly toKysely: ToKysely
  /** Runs the user's hooks on a connection that has just been borrowed; there may be none. */
  readonly prepare:
    | ((connection: Connection<C>, lease: SqlLease<C>, options: Abortable) => Promise<void>)
    | undefined
  /** Somebody runs several statements on one connection without a transaction, and did not say so. */
  noteUnannounced(): void
}

/**
 * What Kysely takes for a connection: one for each time that it asks. It borrows when it must: a single read goes to the
 * pool itself, where it may share a connection with others.
 */
export class Connection<C> implements DatabaseConnection {
  readonly #home: Home<C>
  #lease: Promise<SqlLease<C>> | undefined = undefined
  #held: SqlLease<C> | undefined = undefined
  #state: 'new' | 'visited' | 'reserved' | 'released' = 'new'
  #how: QueryOptions | undefined = undefined
  /** Of the transaction: its BEGIN travels with the first statement, where it can. */
  #opening: Opening | undefined = undefined
  /** The statement in flight is to be stopped: nobody waits for it any more. */
  #isStopped = false
  #isRunning = false

  constructor(home: Home<C>) {
    this.#home = home
  }

  /** Borrows, for good: everything from now on runs on this one. @throws what `pool.acquire` and the user's hooks throw */
  reserve(options?: Abortable): Promise<SqlLease<C>> {
    if (this.#state === 'released') return Promise.reject(new Error('the connection has been released'))
    this.#state = 'reserved'
    this.#lease ??= this.#held === undefined ? this.#borrow(options) : Promise.resolve(this.#held)
    return this.#lease
  }

  async executeQuery<R>(query: CompiledQuery, options?: Abortable): Promise<QueryResult<R>> {
    const { pool, toKysely } = this.#home
    const { sql, parameters } = query
    try {
      if (this.#state === 'new' && query.query.kind === 'SelectQueryNode') {
        this.#state = 'visited'
        return toKysely(await pool.query(sql, parameters))
      }
      if (this.#state === 'visited') this.#home.noteUnannounced()
      const lease = this.#held ?? this.#takeIdle() ?? (await this.reserve())
      // Nobody waits for it any more: it does not begin.
      if (options?.signal?.aborted === true) return { rows: [] }
      if (this.#isDue && options === undefined)
        return toKysely(await (this.#opening as Opening).query(sql, parameters, this.#how))
      if (this.#isDue) void this.#opening?.beginNow()
      // Only what has a signal may be stopped.
      if (options !== undefined) return await this.#run(lease, query)
      return toKysely(await lease.query(sql, parameters, this.#how))
    } catch (error) {
      throw tellingCallers(error, new Error())
    }
  }

  async *streamQuery<R>(
    { sql, parameters }: CompiledQuery,
    chunkSize: number,
    options?: Abortable,
  ): AsyncGenerator<QueryResult<R>, void, undefined> {
    const lease = await this.reserve()
    if (this.#isDue) void this.#opening?.beginNow()
    const signal = options?.signal
    let rows: R[] = []
    try {
      for await (const row of lease.stream<R>(sql, parameters, { batch: chunkSize, signal })) {
        if (rows.push(row) < chunkSize) continue
        yield { rows }
        rows = []
      }
      if (rows.length > 0) yield { rows }
    } catch (error) {
      // Kysely, which has seen the signal first, throws its reason; an error of ours it would print.
      if (signal?.aborted !== true) throw error
      yield { rows: [] }
    }
  }

  /** Kysely calls it for an aborted statement whose result nobody waits for any more. */
  async cancelQuery(): Promise<void> {
    if (!this.#isRunning) return
    this.#isStopped = true
    await this.#held?.cancel()
  }

  /** The same, and the session with it. */
  async killSession(): Promise<void> {
    if (!this.#isRunning) return
    this.#isStopped = true
    this.#held?.destroy(new Error('Kysely was asked to kill the session'))
  }

  async begin(options: BeginOptions): Promise<void> {
    const lease = this.#takeIdle() ?? (await this.reserve())
    const host = lease as SqlLease<C> & Partial<TransactionHost<C>>
    if (host.joinsBegin?.(options) === true) {
      host.assertHeld?.()
      this.#opening = new Opening(host as TransactionHost<C>, options)
    } else await lease.begin(options)
    this.#how = IN_TRANSACTION
  }

  /** For what cannot travel with BEGIN. @throws what BEGIN threw */
  async begun(): Promise<SqlLease<C>> {
    if (this.#isDue) await this.#opening?.beginNow()
    return this.#held as SqlLease<C>
  }

  /** The transaction has sent nothing: there is nothing to end. */
  get isUntouched(): boolean {
    return this.#isDue && this.#state !== 'released'
  }

  get #isDue(): boolean {
    return this.#opening?.isDue === true
  }

  /** What has been borrowed, if anything. */
  get lease(): SqlLease<C> | undefined {
    return this.#held
  }

  release(): void {
    this.#state = 'released'
    this.#held?.[dispose]()
  }

  /** Without a promise, where there is nothing to wait for. */
  #takeIdle(): SqlLease<C> | undefined {
    if (this.#state === 'reserved' || this.#state === 'released' || this.#home.prepare !== undefined)
      return undefined
    this.#held = this.#home.pool.tryAcquire()
    if (this.#held !== undefined) this.#state = 'reserved'
    return this.#held
  }

  async #borrow(options: Abortable): Promise<SqlLease<C>> {
    const { pool } = this.#home
    const signal = options?.signal
    const lease = await (signal === undefined ? pool.acquire() : pool.acquire({ signal }))
    this.#held = lease
    await this.#home.prepare?.(this, lease, options)
    return lease
  }

  async #run<R>(lease: SqlLease<C>, { sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    this.#isRunning = true
    try {
      return this.#home.toKysely(await lease.query(sql, parameters, this.#how))
    } catch (error) {
      // As it was asked for: nobody reads this result, and an error would be printed.
      if (this.#isStopped) return { rows: [] }
      throw error
    } finally {
      this.#isRunning = false
      this.#isStopped = false
    }
  }
}

/** A prepared statement that has become invalid is prepared anew, but in a transaction its error is the end. */
const IN_TRANSACTION: QueryOptions = Object.freeze({ prepare: false })

/** Errors of packages come from the event loop and know nothing of who has asked. */
function tellingCallers(error: unknown, here: Error): unknown {
  const { stack } = (error ?? {}) as { stack?: unknown }
  if (typeof stack === 'string' && !Object.isFrozen(error))
    (error as Error).stack = `${stack}\n${here.stack?.split('\n').slice(1).join('\n')}`
  return error
}
