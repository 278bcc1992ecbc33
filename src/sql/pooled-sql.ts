import { dispose } from '../contract/dispose.ts'
import { ConnectionLostError, InvalidOptionError, SessionStatementError } from '../contract/errors.ts'
import type { PoolOptions } from '../contract/options.ts'
import type {
  QueryOptions,
  Session,
  SessionOptions,
  SqlPool,
  SqlText,
  StreamOptions,
  Transaction,
  TransactionOptions,
} from '../contract/sql.ts'
import type { QueryResult, Row, SqlDialect, SqlDriver } from '../contract/sql-driver.ts'
import { ResourcePool } from '../pool/resource-pool.ts'
import { Call } from './call.ts'
import { Executor } from './executor.ts'
import type { Lane } from './lane.ts'
import type { Limits } from './limits.ts'
import { Multiplexer } from './multiplexer.ts'
import { PooledLease } from './pooled-lease.ts'
import { PooledSession } from './session.ts'
import { assertQuery, assertSession, assertStream, assertTransaction, assertWork } from './sql-options.ts'
import { declared, type Statement, toStatement } from './statement.ts'
import { TextBook, type TextEntry } from './text-book.ts'
import { inTransaction } from './transaction-scope.ts'

const SQL_METHODS = ['query', 'begin', 'commit', 'rollback'] as const

/** A pool whose leases speak SQL, and which lends one for each statement that comes to the pool itself. */
export class PooledSql<C> extends ResourcePool<C, PooledLease<C>> implements SqlPool<C> {
  readonly #driver: SqlDriver<C>
  readonly #executor: Executor<C>
  #textBook: TextBook | undefined = undefined
  #multiplexer: Multiplexer<C> | undefined = undefined
  readonly #mayAnswer: boolean

