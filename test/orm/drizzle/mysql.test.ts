import { eq, sql } from 'drizzle-orm'
import { int, mysqlTable, varchar } from 'drizzle-orm/mysql-core'
import { drizzle } from 'drizzle-orm/mysql2'
import mysqlModule from 'mysql2'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { PoolBypassedError } from '../../../src/contract/errors.ts'
import type { PoolOptions } from '../../../src/contract/options.ts'
import { createPool } from '../../../src/create-pool.ts'
import { mysql2 } from '../../../src/drivers/mysql2/index.ts'
import { rockpoolDrizzle } from '../../../src/orm/drizzle/index.ts'
import { useMariadb } from '../../support/mysql-drivers.ts'
import { eventually } from '../../support/postgres.ts'
import { errorOf } from '../support.ts'

const person = mysqlTable('person', {
  id: int().autoincrement().primaryKey(),
  name: varchar({ length: 100 }).notNull(),
})

const used = useMariadb()

beforeAll(async () => {
  if (used.server === undefined) return
  const pool = createPool(mysql2(used.server.url()))
  await pool.query('create table person (id int auto_increment primary key, name varchar(100) not null)')
  await pool.close()
})

function open(options: PoolOptions<mysqlModule.Connection> = {}) {
  const pool = createPool(mysql2(used.server.url(), { module: mysqlModule }), { max: 3, ...options })
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  const db = drizzle(rockpoolDrizzle(pool), { schema: { person }, mode: 'default' })
  const expectWhole = () =>
    eventually(() => {
      const { total, idle, leased, waiting } = pool.stats()
      expect({ idle, leased, waiting }).toEqual({ idle: total, leased: 0, waiting: 0 })
    })
  return { pool, db, expectWhole }
}

type Executor = { execute: ReturnType<typeof open>['db']['execute'] }
async function idOf(db: Executor): Promise<number> {
  const [rows] = await db.execute(sql`select connection_id() as id`)
  return (rows as unknown as { id: number }[])[0]?.id ?? Number.NaN
}

describe('Drizzle on MariaDB', () => {
  test('writes and reads, with relations by name', async () => {
    const { db, expectWhole } = open()
    const [{ id }] = (await db.insert(person).values({ name: 'Ada' }).$returningId()) as [{ id: number }]
    expect(await db.query.person.findFirst({ where: eq(person.id, id) })).toEqual({ id, name: 'Ada' })
    await expectWhole()
  })

  test('pins 20 transactions on 3 connections', async () => {
    const { pool, db, expectWhole } = open()
    const one = () =>
      db.transaction(async (tx) => {
        const first = await idOf(tx)
        await tx.execute(sql`select sleep(0.005)`)
        return first === (await idOf(tx))
      })
    expect(await Promise.all(Array.from({ length: 20 }, one))).toEqual(Array(20).fill(true))
    expect(pool.stats().total).toBeLessThanOrEqual(3)
    await expectWhole()
  })

  test.each([
    ['BEGIN', { isolationLevel: 'imaginary' as 'serializable' }],
    [
      'what comes before BEGIN',
      { isolationLevel: 'serializable' as const, accessMode: 'imaginary' as 'read only' },
    ],
  ])('a failure in %s leaves the pool whole', async (_, config) => {
    const { db, expectWhole } = open({ max: 2 })
    for (let i = 0; i < 4; i++) await errorOf(db.transaction(async () => undefined, config))
    await expectWhole()
    expect(await idOf(db)).toBeTypeOf('number')
  })

  test('a failure in the body, or nested, leaves the pool whole and nothing behind', async () => {
    const { db, expectWhole } = open()
    await errorOf(
      db.transaction(async (tx) => {
        await tx.insert(person).values({ name: 'lost' })
        await tx.transaction((inner) => inner.execute(sql`select * from nowhere`))
      }),
    )
    expect(await db.select().from(person).where(eq(person.name, 'lost'))).toEqual([])
    await expectWhole()
  })

  test('a connection that is killed in a transaction frees its place', async () => {
    const { pool, db, expectWhole } = open({ max: 2 })
    const killer = drizzle(rockpoolDrizzle(pool))
    await errorOf(
      db.transaction(async (tx) => {
        await killer.execute(sql.raw(`kill ${await idOf(tx)}`))
        await eventually(() => expect(pool.stats().leased).toBe(0))
        await idOf(tx)
      }),
    )
    await expectWhole()
    expect(await idOf(db)).toBeTypeOf('number')
  })

  test('an iterator gives its connection back, also when it is left early', async () => {
    const { db, expectWhole } = open({ max: 1 })
    const warned = vi.spyOn(console, 'warn')
    await db.insert(person).values([{ name: 'a' }, { name: 'b' }, { name: 'c' }])
    let rows = 0
    for await (const _ of db.select().from(person).iterator()) rows++
    expect(rows).toBeGreaterThanOrEqual(3)
    await expectWhole()
    for await (const _ of db.select().from(person).iterator()) break
    await expectWhole()
    expect(warned).not.toHaveBeenCalled()
    expect(await idOf(db)).toBeTypeOf('number')
  })

  test('BEGIN by hand is stopped', async () => {
    const { db } = open()
    const error = await errorOf(db.execute(sql`begin`))
    expect(error.cause).toBeInstanceOf(PoolBypassedError)
  })

  test('`$client.end()` lets go of the pool, or closes it if it is owned', async () => {
    const { pool, db } = open()
    await idOf(db)
    await db.$client.end()
    await errorOf(idOf(db))
    expect(pool.closed).toBe(false)
    const owner = drizzle(rockpoolDrizzle(pool, { ownsPool: true, module: mysqlModule }))
    await owner.$client.end()
    expect(pool.closed).toBe(true)
  })
})
