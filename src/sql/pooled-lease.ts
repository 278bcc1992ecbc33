import {
  ConnectionLostError,
  InvalidOptionError,
  LeaseReleasedError,
  TransactionError,
} from '../contract/errors.ts'
import type { QueryOptions, SqlLease, SqlText, StreamOptions, Transaction } from '../contract/sql.ts'
import type { BeginOptions, QueryResult, Row, SavepointMove } from '../contract/sql-driver.ts'
import type { Slot } from '../engine/slot.ts'
import { type Holder, type Lender, PoolLease } from '../pool/pool-lease.ts'
import type { Executor } from './executor.ts'
import type { Limits } from './limits.ts'
import { Line } from './line.ts'
import { rowsOf } from './row-stream.ts'
import { assertBegin, assertQuery, assertStream } from './sql-options.ts'
import { declared, type Statement, toStatement } from './statement.ts'
import { inTransaction } from './transaction-scope.ts'

/** A lease that runs statements: one after another, whatever its holder does. */
export class PooledLease<C> extends PoolLease<C> implements SqlLease<C> {
  readonly #executor: Executor<C>
  /** Leases that joined under one key stand in one line. */
  readonly #line: Line
  /** Stays readable after the end of the lease, for statements that are still under way. */
  readonly #slot: Slot<C, Holder>

  constructor(
    lender: Lender<C>,
    slot: Slot<C, Holder>,
    facts: { trace: Error | undefined; executor: Executor<C>; beside?: PooledLease<C> | undefined },
  ) {
    super(lender, slot, facts.trace)
    this.#executor = facts.executor
    this.#slot = slot
    const { name, clock, driver } = facts.executor.surroundings
    const cancel = driver.cancel === undefined ? undefined : async () => driver.cancel?.(slot.connection as C)
    this.#line = facts.beside === undefined ? new Line({ name, clock, cancel }) : facts.beside.#line
  }

  async query<R = Row>(
    sql: SqlText,
    params?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<QueryResult<R>> {
    const statement = this.read(sql, params, options)
    return (await this.runStatement(statement, options, limitsOf(options))) as QueryResult<R>
  }

  /** @throws InvalidOptionError */
  read(sql: SqlText, params?: readonly unknown[], options?: QueryOptions): Statement {
    if (options !== undefined) assertQuery(options)
    return declared(toStatement(sql, params, this.placeholder), options)
  }

  stream<R = Row>(sql: SqlText, params?: readonly unknown[], options: StreamOptions = {}): AsyncIterable<R> {
    const { driver } = this.#executor.surroundings
    assertStream(options, driver)
    const { text, params: values } = toStatement(sql, params, this.placeholder)
    const { batch = 100, signal } = options
    const cancel =
      driver.cancel === undefined ? undefined : async () => driver.cancel?.(this.#slot.connection as C)
    return rowsOf<Row>({
      line: this.#line,
      enter: () => this.assertHeld(),
      open: () => driver.stream?.(this.#atTurn(), text, values, { batch }) as AsyncIterable<Row>,
      signal,
      cancel,
      judge: (error) => this.#judge(error),
    }) as AsyncIterable<R>
  }

  transaction<T>(work: (tx: Transaction<C>) => Promise<T>, options: BeginOptions = {}): Promise<T> {
    return inTransaction(this, work, options)
  }

  async begin(options: BeginOptions = {}): Promise<void> {
    assertBegin(options)
    const { isolation, readOnly } = options
    await this.#step((connection) =>
      this.#executor.surroundings.driver.begin(connection, { isolation, readOnly }),
    )
  }

  /**
   * A BEGIN that cannot be refused on a connection without a transaction may have a statement behind it; one that depends
   * on what the server is (a standby refuses `serializable`) may not.
   */
  joinsBegin({ isolation }: BeginOptions): boolean {
    return this.#executor.mayPipeline && isolation !== 'serializable' && isolation !== 'snapshot'
  }

  queryWithBegin(
    begin: BeginOptions,
    statement: Statement,
    prepare: boolean | undefined,
  ): Promise<QueryResult> {
    const { driver, name } = this.#executor.surroundings
    const fly = async () => {
      const connection = this.#atTurn()
      if (!this.#executor.share(connection)) {
        await driver.begin(connection, begin)
        return this.#executor.run(connection, statement, prepare)
      }
      const [begun, result] = await Promise.allSettled([
        driver.begin(connection, begin),
        this.#executor.run(connection, statement, prepare),
      ])
      if (this.isHeld) this.#executor.unshare(connection)
      if (begun.status === 'rejected') {
        const problem = `pool "${name}": BEGIN failed; the statement sent with it may have been executed`
        if (this.isHeld) this.giveUp(begun.reason)
        throw new TransactionError('TRANSACTION_ABORTED', problem, { cause: begun.reason })
      }
      if (result.status === 'rejected') throw result.reason
      return result.value
    }
    this.assertHeld()
    return this.#judged(this.#line.run(fly))
  }

  /** @throws TransactionError `COMMIT_UNKNOWN` when the connection was lost after COMMIT was sent */
  async commit(): Promise<void> {
    let sent = false
    try {
      await this.#step((connection) => {
        sent = true
        return this.#executor.surroundings.driver.commit(connection)
      })
    } catch (error) {
      if (!sent || !(error instanceof ConnectionLostError)) throw error
      const problem = `pool "${this.lender.name}": the connection was lost after COMMIT was sent; nobody knows whether it took effect`
      throw new TransactionError('COMMIT_UNKNOWN', problem, { cause: error.cause ?? error })
    }
  }

