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
  /** Leases that joined under one key stand in one line. Made for the first statement: who talks to the driver needs none. */
  #line: Line | undefined
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
    this.#line = facts.beside?.line
  }

  get line(): Line {
    this.#line ??= new Line(this.#executor.surroundings, this.#canceller())
    return this.#line
  }

  query<R = Row>(sql: SqlText, params?: readonly unknown[], options?: QueryOptions): Promise<QueryResult<R>> {
    try {
      const statement = this.read(sql, params, options)
      return this.runStatement(statement, options, limitsOf(options)) as Promise<QueryResult<R>>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** @throws InvalidOptionError */
  read(sql: SqlText, params?: readonly unknown[], options?: QueryOptions): Statement {
    if (options !== undefined) assertQuery(options)
    return declared(toStatement(sql, params, this.#executor.surroundings.driver), options)
  }

  stream<R = Row>(sql: SqlText, params?: readonly unknown[], options: StreamOptions = {}): AsyncIterable<R> {
    const { driver } = this.#executor.surroundings
    assertStream(options, driver)
    const { text, params: values } = toStatement(sql, params, driver)
    const { batch = 100, signal } = options
    return rowsOf<Row>({
      line: this.line,
      enter: () => this.assertHeld(),
      open: () => driver.stream?.(this.#atTurn(), text, values, { batch }) as AsyncIterable<Row>,
      signal,
      cancel: this.#canceller(),
      judge: (error) => this.#judge(error),
    }) as AsyncIterable<R>
  }

  async transaction<T>(work: (tx: Transaction<C>) => Promise<T>, options: BeginOptions = {}): Promise<T> {
    assertBegin(options, 'transaction')
    return inTransaction(this, work, options)
  }

  async begin(options: BeginOptions = {}): Promise<void> {
    assertBegin(options, 'begin')
    const { isolation, readOnly } = options
    await this.#step((connection) =>
      this.#executor.surroundings.driver.begin(connection, { isolation, readOnly }),
    )
  }

  joinsBegin({ isolation }: BeginOptions): boolean {
    const { driver } = this.#executor.surroundings
    // A standby refuses these: told apart from the statement's own errors only where BEGIN goes alone.
    return driver.beginWith !== undefined && isolation !== 'serializable' && isolation !== 'snapshot'
  }

  queryWithBegin(
    begin: BeginOptions,
    statement: Statement,
    prepare: boolean | undefined,
  ): Promise<QueryResult> {
    this.assertHeld()
    const fly = () => this.#executor.begin(this.#atTurn(), statement, { begin, prepare })
    return this.line.run(fly, (error) => this.#judge(this.#beganOrNot(error)))
  }

  /** What comes next must not run outside of the transaction that its caller believes to be in. */
  #beganOrNot(error: unknown): unknown {
    const { driver, name } = this.#executor.surroundings
    if (!this.isHeld || driver.inTransaction?.(this.connection) !== false) return error
    this.giveUp(error)
    const problem = `pool "${name}": BEGIN failed, and the statement sent with it was not executed`
    return new TransactionError('TRANSACTION_ABORTED', problem, { cause: error })
  }

  beginForOthers(options: BeginOptions): Promise<void> {
    const { driver } = this.#executor.surroundings
    this.assertHeld()
    return this.line.run(
      () => driver.begin(this.#atTurn(), options),
      (error) => {
        if (this.isHeld) this.giveUp(error)
        return this.#judge(error)
      },
    )
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

  async cancel(): Promise<void> {
    const { driver, name } = this.#executor.surroundings
    if (driver.cancel === undefined) {
      const problem = `pool "${name}": its driver cannot ask the server to stop a statement`
      throw new InvalidOptionError('cancel', problem)
    }
    const asked = Promise.resolve(driver.cancel(this.connection))
    this.line.occupy(Promise.allSettled([this.#line?.quiet, asked]).then(() => undefined))
    await asked
  }

  async savepoint(name: string, move: SavepointMove): Promise<void> {
    await this.#step((connection) => this.#executor.savepoint(connection, name, move))
  }

  /** Runs a statement whose text has been read already. */
  runStatement(statement: Statement, options?: QueryOptions, limits?: Limits): Promise<QueryResult> {
    this.assertHeld()
    const start = () => this.#executor.run(this.#atTurn(), statement, { prepare: options?.prepare })
    return this.line.run(start, (error) => this.#judge(error), limits)
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

  get usable(): boolean {
    return this.isHeld
  }

  giveUp(error: unknown): void {
    this.lender.broken(this.held(), error)
  }

  /** Gives it back although this still runs on it. What is to be done before others get it is done when it is quiet. */
  releaseAfter(running: readonly unknown[], whenQuiet: () => void): void {
    const last = async () => {
      await Promise.allSettled([this.#line?.quiet, ...running])
      // It may have been destroyed, because it did not become quiet.
      if (this.#slot.state === 'resetting') whenQuiet()
    }
    this.line.occupy(last())
    this.release()
  }

  /** Settles when nothing runs on the lease's own line. */
  get busy(): Promise<void> | undefined {
    return this.#line?.quiet
  }

  protected override quiet(): Promise<unknown> | undefined {
    return this.#line?.quiet
  }

  #step(run: (connection: C) => Promise<void>): Promise<void> {
    this.assertHeld()
    return this.line.run(
      () => run(this.#atTurn()),
      (error) => this.#judge(error),
    )
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

  #canceller(): (() => Promise<void>) | undefined {
    const { driver } = this.#executor.surroundings
    return driver.cancel === undefined ? undefined : async () => driver.cancel?.(this.#slot.connection as C)
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
    void this.line.run(confirm, asItIs)
  }
}

const asItIs = (error: unknown) => error

function limitsOf(options: QueryOptions | undefined): Limits | undefined {
  if (options?.signal === undefined && options?.timeoutMs === undefined) return undefined
  const { signal, timeoutMs } = options
  return { signal, timeout: timeoutMs === undefined ? undefined : { leftMs: timeoutMs, givenMs: timeoutMs } }
}
