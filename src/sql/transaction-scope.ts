import { ConnectionLostError, LeaseReleasedError, TransactionError } from '../contract/errors.ts'
import type { QueryOptions, SqlText, StreamOptions, Transaction } from '../contract/sql.ts'
import type { BeginOptions, QueryResult, Row, SavepointMove } from '../contract/sql-driver.ts'
import { Opening, type OpeningHost } from './opening.ts'
import { assertWork } from './sql-options.ts'

/** What a transaction needs of the lease that it runs on. */
export interface TransactionHost<C> extends OpeningHost {
  readonly connection: C
  readonly usable: boolean
  /** @throws LeaseReleasedError, ConnectionLostError */
  assertHeld(): void
  stream<R>(sql: SqlText, params?: readonly unknown[], options?: StreamOptions): AsyncIterable<R>
  /** BEGIN with these options may travel with the first statement. */
  joinsBegin(options: BeginOptions): boolean
  begin(options: BeginOptions): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
  savepoint(name: string, move: SavepointMove): Promise<void>
  /** The connection cannot be brought back to order: it is not lent again. */
  giveUp(error: unknown): void
}

/** Runs `work` between BEGIN and COMMIT or ROLLBACK. The first error wins. */
export async function inTransaction<C, T>(
  host: TransactionHost<C>,
  work: (tx: Transaction<C>) => Promise<T>,
  options: BeginOptions,
): Promise<T> {
  assertWork('transaction', work)
  host.assertHeld()
  const begun = host.joinsBegin(options) ? undefined : host.begin(options)
  await begun
  const opening = new Opening(host, options, begun)
  const scope = new TransactionScope(host, { name: 'the transaction', depth: 0, opening })
  let result: T
  try {
    result = await work(scope)
    scope.assertQuiet()
  } catch (error) {
    scope.end()
    if (!opening.isDue) await undo(host, () => host.rollback())
    throw error
  }
  scope.end()
  if (opening.isDue) {
    host.assertHeld()
    return result
  }
  await opening.outcome
  await host.commit()
  return result
}

/** One transaction, or one savepoint within it. It ends before its connection is anybody else's. */
class TransactionScope<C> implements Transaction<C> {
  readonly #host: TransactionHost<C>
  readonly #name: string
  readonly #depth: number
  readonly #opening: Opening
  #state: 'open' | 'ended' = 'open'
  /** The savepoint that is open within this one: until its end nothing else runs here. */
  #inner: TransactionScope<C> | undefined = undefined

  constructor(host: TransactionHost<C>, facts: { name: string; depth: number; opening: Opening }) {
    this.#host = host
    this.#name = facts.name
    this.#depth = facts.depth
    this.#opening = facts.opening
  }

  get connection(): C {
    this.#assertUsable()
    // Who talks to the driver directly talks after the BEGIN.
    if (this.#opening.isDue) void this.#opening.beginNow()
    return this.#host.connection
  }

  query<R = Row>(sql: SqlText, params?: readonly unknown[], options?: QueryOptions): Promise<QueryResult<R>> {
    try {
      this.#assertUsable()
      if (!this.#opening.isDue) return this.#host.query<R>(sql, params, options)
      return this.#opening.query<R>(sql, params, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  stream<R = Row>(sql: SqlText, params?: readonly unknown[], options?: StreamOptions): AsyncIterable<R> {
    this.#assertUsable()
    if (this.#opening.isDue) void this.#opening.beginNow()
    return this.#host.stream<R>(sql, params, options)
  }

  async transaction<T>(work: (tx: Transaction<C>) => Promise<T>): Promise<T> {
    assertWork('transaction', work)
    this.#assertUsable()
    const host = this.#host
    const depth = this.#depth + 1
    const savepoint = `rockpool_${depth}`
    const inner = new TransactionScope(host, {
      name: `savepoint ${savepoint}`,
      depth,
      opening: this.#opening,
    })
    this.#inner = inner
    try {
      if (this.#opening.isDue) await this.#opening.beginNow()
      await host.savepoint(savepoint, 'set')
      try {
        const result = await work(inner)
        inner.assertQuiet()
        inner.end()
        await host.savepoint(savepoint, 'release')
        return result
      } catch (error) {
        inner.end()
        await undo(host, () => host.savepoint(savepoint, 'rollback'))
        throw error
      }
    } finally {
      inner.end()
      this.#inner = undefined
    }
  }

  end(): void {
    this.#state = 'ended'
  }

  /** A savepoint that is still open has been forgotten, not awaited: committing would commit half of its work. */
  assertQuiet(): void {
    if (this.#inner === undefined) return
    throw new TransactionError(
      'TRANSACTION_ABORTED',
      `${this.#name} ended while ${this.#inner.#name} was still open: await it`,
    )
  }

  #assertUsable(): void {
    if (this.#state === 'ended')
      throw new LeaseReleasedError(`${this.#name} has ended: it cannot be used any more`)
    if (this.#inner === undefined) return
    throw new TransactionError(
      'TRANSACTION_ABORTED',
      `${this.#name} waits for ${this.#inner.#name}: use the handle of the nested transaction, or wait for its end`,
    )
  }
}

/** Takes back what was done, on a connection that may be dead; one that cannot roll back is not lent again. */
async function undo<C>(host: TransactionHost<C>, rollback: () => Promise<void>): Promise<void> {
  if (!host.usable) return
  try {
    await rollback()
  } catch (error) {
    if (!(error instanceof ConnectionLostError) && host.usable) host.giveUp(error)
  }
}
