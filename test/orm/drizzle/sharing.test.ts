import { eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import pgModule from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import type { PoolOptions } from '../../../src/contract/options.ts'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { rockpoolDrizzle } from '../../../src/orm/drizzle/index.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf } from '../support.ts'

const person = pgTable('person', {
  id: integer().primaryKey(),
  name: text().notNull(),
  born: timestamp({ mode: 'string' }),
  seen: timestamp({ withTimezone: true }),
})
const server = await startPostgres()
await ask(
  server,
  `create table person (id int primary key, name text not null, born timestamp, seen timestamptz);
   insert into person select n, 'name ' || n, '2020-01-02 03:04:05', '2020-01-02 03:04:05Z' from generate_series(1, 100) n`,
)

function open(options: PoolOptions<pgModule.Client> = {}) {
  // No time goes by: on a busy machine reads may look too slow to share.
  const clock = new VirtualClock()
  const pool = createPool(pg(server.url(), { module: pgModule }), { max: 10, clock, ...options })
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  const db = drizzle(rockpoolDrizzle(pool), { schema: { person } })
  const read = (id: number) => db.select().from(person).where(eq(person.id, id))
  return { pool, db, read }
}

const rowOf = (id: number) => ({
  id,
  name: `name ${id}`,
  born: '2020-01-02 03:04:05',
  seen: new Date('2020-01-02T03:04:05Z'),
})

test('single reads share connections: a crowd of them opens few, and each has its own rows', async () => {
  const { pool, read } = open()
  for (let id = 1; id <= 10; id++) expect(await read(id)).toEqual([rowOf(id)])
  const found = await Promise.all(Array.from({ length: 100 }, (_, n) => read(n + 1)))
  expect(found).toEqual(Array.from({ length: 100 }, (_, n) => [rowOf(n + 1)]))
  expect(pool.stats().total).toBeLessThan(10)
})

test('relational queries share as well', async () => {
  const { pool, db } = open()
  const read = (id: number) => db.query.person.findFirst({ where: eq(person.id, id) })
  for (let id = 1; id <= 10; id++) await read(id)
  const found = await Promise.all(Array.from({ length: 100 }, (_, n) => read(n + 1)))
  expect(found).toEqual(Array.from({ length: 100 }, (_, n) => rowOf(n + 1)))
  expect(pool.stats().total).toBeLessThan(10)
})

test('a write with rows is written once', async () => {
  const { db } = open()
  const values = { id: 1_000, name: 'Ada' }
  expect(await db.insert(person).values(values).returning({ id: person.id })).toEqual([{ id: 1_000 }])
  expect(await db.delete(person).where(eq(person.id, 1_000)).returning({ id: person.id })).toHaveLength(1)
})

test('what runs in a transaction keeps to its connection', async () => {
  const { db } = open()
  const ids = await db.transaction(async (tx) => {
    await tx.insert(person).values({ id: 1_001, name: 'Grace' })
    const own = () => tx.select().from(person).where(eq(person.id, 1_001))
    const seen = await Promise.all(Array.from({ length: 20 }, own))
    await tx.delete(person).where(eq(person.id, 1_001))
    return seen.flat().map(({ id }) => id)
  })
  expect(ids).toEqual(Array(20).fill(1_001))
})

test('who listens for clients is told of each that is used', async () => {
  const { pool, db, read } = open()
  const seen = new Set<unknown>()
  db.$client.on('connect', (client) => seen.add(client))
  for (let id = 1; id <= 10; id++) await read(id)
  await Promise.all(Array.from({ length: 100 }, (_, n) => read(n + 1)))
  expect(seen.size).toBe(pool.stats().total)
})

test('a statement that was given a name has it in the server', async () => {
  const { db } = open({ max: 1 })
  const named = db
    .select()
    .from(person)
    .where(eq(person.id, sql.placeholder('id')))
    .prepare('by_id')
  for (let id = 1; id <= 10; id++) expect(await named.execute({ id })).toEqual([rowOf(id)])
  const { rows } = await db.execute(sql`select name from pg_prepared_statements`)
  expect(rows).toEqual([{ name: 'by_id' }])
})

test('an error is the one of pg, and its stack tells who has asked', async () => {
  const { db } = open()
  const nowhere = pgTable('nowhere', { id: integer() })
  async function whoAsks() {
    await db.select().from(nowhere)
  }
  const error = await errorOf(whoAsks())
  expect(error.cause).toBeInstanceOf(pgModule.DatabaseError)
  expect(error.cause).toMatchObject({ code: '42P01' })
  expect(error.stack).toContain('whoAsks')
})

test('a read whose connection dies fails as pg says it', async () => {
  const { pool, db } = open()
  const slow = errorOf(db.select({ slept: sql`pg_sleep(30)` }).from(person))
  const killed = `select pg_terminate_backend(pid) from pg_stat_activity where state = 'active' and query like '%pg_sleep(30)%' and pid <> pg_backend_pid()`
  await eventually(async () => expect(await ask(server, killed)).toHaveLength(1))
  expect((await slow).cause).toMatchObject({ code: '57P01' })
  await eventually(() => expect(pool.stats().leased).toBe(0))
})

test('`db.$client.end()` waits for reads that run, and refuses those that come after', async () => {
  const { db, read } = open()
  await read(1)
  const order: string[] = []
  // As Drizzle asks.
  const asked = { text: 'select 1 as n', rowMode: 'array' } as never
  const last = db.$client.query(asked, []).then(() => order.push('read'))
  await Promise.all([last, db.$client.end().then(() => order.push('end'))])
  expect(order).toEqual(['read', 'end'])
  expect((await errorOf(read(3))).cause).toMatchObject({
    message: expect.stringMatching(/after calling end/),
  })
})
