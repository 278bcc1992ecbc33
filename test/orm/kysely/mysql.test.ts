import { type Generated, Kysely, sql } from 'kysely'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { ConnectionLostError } from '../../../src/contract/errors.ts'
import type { PoolOptions } from '../../../src/contract/options.ts'
import { createPool } from '../../../src/create-pool.ts'
import { mysql2 } from '../../../src/drivers/mysql2/index.ts'
import { rockpoolDialect } from '../../../src/orm/kysely/index.ts'
import { type AnyConnection, drivers, useMariadb } from '../../support/mysql-drivers.ts'
import { eventually } from '../../support/postgres.ts'

interface Database {
  person: { id: Generated<number>; name: string }
  pet: { owner_id: number }
}

const used = useMariadb()

const errorOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    (value) => expect.unreachable(`gave ${JSON.stringify(value)}`),
    (error) => error,
  )

beforeAll(async () => {
  if (used.server === undefined) return
  const pool = createPool(mysql2(used.server.url()))
  await pool.query('create table person (id int auto_increment primary key, name varchar(100) not null)')
  await pool.query('create table pet (owner_id int not null, foreign key (owner_id) references person (id))')
  await pool.close()
})

describe.each(drivers)('Kysely on MariaDB, by $name', ({ name, make }) => {
  function open(options: PoolOptions<AnyConnection> = {}) {
    const pool = createPool(make(used.server.url()), { max: 3, ...options })
    const db = new Kysely<Database>({ dialect: rockpoolDialect(pool) })
    onTestFinished(async () => {
      await pool.close({ drainTimeoutMs: 0 })
    })
    const expectWhole = () =>
      eventually(() => {
        const { total, idle, leased, waiting } = pool.stats()
        expect({ idle, leased, waiting }).toEqual({ idle: total, leased: 0, waiting: 0 })
      })
    return { pool, db, expectWhole }
  }
  const idOf = async (db: Kysely<Database>) =>
    Number((await sql<{ id: bigint }>`select connection_id() as id`.execute(db)).rows[0]?.id)

  test('runs its statements on the pool, with results as Kysely gives them', async () => {
    const { db, expectWhole } = open()
    const inserted = await db.insertInto('person').values({ name: 'Ada' }).executeTakeFirstOrThrow()
    expect(inserted.insertId).toBeTypeOf('bigint')
    expect(inserted.numInsertedOrUpdatedRows).toBe(1n)
    const id = Number(inserted.insertId)
    expect(await db.selectFrom('person').selectAll().where('id', '=', id).execute()).toEqual([
      { id, name: 'Ada' },
    ])
    const same = db.updateTable('person').set({ name: 'Ada' }).where('id', '=', id)
    const { numUpdatedRows, numChangedRows } = await same.executeTakeFirstOrThrow()
    expect([numUpdatedRows, numChangedRows]).toEqual([1n, name === 'mysql2' ? 0n : undefined])
    expect((await db.deleteFrom('person').where('id', '=', id).executeTakeFirst()).numDeletedRows).toBe(1n)
    expect(await errorOf(sql`select * from nowhere`.execute(db))).toMatchObject({ errno: 1146 })
    await expectWhole()
  })

  test('20 transactions at once keep each to one of 3 connections', async () => {
    const { db, expectWhole } = open()
    const one = () =>
      db.transaction().execute(async (trx) => {
        const seen = new Set<number>()
        await trx.insertInto('person').values({ name: 'x' }).execute()
        for (let i = 0; i < 3; i++) {
          seen.add(await idOf(trx))
          await sql`select sleep(0.001)`.execute(trx)
        }
        return seen.size
      })
    expect(await Promise.all(Array.from({ length: 20 }, one))).toEqual(Array(20).fill(1))
    await expectWhole()
  })

  test('transactions have their isolation level, their access mode, and savepoints with strange names', async () => {
    const { db, expectWhole } = open()
    const write = db
      .transaction()
      .setIsolationLevel('serializable')
      .setAccessMode('read only')
      .execute((trx) => trx.insertInto('person').values({ name: 'x' }).execute())
    expect(await errorOf(write)).toMatchObject({ errno: 1792 })
    await expectWhole()
    const trx = await db.startTransaction().execute()
    await trx
      .insertInto('person')
      .values({ name: `outer ${name}` })
      .execute()
    const saved = await trx.savepoint('it`s').execute()
    await saved
      .insertInto('person')
      .values({ name: `inner ${name}` })
      .execute()
    await saved.rollbackToSavepoint('it`s').execute()
    await saved.releaseSavepoint('it`s').execute()
    await trx.commit().execute()
    const found = await db.selectFrom('person').select('name').where('name', 'like', `%${name}`).execute()
    expect(found).toEqual([{ name: `outer ${name}` }])
    await expectWhole()
  })

  test('the pool is whole, whatever fails', async () => {
    const { pool, db, expectWhole } = open({ max: 1 })
    const body = db.transaction().execute(async () => {
      throw new Error('body')
    })
    expect(await errorOf(body)).toMatchObject({ message: 'body' })
    await expectWhole()
    const orphan = db.transaction().execute((trx) => trx.insertInto('pet').values({ owner_id: -1 }).execute())
    expect(await errorOf(orphan)).toMatchObject({ errno: 1452 })
    await expectWhole()
    expect(pool.stats().total).toBe(1)
  })

  test('of two transactions in a deadlock one fails, and commits nothing of what it does afterwards', async () => {
    const { db, expectWhole } = open()
    const [a, b] = name === 'mysql2' ? [1_000, 1_001] : [1_000_000, 1_000_001]
    const rows = [a, b].map((id) => ({ id, name: 'one of two' }))
    await db.insertInto('person').values(rows).execute()
    const lock = (trx: Kysely<Database>, id: number) =>
      trx.updateTable('person').set({ name: 'locked' }).where('id', '=', id).execute()
    let arrived = 0
    const both = deferred()
    const one = (first: number, second: number) =>
      db.transaction().execute(async (trx) => {
        await lock(trx, first)
        if (++arrived === 2) both.resolve()
        await both.promise
        await lock(trx, second).catch(() => undefined)
        await trx
          .insertInto('person')
          .values({ name: `after ${name}` })
          .execute()
      })
    const outcomes = await Promise.allSettled([one(a, b), one(b, a)])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const after = await db.selectFrom('person').select('name').where('name', '=', `after ${name}`).execute()
    expect(after).toHaveLength(1)
    await expectWhole()
  })

  test('a killed connection ends its transaction and nothing else', async () => {
    const uncaught = vi.fn()
    process.on('uncaughtException', uncaught)
    onTestFinished(() => void process.off('uncaughtException', uncaught))
    const { pool, db, expectWhole } = open()
    const trx = await db.startTransaction().execute()
    await used.overseer.kill(await idOf(trx))
    await eventually(() => expect(pool.stats().leased).toBe(0))
    const insert = trx.insertInto('person').values({ name: 'x' }).execute()
    expect(await errorOf(insert)).toBeInstanceOf(ConnectionLostError)
    await trx.rollback().execute()
    expect(await Promise.all([1, 2, 3].map(() => idOf(db)))).toHaveLength(3)
    await expectWhole()
    expect(uncaught).not.toHaveBeenCalled()
  })

  test('streams, and lets go when the reader leaves', async () => {
    const { db, expectWhole } = open({ max: 1 })
    const numbers = () =>
      db.selectFrom(sql<{ seq: number }>`seq_1_to_1000`.as('s')).select('s.seq').stream(100)
    let count = 0
    for await (const _ of numbers()) count++
    expect(count).toBe(1000)
    await expectWhole()
    for await (const _ of numbers()) break
    await expectWhole()
  })

  test("an abort with 'cancel query' stops the statement and keeps the connection", async () => {
    const { db, expectWhole } = open({ max: 1 })
    const before = await idOf(db)
    const controller = new AbortController()
    const slow = errorOf(
      sql`select sleep(30)`.execute(db, {
        signal: controller.signal,
        inflightQueryAbortStrategy: 'cancel query',
      }),
    )
    const running = `select id from information_schema.processlist where id = ${before} and info like 'select sleep%'`
    await eventually(async () => expect(await used.overseer.ask(running)).toHaveLength(1))
    controller.abort()
    expect(await slow).toMatchObject({ name: 'AbortError' })
    await expectWhole()
    expect(await idOf(db)).toBe(before)
  })
})

function deferred() {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