  constructor(driver: SqlDriver<C>, options: PoolOptions<C>) {
    for (const method of SQL_METHODS) {
      if (typeof driver[method] === 'function') continue
      throw new InvalidOptionError(
        'driver',
        `the driver "${driver.name}" has no ${method}(): createResourcePool pools what has no SQL`,
      )
    }
    let executor: Executor<C> | undefined
    super(driver, options, (lender, slot, trace, beside) => {
      return new PooledLease(lender, slot, { trace, executor: executor as Executor<C>, beside })
    })
    this.#driver = driver
    const { name, clock } = this
    const prepares = driver.preparesByName === true && this.options.pooler !== 'transaction'
    const stale = (generation: number) => this.stale(generation)
    executor = new Executor({ name, driver, clock, prepares, stale, pooler: () => this.#tellPooler() })
    this.#executor = executor
    executor.mayPipeline = this.#mayMultiplex()
    this.#mayAnswer = driver.answer !== undefined && this.#isOpenToAll && this.options.onConnect === undefined
  }

  get dialect(): SqlDialect | undefined {
    return this.#driver.dialect
  }

  query<R = Row>(sql: SqlText, params?: readonly unknown[], options?: QueryOptions): Promise<QueryResult<R>> {
    try {
      const statement = declared(toStatement(sql, params, this.#driver), options)
      if (options !== undefined) assertQuery(options)
      options?.signal?.throwIfAborted()
      const entry = this.#admit(statement)
      const answer = this.#mayAnswer ? this.#answer(statement, entry, options) : undefined
      if (answer !== undefined) return Promise.resolve(answer as QueryResult<R>)
      const call = new Call(statement, {
        entry,
        options,
        clock: this.clock,
        acquireTimeoutMs: this.options.acquireTimeoutMs,
      })
      return (this.#shares(call) ? this.#share(call) : this.#runAlone(call)) as Promise<QueryResult<R>>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async *stream<R = Row>(
    sql: SqlText,
    params?: readonly unknown[],
    options: StreamOptions = {},
  ): AsyncGenerator<R, void, undefined> {
    assertStream(options, this.#driver)
    const statement = toStatement(sql, params, this.#driver)
    const { taints } = this.#admit(statement).reading
    const lease = await this.acquire({ signal: options.signal })
    if (taints) lease.taint()
    try {
      yield* lease.stream<R>(statement.text, statement.params, options) as AsyncGenerator<R, void, undefined>
    } finally {
      lease[dispose]()
    }
  }

  async transaction<T>(
    work: (tx: Transaction<C>) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    assertWork('transaction', work)
    assertTransaction(options)
    const { isolation, readOnly, retries = 0, ...acquire } = options
    for (let left = retries; ; left--) {
      const lease = await this.acquire({ ...acquire, readOnly })
      try {
        return await inTransaction(lease, work, { isolation, readOnly })
      } catch (error) {
        if (left === 0 || !this.#worthRepeating(error)) throw error
      } finally {
        lease[dispose]()
      }
    }
  }

  session(options: SessionOptions = {}): Session<C> {
    assertSession(options)
    const { release = 'transaction' } = options
    return new PooledSession({
      acquire: () => this.acquire(),
      read: (sql, params) => this.#texts.look(toStatement(sql, params, this.#driver).text).reading,
      release,
    })
  }

  get #texts(): TextBook {
    this.#textBook ??= new TextBook()
    return this.#textBook
  }

  /** What is known of a statement. @throws SessionStatementError for one that needs a session of its own */
  #admit({ text }: Statement): TextEntry {
    const entry = this.#texts.look(text)
    const { session, changesSession, word } = entry.reading
    if (session !== undefined) throw new SessionStatementError(session.word, session.instead)
    // Behind a pooler the server's session is somebody else's after the statement, and nothing can bring it back to order.
    if (changesSession && this.options.pooler === 'transaction') {
      throw new SessionStatementError(word, 'pool.transaction(), with SET LOCAL or ON COMMIT DROP')
    }
    return entry
  }

  /** Nothing may be shared beside hooks, resets of every return or a pooler: they belong to one user's session. */
  #mayMultiplex(): boolean {
    const { pipeline, inTransaction } = this.#driver
    return pipeline !== undefined && inTransaction !== undefined && this.#isOpenToAll
  }

  get #isOpenToAll(): boolean {
    const { multiplex, onAcquire, onRelease, reset, pooler } = this.options
    const alone =
      onAcquire === undefined && onRelease === undefined && (reset === 'rollback' || reset === 'none')
    return multiplex === 'auto' && alone && pooler === 'none'
  }

  /** What the driver can say at once needs no connection, unless something stands between this one and its caller. */
  #answer(
    { text, params }: Statement,
    entry: TextEntry,
    options: QueryOptions | undefined,
  ): QueryResult | undefined {
    if (this.closed || this.suspended || entry.reading.taints) return undefined
    if (options?.multiplex === false || options?.signal?.aborted === true) return undefined
    try {
      return this.#driver.answer?.(text, params)
    } catch (error) {
      throw this.#executor.judge(error).error
    }
  }

  #makeMultiplexer(): Multiplexer<C> {
    return new Multiplexer<C>(this.#executor, {
      takeIdle: () => this.takeIdle(),
      acquireOrShare: (options) => this.acquireOrShare<Lane<C>>(options),
      offerPlace: (lane) => this.offerPlace(lane),
      isPlaceWaitedFor: () => this.isPlaceWaitedFor,
      onDefect: (error) => this.tellError(error),
    })
  }

  #shares(call: Call): boolean {
    return (
      !this.closed && this.#executor.mayPipeline && call.entry.mayShare && call.options?.multiplex !== false
    )
  }

  #share(call: Call): Promise<QueryResult> {
    const { statement, entry, options } = call
    const recover = (loss: ConnectionLostError) =>
      call.mayRepeat(loss) ? this.#runAlone(call) : Promise.reject(loss)
    const shot = { statement, entry, prepare: options?.prepare, recover }
    this.#multiplexer ??= this.#makeMultiplexer()
    return this.#multiplexer.run(
      shot,
      call.acquireOptions() ?? {},
      call.isLimited ? () => call.limits() as Limits : undefined,
    )
  }

  /** Runs a statement on a connection of its own, and again after a lost connection where that is safe. */
  async #runAlone(call: Call): Promise<QueryResult> {
    const { statement, entry, options } = call
    for (;;) {
      const acquire = call.acquireOptions()
      const lease = await (acquire === undefined ? this.acquire() : this.acquire(acquire))
      lease.ignoreLeak()
      if (entry.reading.taints) lease.taint()
      try {
        const measured = this.#executor.mayPipeline && entry.isCandidate
        const since = measured ? this.clock.now() : 0
        const result = await lease.runStatement(statement, options, call.limits())
        if (measured) entry.learn(this.clock.now() - since)
        return result
      } catch (error) {
        if (!call.mayRepeat(error)) throw error
      } finally {
        lease[dispose]()
      }
    }
  }

  #tellPooler(): void {
    const { name, options } = this
    const problem = `option "pooler" is "${options.pooler}", but a pooler has lost prepared statements of pool "${name}"; from now on it names none and shares no connection. Declare pooler: "transaction"`
    this.tellError(new InvalidOptionError('pooler', problem))
  }

  #worthRepeating(error: unknown): boolean {
    return error instanceof ConnectionLostError || this.#executor.isConflict(error)
  }
}
