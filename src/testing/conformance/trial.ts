import assert from 'node:assert/strict'
import type { PoolOptions } from '../../contract/options.ts'
import type { Queryable, SqlPool } from '../../contract/sql.ts'
import type { QueryResult, SqlDriver } from '../../contract/sql-driver.ts'
import { createPool } from '../../create-pool.ts'
import type { NetworkFacts, Refusals, ServerFacts, SqlFacts, Subject } from './subject.ts'
import { Table } from './table.ts'

/** For what is to come, also on a busy machine: whatever takes as long as this never comes. */
const PATIENCE_MS = 15_000

/** One case on its way: what it has opened is closed at its end, and what is left over then fails it. */
export class Trial<C> {
  readonly driver: SqlDriver<C>
  readonly #subject: Subject<C>
  readonly #pools: SqlPool<C>[] = []
  readonly #tables: Table[] = []
  readonly #atEnd: (() => unknown)[] = []
  readonly #uncaught: unknown[] = []
  readonly #before: number | undefined
  static #count = 0

  private constructor(subject: Subject<C>, driver: SqlDriver<C>, before: number | undefined) {
    this.#subject = subject
    this.driver = driver
    this.#before = before
  }

  static async run<C>(subject: Subject<C>, work: (trial: Trial<C>) => Promise<void>): Promise<void> {
    const trial = new Trial(subject, await subject.driver(), await subject.server?.sessions())
    const uncaught = (error: unknown) => trial.#uncaught.push(error)
    process.on('uncaughtException', uncaught).on('unhandledRejection', uncaught)
    try {
      await work(trial).catch(async (error) => {
        // What went wrong first is what is to be seen.
        await trial.#end().catch(() => {})
        throw error
      })
      await trial.#end()
      await trial.#nothingIsLeft()
    } finally {
      process.off('uncaughtException', uncaught).off('unhandledRejection', uncaught)
    }
  }

  /** A pool of its own, on the driver under test unless another one is given. */
  pool(options: PoolOptions<C> = {}, driver: SqlDriver<C> = this.driver): SqlPool<C> {
    const pool = createPool(driver, options)
    this.#pools.push(pool)
    return pool
  }

  async table(pool: SqlPool<C>): Promise<Table> {
    const name = `rockpool_${Date.now().toString(36)}_${Trial.#count++}`
    const create = this.#subject.sql.createTable ?? standardTable
    await pool.query(create(name))
    return this.keep(new Table(name, (sql) => this.text(sql)))
  }

  /** A table that is dropped at the end. */
  keep(table: Table): Table {
    this.#tables.push(table)
    return table
  }

  atEnd(clean: () => unknown): void {
    this.#atEnd.push(clean)
  }

  /** The statement with the driver's own placeholders. */
  text(sql: string): string {
    let position = 0
    return sql.replaceAll('?', () => this.driver.placeholder?.(++position) ?? '?')
  }

  get one(): string {
    return this.#subject.sql.one ?? 'select 1'
  }

  get abortsTransactions(): boolean {
    return this.#subject.sql.abortsTransactions ?? false
  }

  sql<F extends keyof SqlFacts<C>>(fact: F): NonNullable<SqlFacts<C>[F]> {
    return known(this.#subject.sql[fact], `sql.${fact}`) as NonNullable<SqlFacts<C>[F]>
  }

  /** The fact, where giving it is up to the subject. */
  optional<F extends keyof SqlFacts<C>>(fact: F): SqlFacts<C>[F] {
    return this.#subject.sql[fact]
  }

  get server(): ServerFacts {
    return known(this.#subject.server, 'server')
  }

  async demote(): Promise<() => unknown> {
    return known(this.#subject.server?.demote, 'server.demote').call(this.#subject.server)
  }

  get countsSessions(): boolean {
    return this.#subject.server !== undefined
  }

  get network(): NetworkFacts<C> {
    return known(this.#subject.network, 'network')
  }

  refusal<F extends keyof Refusals<C>>(fact: F): NonNullable<Refusals<C>[F]> {
    return known(this.#subject.refusals?.[fact], `refusals.${fact}`) as NonNullable<Refusals<C>[F]>
  }

  /** The method, of a driver that has it. */
  capability<M extends keyof SqlDriver<C>>(method: M): NonNullable<SqlDriver<C>[M]> {
    assert(
      this.driver[method] !== undefined,
      `the driver has no ${method}: add it, or skip this case with a reason`,
    )
    return this.driver[method] as NonNullable<SqlDriver<C>[M]>
  }

  /** Which session runs the statements of `queryable`. */
  async session(queryable: Queryable): Promise<unknown> {
    return value(await queryable.query(this.sql('sessionId')))
  }

  async #end(): Promise<void> {
    const dropping = this.#tables.length === 0 ? undefined : createPool(this.driver, { max: 1 })
    await Promise.all(this.#pools.map((pool) => pool.close({ drainTimeoutMs: 0 })))
    for (const table of this.#tables) await dropping?.query(`drop table ${table.name}`)
    await dropping?.close()
    for (const clean of this.#atEnd.reverse()) await clean()
  }

  async #nothingIsLeft(): Promise<void> {
    const { server } = this.#subject
    if (server !== undefined) {
      const left = async () => (await server.sessions()) - (this.#before ?? 0)
      await eventually(async () => (await left()) <= 0, 'all sessions are gone from the server')
    }
    assert.deepEqual(this.#uncaught, [], 'an error reached nobody')
  }
}

function standardTable(name: string): string {
  return `create table ${name} (id integer not null primary key, note varchar(200))`
}

function known<T>(fact: T | undefined, name: string): T {
  assert(fact !== undefined, `this case needs the fact "${name}": give it, or skip the case with a reason`)
  return fact
}

/** The first value of the first row. */
export function value(result: QueryResult): unknown {
  const [row] = result.rows
  assert(row !== undefined, 'a row was expected')
  return Object.values(row)[0]
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Waits until something is so, which happens without our doing. */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    assert(performance.now() < deadline, `not within ${PATIENCE_MS} ms: ${what}`)
    await pause(5)
  }
}

/** The promise, which must settle in time. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: `not within ${PATIENCE_MS} ms: ${what}` })),
      PATIENCE_MS,
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The error that a promise must reject with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let answer: unknown
  try {
    answer = await promise
  } catch (error) {
    return error
  }
  throw new assert.AssertionError({ message: 'it should have failed', actual: answer })
}

export function assertCode(error: unknown, code: string): void {
  assert(error instanceof Error, `an error was expected, not ${String(error)}`)
  assert.equal((error as { code?: unknown }).code, code, `${error.name}: ${error.message}`)
}
