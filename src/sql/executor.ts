import type { Clock } from '../contract/clock.ts'
import { ConnectionLostError } from '../contract/errors.ts'
import type { BeginOptions, QueryResult, RowForm, SavepointMove, SqlDriver } from '../contract/sql-driver.ts'
import { classify } from '../pool/classify.ts'
import { PreparedNames } from './prepared-names.ts'
import type { Statement } from './statement.ts'
import type { TextEntry } from './text-book.ts'

const SAVEPOINT: Readonly<Record<SavepointMove, string>> = {
  set: 'SAVEPOINT',
  release: 'RELEASE SAVEPOINT',
  rollback: 'ROLLBACK TO SAVEPOINT',
}

const UNNAMED = Object.freeze({})
const READ_ONLY = Object.freeze({ readOnly: true })

function unnamed({ readOnly, form }: Statement): { readOnly?: boolean; form?: RowForm } {
  if (form !== undefined) return { form }
  return readOnly === true ? READ_ONLY : UNNAMED
}

/** What statements need of the pool that they run in, and what they tell it. */
export interface Surroundings<C> {
  readonly name: string
  readonly driver: SqlDriver<C>
  readonly clock: Clock
  /** Statements may get names: the driver can, and nobody stands between who would not know them. */
  readonly prepares: boolean
  /** A server that refuses writes: every connection of this generation is suspect. */
  stale(generation: number): void
  /** Told once: a pooler that nobody has declared has lost a name. */
  pooler(): void
}

/** Runs single statements on connections and judges their errors; one for each pool. */
export class Executor<C> {
  readonly surroundings: Surroundings<C>
  #names: WeakMap<object, PreparedNames> | undefined = undefined
  #prepares: boolean

  constructor(surroundings: Surroundings<C>) {
    this.surroundings = surroundings
    this.#prepares = surroundings.prepares
  }

  /** Several statements may be in flight on one connection: until the user's version of the package says that it cannot. */
  mayPipeline = false

  /** Lets statements share a connection from now on. Returns false where that cannot be. */
  share(connection: C): boolean {
    if (!this.mayPipeline) return false
    try {
      this.surroundings.driver.pipeline?.(connection, true)
    } catch {
      this.mayPipeline = false
    }
    return this.mayPipeline
  }

  unshare(connection: C): void {
    this.surroundings.driver.pipeline?.(connection, false)
  }

  /**
   * Runs one statement, prepared if it has earned it.
   * @param how.together its text, where it may go together with others of it; only what has a name can
   */
  run(
    connection: C,
    statement: Statement,
    how: { prepare: boolean | undefined; together?: TextEntry | undefined },
  ): Promise<QueryResult> {
    const { driver } = this.surroundings
    const { text, params, form } = statement
    const { prepare, together } = how
    const names =
      params.length > 0 || prepare === true || together !== undefined ? this.#namesOf(connection) : undefined
    const name = names?.nameFor(text, prepare)
    if (names === undefined || name === undefined)
      return driver.query(connection, text, params, unnamed(statement))
    const options = { name, together: together !== undefined, form }
    return driver.query(connection, text, params, options).catch((error) => {
      if (driver.isUndone?.(error) === true) {
        together?.keepApart()
        return this.run(connection, statement, { prepare })
      }
      return this.#replan(error, { connection, statement, names })
    })
  }

  /** The same with BEGIN before it, in one flight. What a stale plan has aborted only its owner can begin anew. */
  begin(
    connection: C,
    { text, params }: Statement,
    { begin, prepare }: { begin: BeginOptions; prepare: boolean | undefined },
  ): Promise<QueryResult> {
    const { driver } = this.surroundings
    const names = params.length > 0 || prepare === true ? this.#namesOf(connection) : undefined
    const name = names?.nameFor(text, prepare)
    const flight = driver.beginWith?.(connection, begin, { sql: text, params, name }) as Promise<QueryResult>
    if (names === undefined || name === undefined) return flight
    return flight.catch(async (error) => {
      await this.#forgetName(error, { connection, text, names })
      throw error
    })
  }

  /** A plan that is no longer valid is replaced once. */
  async #replan(
    error: unknown,
    { connection, statement, names }: { connection: C; statement: Statement; names: PreparedNames },
  ): Promise<QueryResult> {
    const { text, params } = statement
    const isForgotten = await this.#forgetName(error, { connection, text, names })
    // Within a transaction the error has aborted it: only its owner can begin anew.
    if (!isForgotten || this.#inTransaction(connection)) throw error
    return this.surroundings.driver.query(connection, text, params, unnamed(statement))
  }

  async #forgetName(
    error: unknown,
    { connection, text, names }: { connection: C; text: string; names: PreparedNames },
  ): Promise<boolean> {
    if (this.surroundings.driver.isStalePlan?.(error) !== true) return false
    names.forget(text)
    await this.#suspectPooler(connection, error)
    return true
  }

  /** Where names get lost because every transaction may have another session, none is given and none is shared any more. */
  async #suspectPooler(connection: C, error: unknown): Promise<void> {
    const { driver, pooler } = this.surroundings
    if (!this.#prepares || driver.confirmPooler === undefined) return
    let isConfirmed = false
    try {
      isConfirmed = await driver.confirmPooler(connection, error)
    } catch {
      // A connection that cannot answer will be found out by the statement that comes next.
    }
    // Several connections may have asked at the same time.
    if (!isConfirmed || !this.#prepares) return
    this.#prepares = false
    this.mayPipeline = false
    pooler()
  }

  async savepoint(connection: C, name: string, move: SavepointMove): Promise<void> {
    const { driver } = this.surroundings
    if (driver.savepoint === undefined)
      await driver.query(connection, `${SAVEPOINT[move]} ${name}`, [], UNNAMED)
    else await driver.savepoint(connection, name, move)
  }

  /** What a failed statement means: the error to throw, whether the connection is gone, and whether to ask for staleness. */
  judge(error: unknown): { error: unknown; verdict: 'statement' | 'lost' | 'stale' } {
    const { driver, name } = this.surroundings
    const kind = classify(driver, error, 'statement') ?? 'statement'
    if (kind === 'fatal')
      return { error: new ConnectionLostError(name, 'unknown', { cause: error }), verdict: 'lost' }
    return { error, verdict: kind === 'stale' ? 'stale' : 'statement' }
  }

  isConflict(error: unknown): boolean {
    return classify(this.surroundings.driver, error, 'statement') === 'conflict'
  }

  #inTransaction(connection: C): boolean {
    const { driver } = this.surroundings
    return (driver.inTransaction?.(connection) ?? driver.isDirty?.(connection)) !== false
  }

  #namesOf(connection: C): PreparedNames | undefined {
    if (!this.#prepares || typeof connection !== 'object' || connection === null) return undefined
    this.#names ??= new WeakMap()
    let names = this.#names.get(connection)
    if (names === undefined) {
      names = new PreparedNames()
      this.#names.set(connection, names)
    }
    return names
  }
}
