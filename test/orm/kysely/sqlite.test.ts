import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Generated, Kysely, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { sqlite } from '../../../src/drivers/sqlite/index.ts'
import { rockpoolDialect } from '../../../src/orm/kysely/index.ts'
import { eventually } from '../../support/postgres.ts'

interface Database {
  person: { id: Generated<number>; name: string }
  pet: { owner_id: number }
}

async function open(place: 'file' | 'memory' = 'file') {
  const folder = mkdtempSync(join(tmpdir(), 'kysely-sqlite-'))
  const file = place === 'file' ? join(folder, 'app.db') : ':memory:'
  const pool = createPool(sqlite({ file }, { module: 'libsql' }), { max: 4 })
  const db = new Kysely<Database>({ dialect: rockpoolDialect(pool) })
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
    rmSync(folder, { recursive: true })
  })
  await sql`create table person (id integer primary key, name text not null)`.execute(db)
  await sql`create table pet (owner_id int references person deferrable initially deferred)`.execute(db)
  const expectWhole = () =>
    eventually(() => {
      const { total, idle, leased, waiting } = pool.stats()
      expect({ idle, leased, waiting }).toEqual({ idle: total, leased: 0, waiting: 0 })
    })
  return { pool, db, expectWhole }
}

describe.each(['file', 'memory'] as const)('Kysely on SQLite, in %s', (place) => {
  test('runs its statements on the pool, with results as Kysely gives them', async () => {
    const { db, expectWhole } = await open(place)
    const inserted = await db.insertInto('person').values({ name: 'Ada' }).executeTakeFirstOrThrow()
    expect([inserted.insertId, inserted.numInsertedOrUpdatedRows]).toEqual([1n, 1n])
    const returned = await db.insertInto('person').values({ name: 'Eve' }).returning('id').execute()
    expect(returned).toEqual([{ id: 2 }])
    expect(await db.selectFrom('person').selectAll().execute()).toEqual([
      { id: 1, name: 'Ada' },
      { id: 2, name: 'Eve' },
    ])
    const updated = await db.updateTable('person').set({ name: 'x' }).executeTakeFirst()
    expect(updated.numUpdatedRows).toBe(2n)
    expect((await db.deleteFrom('person').executeTakeFirst()).numDeletedRows).toBe(2n)
    await expect(sql`select * from nowhere`.execute(db)).rejects.toThrow('no such table: nowhere')
    await expectWhole()
  })

  test('20 transactions at once take their turns, and each sees what it has done', async () => {
    const { db, expectWhole } = await open(place)
    const count = async (on: Kysely<Database>) =>
      Number(
        (
          await on
            .selectFrom('person')
            .select((eb) => eb.fn.countAll().as('n'))
            .executeTakeFirstOrThrow()
        ).n,
      )
    await Promise.all(
      Array.from({ length: 20 }, () =>
        db.transaction().execute(async (trx) => {
          const before = await count(trx)
          await trx
            .insertInto('person')
            .values({ name: `${before}` })
            .execute()
          expect(await count(trx)).toBe(before + 1)
        }),
      ),
    )
    const names = (await db.selectFrom('person').select('name').orderBy('id').execute()).map(
      (row) => row.name,
    )
    expect(names).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`))
    await expectWhole()
  })

  test('transactions roll back, to a savepoint or to where they began; a COMMIT may fail', async () => {
    const { db, expectWhole } = await open(place)
    const body = db.transaction().execute(async (trx) => {
      await trx.insertInto('person').values({ name: 'gone' }).execute()
      throw new Error('body')
    })
    await expect(body).rejects.toThrow('body')
    const orphan = db.transaction().execute((trx) => trx.insertInto('pet').values({ owner_id: 9 }).execute())
    await expect(orphan).rejects.toThrow(/FOREIGN KEY/)
    await expectWhole()
    const trx = await db.startTransaction().execute()
    await trx.insertInto('person').values({ name: 'outer' }).execute()
    const saved = await trx.savepoint('it"s').execute()
    await saved.insertInto('person').values({ name: 'inner' }).execute()
    await saved.rollbackToSavepoint('it"s').execute()
    await trx.commit().execute()
    expect(await db.selectFrom('person').select('name').execute()).toEqual([{ name: 'outer' }])
    expect(await db.selectFrom('pet').selectAll().execute()).toEqual([])
    await expectWhole()
  })

  test('streams, and lets go when the reader leaves', async () => {
    const { db, expectWhole } = await open(place)
    const numbers = Array.from({ length: 500 }, (_, i) => ({ name: `${i}` }))
    await db.insertInto('person').values(numbers).execute()
    let count = 0
    for await (const _ of db.selectFrom('person').selectAll().stream()) count++
    expect(count).toBe(500)
    for await (const _ of db.selectFrom('person').selectAll().stream()) break
    await expectWhole()
  })

  test('two migrators at once run each migration once', async () => {
    const { db, expectWhole } = await open(place)
    const runs: string[] = []
    const up = async (on: Kysely<never>) => {
      runs.push('up')
      await on.schema.createTable('fruit').addColumn('name', 'text').execute()
    }
    const provider = { getMigrations: async () => ({ '1_fruit': { up } }) }
    const migrate = () => new Migrator({ db, provider }).migrateToLatest()
    const results = await Promise.all([migrate(), migrate()])
    expect(results.map(({ error }) => error)).toEqual([undefined, undefined])
    expect(runs).toEqual(['up'])
    const tables = await db.introspection.getTables()
    expect(tables.map(({ name }) => name)).toContain('fruit')
    await expectWhole()
  })
})

test('readers do not wait for a transaction that writes', async () => {
  const { db } = await open()
  const trx = await db.startTransaction().execute()
  await trx.insertInto('person').values({ name: 'unseen' }).execute()
  expect(await db.selectFrom('person').selectAll().execute()).toEqual([])
  const [reader] = await Promise.all([
    db
      .transaction()
      .setAccessMode('read only')
      .execute((on) => on.selectFrom('person').selectAll().execute()),
  ])
  expect(reader).toEqual([])
  await trx.commit().execute()
  expect(await db.selectFrom('person').select('name').execute()).toEqual([{ name: 'unseen' }])
})

test("an abort with 'cancel query' of what has no connection yet keeps it from beginning", async () => {
  const { pool, db, expectWhole } = await open()
  const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()))
  const controller = new AbortController()
  const running = db
    .insertInto('person')
    .values({ name: 'late' })
    .execute({ signal: controller.signal, inflightQueryAbortStrategy: 'cancel query' })
  const rejected = expect(running).rejects.toMatchObject({ name: 'AbortError' })
  await eventually(() => expect(pool.stats().waiting).toBe(1))
  controller.abort()
  await rejected
  for (const lease of leases) lease.release()
  await expectWhole()
  expect(await db.selectFrom('person').selectAll().execute()).toEqual([])
})

test("an abort with 'cancel query' stops the statement", async () => {
  const { db, expectWhole } = await open()
  const controller = new AbortController()
  const endless = sql`with recursive n(i) as (select 1 union all select i + 1 from n) select i from n`
  const running = endless.execute(db, {
    signal: controller.signal,
    inflightQueryAbortStrategy: 'cancel query',
  })
  setTimeout(() => controller.abort(), 1_000)
  await expect(running).rejects.toMatchObject({ name: 'AbortError' })
  await expectWhole()
})