  async rollback(): Promise<void> {
    await this.#step((connection) => this.#executor.surroundings.driver.rollback(connection))
  }

  async savepoint(name: string, move: SavepointMove): Promise<void> {
    await this.#step((connection) => this.#executor.savepoint(connection, name, move))
  }

  /** Runs a statement whose text has been read already. */
  runStatement(statement: Statement, options?: QueryOptions, limits?: Limits): Promise<QueryResult> {
    this.assertHeld()
    return this.#judged(
      this.#line.run(async () => this.#executor.run(this.#atTurn(), statement, options?.prepare), limits),
    )
  }

  /** The lease is not a caller's any more: statements share it. */
  share(): void {
    this.lender.share(this.held())
  }

  /** A lease of the pool's own for one statement: no caller could have forgotten it. */
  ignoreLeak(): void {
    this.#slot.leakReported = true
  }

  /** One more statement on a shared connection: each is a use. */
  countUse(): void {
    this.#slot.uses++
  }

  /** A statement has found out that the connection is gone. */
  reportLost(error: unknown): void {
    if (this.isHeld) this.lender.lost(this.held(), error)
  }

  /** The session is no longer as others expect it: only a full reset mends it. */
  taint(): void {
    this.#slot.tainted = true
  }

  get placeholder(): (position: number) => string {
    const { driver } = this.#executor.surroundings
    return (position) => driver.placeholder?.(position) ?? '?'
  }

  get usable(): boolean {
    return this.isHeld
  }

  giveUp(error: unknown): void {
    this.lender.broken(this.held(), error)
  }

  /** Gives it back although this still runs on it. What is to be done before others get it is done when it is quiet. */
  releaseAfter(running: readonly unknown[], whenQuiet: () => void): void {
    const last = async () => {
      await Promise.allSettled([this.#line.quiet, ...running])
      // It may have been destroyed, because it did not become quiet.
      if (this.#slot.state === 'resetting') whenQuiet()
    }
    this.#line.occupy(last())
    this.release()
  }

  /** Settles when nothing runs on the lease's own line. */
  get busy(): Promise<void> | undefined {
    return this.#line.quiet
  }

  protected override quiet(): Promise<unknown> | undefined {
    return this.#line.quiet
  }

  #step(run: (connection: C) => Promise<void>): Promise<void> {
    this.assertHeld()
    return this.#judged(this.#line.run(async () => run(this.#atTurn())))
  }

  /** Refuses what is asked for after the end of the lease. */
  assertHeld(): void {
    if (this.isHeld) return
    if (this.poolsEnd?.why === 'lost')
      throw new ConnectionLostError(this.lender.name, 'no', { cause: this.poolsEnd.cause })
    this.held()
  }

  /** The connection, for a statement whose turn has come. It may have died meanwhile; a release waits for the statement. */
  #atTurn(): C {
    if (this.#slot.state !== 'resetting') this.assertHeld()
    return this.#slot.connection as C
  }

  async #judged<T>(result: Promise<T>): Promise<T> {
    try {
      return await result
    } catch (error) {
      throw this.#judge(error)
    }
  }

  #judge(thrown: unknown): unknown {
    if (
      thrown instanceof ConnectionLostError ||
      thrown instanceof LeaseReleasedError ||
      thrown instanceof InvalidOptionError
    ) {
      return thrown
    }
    const { error, verdict } = this.#executor.judge(thrown)
    if (verdict === 'lost' || this.poolsEnd?.why === 'lost') {
      this.reportLost(thrown)
      return verdict === 'lost'
        ? error
        : new ConnectionLostError(this.lender.name, 'unknown', { cause: thrown })
    }
    if (verdict === 'stale') this.confirmStale()
    return error
  }

  /** Asks the server whether it was demoted, once the line is free. In a transaction it may not know: then on return. */
  confirmStale(): void {
    const { driver, stale } = this.#executor.surroundings
    if (driver.confirmStale === undefined) return
    const slot = this.#slot
    slot.inDoubt = true
    // On its way back the connection is no longer this lease's: whoever cleans it asks.
    if (!this.isHeld) return
    const confirm = async () => {
      try {
        const connection = this.#atTurn()
        const isStale = await driver.confirmStale?.(connection)
        if (isStale === true) stale(slot.generation)
        slot.inDoubt = isStale !== true && driver.inTransaction?.(connection) !== false
      } catch {
        // A connection that cannot answer will be found out by other means.
      }
    }
    void this.#line.run(confirm)
  }
}

function limitsOf(options: QueryOptions | undefined): Limits | undefined {
  if (options?.signal === undefined && options?.timeoutMs === undefined) return undefined
  const { signal, timeoutMs } = options
  return { signal, timeout: timeoutMs === undefined ? undefined : { leftMs: timeoutMs, givenMs: timeoutMs } }
}
