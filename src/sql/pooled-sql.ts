import { assertOption, oneOf } from '../contract/check.ts'
import { ConnectionLostError, InvalidOptionError, SessionStatementError } from '../contract/errors.ts'
import type { AcquireOptions } from '../contract/lease.ts'
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
import type { QueryResult, Row, SqlDriver } from '../contract/sql-driver.ts'
import { ResourcePool } from '../pool/resource-pool.ts'
import { Executor } from './executor.ts'
import { PooledLease } from './pooled-lease.ts'
import { PooledSession } from './session.ts'
import { assertBegin, assertQuery, assertRetries, assertStream, assertWork } from './sql-options.ts'
import { type Statement, toStatement } from './statement.ts'
import { inTransaction } from './transaction-scope.ts'

const SQL_METHODS = ['query', 'begin', 'commit', 'rollback', 'savepoint'] as const

/** A pool whose leases speak SQL, and which lends one for each statement that comes to the pool itself. */
export class PooledSql<C> extends ResourcePool<C, PooledLease<C>> implements SqlPool<C> {
  readonly #driver: SqlDriver<C>
  readonly #executor: Executor<C>
  readonly #placeholder: (position: number) => string

  constructor(driver: SqlDriver<C>, options: PoolOptions<C>) {
    for (const method of SQL_METHODS) {
      if (typeof driver?.[method] === 'function') continue
      throw new InvalidOptionError(
        'driver',
        `a SQL driver needs ${method}(); createResourcePool pools what has no SQL`,
      )
    }
    let executor: Executor<C> | undefined
    super(driver, options, (lender, slot, trace) => {
      return new PooledLease(lender, slot, { trace, executor: executor as Executor<C> })
    })
    this.#driver = driver
    const { name, clock } = this
    executor = new Executor({ name, driver, clock, stale: () => this.stale() })
    this.#executor = executor
    this.#placeholder = (position) => driver.placeholder?.(position) ?? '?'
  }

  async query<R = Row>(
    sql: SqlText,
    params?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<QueryResult<R>> {
    const statement = toStatement(sql, params, this.#placeholder)
    if (options !== undefined) assertQuery(options)
    const { session, taints } = this.#executor.texts.look(statement.text)
    if (session !== undefined) throw new SessionStatementError(session.word, session.instead)
    return (await this.#untilExecuted(statement, options, taints)) as QueryResult<R>
  }

  async *stream<R = Row>(
    sql: SqlText,
    params?: readonly unknown[],
    options: StreamOptions = {},
  ): AsyncGenerator<R, void, undefined> {
    assertStream(options, this.#driver)
    const lease = await this.acquire({ signal: options.signal })
    try {
      yield* lease.stream<R>(sql, params, options) as AsyncGenerator<R, void, undefined>
    } finally {
      lease[Symbol.dispose]()
    }
  }

  async transaction<T>(
    work: (tx: Transaction<C>) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    assertWork('transaction', work)
    assertBegin(options)
    const { isolation, readOnly, retries = 0, ...acquire } = options
    assertRetries(retries)
    for (let left = retries; ; left--) {
      const lease = await this.acquire({ ...acquire, readOnly })
      try {
        return await inTransaction(lease, work, { isolation, readOnly })
      } catch (error) {
        if (left === 0 || !this.#worthRepeating(error)) throw error
      } finally {
        lease[Symbol.dispose]()
      }
    }
  }

  session(options: SessionOptions = {}): Session<C> {
    const { release = 'transaction' } = options
    assertOption('release', release, oneOf('statement', 'transaction', 'close'))
    return new PooledSession(() => this.acquire(), release)
  }

  /** Runs a statement on a connection of its own, and again after a lost connection where that is safe. */
  async #untilExecuted(
    statement: Statement,
    options: QueryOptions | undefined,
    taints: boolean,
  ): Promise<QueryResult> {
    const { signal, timeoutMs, idempotent = false, readOnly } = options ?? {}
    const { acquireTimeoutMs } = this.options
    const limited = timeoutMs !== undefined || idempotent
    const started = limited ? this.clock.now() : 0
    const leftMs = (givenMs: number) => (limited ? givenMs - (this.clock.now() - started) : givenMs)
    for (let acquire = acquireOptionsOf(options, acquireTimeoutMs); ; ) {
      const lease = await (acquire === undefined ? this.acquire() : this.acquire(acquire))
      if (taints) lease.taint()
      try {
        const limits =
          signal === undefined && timeoutMs === undefined
            ? undefined
            : {
                signal,
                timeout:
                  timeoutMs === undefined ? undefined : { leftMs: leftMs(timeoutMs), givenMs: timeoutMs },
              }
        return await lease.runStatement(statement, options, limits)
      } catch (error) {
        const waitMs = Math.min(leftMs(timeoutMs ?? acquireTimeoutMs), acquireTimeoutMs)
        const again = error instanceof ConnectionLostError && (idempotent || error.executed === 'no')
        if (!again || waitMs <= 0) throw error
        acquire = { signal, timeoutMs: waitMs, readOnly }
      } finally {
        lease[Symbol.dispose]()
      }
    }
  }

  #worthRepeating(error: unknown): boolean {
    return error instanceof ConnectionLostError || this.#executor.isConflict(error)
  }
}

function acquireOptionsOf(
  options: QueryOptions | undefined,
  acquireTimeoutMs: number,
): AcquireOptions | undefined {
  if (options === undefined) return undefined
  const { signal, timeoutMs, readOnly } = options
  if (signal === undefined && timeoutMs === undefined && readOnly === undefined) return undefined
  return {
    signal,
    readOnly,
    timeoutMs: timeoutMs === undefined ? undefined : Math.min(timeoutMs, acquireTimeoutMs),
  }
}
