import assert from 'node:assert/strict'
import pgModule, { type Client } from 'pg'
import { createPool } from '../../../src/create-pool.ts'
import { type PgConfig, pg } from '../../../src/drivers/pg/index.ts'
import type { PoolOptions, SqlPool } from '../../../src/index.ts'
import { rockpoolDriverFactory } from '../../../src/orm/slonik/index.ts'

// Runs on a newer Node, beside Slonik, whose types are not installed here.

type Row = Record<string, unknown>
type Fragment = object
type Template = (parts: TemplateStringsArray, ...values: unknown[]) => Fragment

/** What Slonik's pool, connections and transactions have in common. */
export interface Methods {
  any(query: Fragment): Promise<Row[]>
  one(query: Fragment): Promise<Row>
  oneFirst(query: Fragment): Promise<unknown>
  maybeOne(query: Fragment): Promise<Row | null>
  query(query: Fragment): Promise<{ rows: Row[]; rowCount: number; command: string; notices: unknown[] }>
  transaction<T>(work: (t: Methods) => Promise<T>, retries?: number): Promise<T>
}

export interface SlonikPool extends Methods {
  connect<T>(work: (c: Methods) => Promise<T>): Promise<T>
  stream(
    query: Fragment,
    onStream: (stream: AsyncIterable<{ data: Row }> & { destroy(error?: Error): void }) => void,
  ): Promise<unknown>
  end(): Promise<void>
  state(): { idleConnections: number; acquiredConnections: number; waitingClients: number; state: string }
}

type ErrorClass = new (...given: never[]) => Error

interface Slonik {
  readonly createPool: (uri: string, options?: object) => Promise<SlonikPool>
  readonly sql: { readonly unsafe: Template }
  readonly [name: `${string}Error`]: ErrorClass
}

// By variables, so that nobody looks for them here.
const slonikName = 'slonik'
export const slonik: Slonik = await import(slonikName)
export const sql = slonik.sql.unsafe

export const PG_URL = process.env.ROCKPOOL_PG_URL ?? ''

/** The superuser's own connection. */
export async function ask(text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pgModule.Client({ connectionString: PG_URL, application_name: 'admin' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query(text, values)).rows
  } finally {
    await client.end()
  }
}

export const kill = (pid: unknown) => ask('select pg_terminate_backend($1)', [pid])
export const pidOf = (on: Methods) => on.oneFirst(sql`select pg_backend_pid()`)

export function poolFor(limits: PoolOptions<Client> = {}, config: PgConfig = {}): SqlPool<Client> {
  const driver = pg({ connectionString: PG_URL, ...config }, { module: pgModule })
  const pool = createPool(driver, { max: 3, ...limits }) as SqlPool<Client>
  pool.on('error', () => undefined)
  return pool
}

export const slonikOn = (pool: SqlPool<Client>, options: object = {}) =>
  slonik.createPool('postgres://', { driverFactory: rockpoolDriverFactory(pool), ...options })

export async function eventually<T>(attempt: () => T | Promise<T>, limitMs = 20_000): Promise<T> {
  const deadline = performance.now() + limitMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

export const whole = (pool: SqlPool<Client>) =>
  eventually(() => {
    const { leased, waiting } = pool.stats()
    assert.deepEqual({ leased, waiting }, { leased: 0, waiting: 0 })
  })

export async function errorOf(promise: PromiseLike<unknown>): Promise<Error & Row> {
  return Promise.resolve(promise).then(
    (value) => assert.fail(`gave ${JSON.stringify(value)}`),
    (error) => error,
  )
}

/** What would have ended the process. */
export const uncaught: unknown[] = []
process.on('uncaughtException', (error) => uncaught.push(error))
process.on('unhandledRejection', (error) => uncaught.push(error))
