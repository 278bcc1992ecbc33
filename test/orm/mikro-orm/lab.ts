import assert from 'node:assert/strict'
import type { Client } from 'pg'
import { createPool } from '../../../src/create-pool.ts'
import { mysql2 } from '../../../src/drivers/mysql2/index.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { sqlite } from '../../../src/drivers/sqlite/index.ts'
import type { PoolOptions, SqlPool } from '../../../src/index.ts'
import { type RockpoolMikroOrmOptions, rockpoolMikroOrm } from '../../../src/orm/mikro-orm/index.ts'

// Runs on a newer Node, beside MikroORM, whose types are not installed here.

interface Row {
  [name: string]: unknown
}

export interface EntityManager {
  fork(): EntityManager
  create(entity: unknown, data: object): Row & { author: Row; books: Iterable<Row> }
  persist(entity: object): EntityManager
  flush(): Promise<void>
  count(entity: unknown, where?: object): Promise<number>
  find(entity: unknown, where: object, options?: object): Promise<(Row & { books: Iterable<Row> })[]>
  execute(sql: string, params?: unknown[]): Promise<Row[]>
  transactional<T>(work: (em: EntityManager) => Promise<T>, options?: object): Promise<T>
  createQueryBuilder(entity: unknown): { stream(): AsyncIterable<Row> }
}

export interface Orm {
  readonly em: EntityManager
  readonly schema: { create(): Promise<void>; update(): Promise<void>; clear(): Promise<void> }
  connect(): Promise<unknown>
  close(force?: boolean): Promise<void>
}

export type Kind = 'postgresql' | 'mariadb' | 'sqlite'

// By variables, so that nobody looks for them here.
const core = '@mikro-orm/core'
const pgName = 'pg'
const mysql2Name = 'mysql2'
const { defineEntity, p, RequestContext } = await import(core)
const pgModule: typeof import('pg') = (await import(pgName)).default

export const Author = defineEntity({
  name: 'Author',
  properties: () => ({
    id: p.integer().primary(),
    name: p.string().unique(),
    born: p.datetime().nullable(),
    books: () => p.oneToMany(Book).mappedBy('author'),
  }),
})
export const Book: unknown = defineEntity({
  name: 'Book',
  properties: () => ({
    id: p.integer().primary(),
    title: p.string(),
    author: () => p.manyToOne(Author),
  }),
})

export const Account: unknown = defineEntity({
  name: 'Account',
  tableName: 'accounts',
  properties: () => ({ id: p.integer().primary(), name: p.string(), balance: p.integer() }),
})

export async function initOrm(kind: Kind, options: object): Promise<Orm> {
  const { MikroORM } = await import(`@mikro-orm/${kind}`)
  return MikroORM.init({ dbName: 'postgres', entities: [Author, Book, Account], ...options })
}

/** As in a request of a server whose session variables are these. */
export function inContextOf<T>(em: EntityManager, session: object, work: () => Promise<T>): Promise<T> {
  return RequestContext.create(em, () => {
    RequestContext.getEntityManager().setSessionContext(session)
    return work()
  })
}

export const PG_URL = process.env.ROCKPOOL_PG_URL ?? ''
export const MYSQL_URL = process.env.ROCKPOOL_MYSQL_URL

export function pgPool(limits: PoolOptions<Client> = {}): SqlPool<Client> {
  return createPool(pg(PG_URL, { module: pgModule }), { max: 3, ...limits })
}

export async function mysqlPool(): Promise<SqlPool<unknown>> {
  const module: typeof import('mysql2') = await import(mysql2Name)
  return createPool(mysql2(MYSQL_URL as string, { module }), { max: 3 })
}

export function sqlitePool(file: string): SqlPool<unknown> {
  return createPool(sqlite({ file }))
}

export function ormOn(pool: SqlPool<never> | SqlPool<unknown>, options: RockpoolMikroOrmOptions = {}) {
  return initOrm('postgresql', rockpoolMikroOrm(pool as SqlPool<unknown>, options))
}

/** Rows of one statement that runs beside the pool. */
export async function ask(sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pgModule.Client({ connectionString: PG_URL, application_name: 'admin' })
  await client.connect()
  try {
    return (await client.query(sql, values)).rows
  } finally {
    await client.end()
  }
}

export const pidOf = async (em: EntityManager) => (await em.execute('select pg_backend_pid() as pid'))[0]?.pid
export const kill = (pid: unknown) => ask('select pg_terminate_backend($1)', [pid])

export async function eventually(attempt: () => unknown): Promise<void> {
  const deadline = performance.now() + 20_000
  for (;;) {
    try {
      await attempt()
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

export const whole = (pool: SqlPool<never> | SqlPool<unknown>) =>
  eventually(() => assert.deepEqual([pool.stats().leased, pool.stats().waiting], [0, 0]))

export function errorOf(promise: PromiseLike<unknown>): Promise<Error & { code?: string; cause?: unknown }> {
  return Promise.resolve(promise).then(
    (value) => assert.fail(`gave ${JSON.stringify(value)}`),
    (error) => error,
  )
}

export const openSockets = () =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length

/** What would have ended the process meanwhile. */
export async function uncaughtIn(work: () => Promise<unknown>): Promise<unknown[]> {
  const uncaught: unknown[] = []
  const note = (error: unknown) => void uncaught.push(error)
  process.on('uncaughtException', note)
  try {
    await work()
    await new Promise(setImmediate)
    return uncaught
  } finally {
    process.removeListener('uncaughtException', note)
  }
}
