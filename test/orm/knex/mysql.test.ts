import makeKnex, { type Knex } from 'knex'
import mysqlModule from 'mysql2'
import promises from 'mysql2/promise'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { PoolOptions } from '../../../src/contract/options.ts'
import { createPool } from '../../../src/create-pool.ts'
import { mariadb } from '../../../src/drivers/mariadb/index.ts'
import { mysql2 } from '../../../src/drivers/mysql2/index.ts'
import { type RockpoolKnexConfig, rockpoolClient, rockpoolKnex } from '../../../src/orm/knex/index.ts'
import { useMariadb } from '../../support/mysql-drivers.ts'
import { eventually } from '../../support/postgres.ts'

const used = useMariadb()

const modules = { mysql2: mysqlModule, 'mysql2/promise': promises, 'the one that is installed': undefined }

function open(
  config: RockpoolKnexConfig = {},
  options: PoolOptions<unknown> = {},
  module: unknown = mysqlModule,
) {
  const driver = mysql2(
    used.server.url(),
    module === undefined ? {} : { module: module as typeof mysqlModule },
  )
  const pool = createPool(driver, { max: 3, ...(options as object) })
  const knex: Knex = makeKnex(rockpoolKnex(pool, config))
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  const expectWhole = () =>
    eventually(() => {
      const { total, idle, leased, waiting } = pool.stats()
      expect({ idle, leased, waiting }).toEqual({ idle: total, leased: 0, waiting: 0 })
    })
  return { pool, knex, expectWhole }
}

const errorOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    (value) => expect.unreachable(`gave ${JSON.stringify(value)}`),
    (error) => error,
  )

beforeAll(async () => {
  if (used.server === undefined) return
  const knex = makeKnex({ client: 'mysql2', connection: used.server.url() })
  await knex.raw('create table person (id int auto_increment primary key, name varchar(100) not null)')
  await knex.raw('create table pet (owner_id int not null, foreign key (owner_id) references person (id))')
  await knex.destroy()
})

describe.each(Object.entries(modules))('Knex on MariaDB, by %s', (_, module) => {
  test('runs its statements on the pool, with results as Knex gives them', async () => {
    const { knex, expectWhole } = open({}, {}, module)
    const [id] = await knex('person').insert({ name: 'Ada' })
    expect(await knex('person').where({ id }).first()).toEqual({ id, name: 'Ada' })
    expect(await knex('person').where({ id }).update({ name: 'Eve' })).toBe(1)
    expect((await knex.raw('select ? as n', [1]))[0]).toEqual([{ n: 1 }])
    expect(await knex('person').where({ id }).del()).toBe(1)
    expect(await errorOf(knex('nowhere'))).toMatchObject({ code: 'ER_NO_SUCH_TABLE' })
    await expectWhole()
  })

  test('20 transactions at once keep each to one of 3 connections', async () => {
    const { knex, expectWhole } = open({}, {}, module)
    const one = () =>
      knex.transaction(async (trx) => {
        const seen = new Set<unknown>()
        await trx('person').insert({ name: 'x' })
        for (let i = 0; i < 3; i++) {
          const [row] = await trx.select(trx.raw('connection_id() as at, sleep(0.001) as nap'))
          seen.add(row.at)
        }
        return seen.size
      })
    const seen = await Promise.all(Array.from({ length: 20 }, one))
    expect(seen).toEqual(Array(20).fill(1))
    await expectWhole()
  })
})

describe('Knex on MariaDB', () => {
  test('leaves the pool whole, whatever fails', async () => {
    const { pool, knex, expectWhole } = open({}, { max: 1 })
    const body = knex.transaction(async (trx) => {
      await trx('person').insert({ name: 'gone' })
      throw new Error('body')
    })
    expect(await errorOf(body)).toMatchObject({ message: 'body' })
    await expectWhole()
    expect(await errorOf(knex.transaction((trx) => trx('pet').insert({ owner_id: -1 })))).toMatchObject({
      code: 'ER_NO_REFERENCED_ROW_2',
    })
    await expectWhole()
    expect(await knex('person').where({ name: 'gone' })).toEqual([])
    expect(pool.stats().total).toBe(1)
  })

  test('a killed connection ends its transaction and nothing else', async () => {
    const uncaught = vi.fn()
    process.on('uncaughtException', uncaught)
    onTestFinished(() => void process.off('uncaughtException', uncaught))
    const { pool, knex, expectWhole } = open()
    const trx = await knex.transaction()
    const [[{ id }]] = await trx.raw('select connection_id() as id')
    await knex.raw('kill ?', [id])
    await eventually(() => expect(pool.stats().leased).toBe(0))
    await errorOf(trx('person').insert({ name: 'x' }))
    await Promise.all([trx.rollback(), errorOf(trx.executionPromise)])
    expect(await Promise.all([1, 2, 3].map(() => knex.raw('select 1')))).toHaveLength(3)
    await expectWhole()
    expect(uncaught).not.toHaveBeenCalled()
  })

  test('a statement with a timeout is stopped, and its connection is kept', async () => {
    const { pool, knex, expectWhole } = open({}, { max: 1 })
    const error = await errorOf(knex.raw('select sleep(30)').timeout(1_000, { cancel: true }))
    expect(error).toBeInstanceOf(makeKnex.KnexTimeoutError)
    await expectWhole()
    expect((await knex.raw('select 1 as n'))[0]).toEqual([{ n: 1 }])
    expect(pool.stats().total).toBe(1)
  })

  test('streams, and lets go when the reader leaves', async () => {
    const { knex, expectWhole } = open({}, { max: 1 })
    const rows: unknown[] = []
    for await (const row of knex.raw('select seq from seq_1_to_1000').stream()) rows.push(row)
    expect(rows).toHaveLength(1000)
    await expectWhole()
    for await (const row of knex.raw('select seq from seq_1_to_1000').stream()) {
      expect(row).toEqual({ seq: 1 })
      break
    }
    await expectWhole()
  })

  test('renames a column, for which Knex must know the database', async () => {
    const { knex } = open()
    await knex.schema.createTable('renamed', (table) => table.increments('id'))
    await knex.schema.alterTable('renamed', (table) => table.renameColumn('id', 'number'))
    expect(Object.keys(await knex('renamed').columnInfo())).toEqual(['number'])
    await knex.schema.dropTable('renamed')
    expect(knex.client.isMariaDB).toBe(true)
  })

  test('refuses a pool of another package: Knex speaks mysql2', async () => {
    const pool = createPool(mariadb(used.server.url()))
    onTestFinished(async () => void (await pool.close()))
    const knex = makeKnex(rockpoolKnex(pool, { log: { warn: () => undefined } }))
    await expect(knex.raw('select 1')).rejects.toThrow(/rockpool\/drivers\/mysql2/)
    expect(pool.stats().leased).toBe(0)
  })

  test("from Knex's own settings a killed connection frees its place", async () => {
    const knex = makeKnex({
      client: rockpoolClient('mysql2'),
      connection: used.server.url(),
      pool: { min: 0, max: 2 },
      log: { warn: () => undefined },
    })
    onTestFinished(() => knex.destroy())
    const trx = await knex.transaction()
    const [[{ id }]] = await trx.raw('select connection_id() as id')
    await knex.raw('kill ?', [id])
    const { stats } = { stats: () => knex.client.pool.pool.stats() }
    await eventually(() => expect(stats().leased).toBe(0))
    await Promise.all([trx.rollback(), errorOf(trx.executionPromise)])
    expect((await knex.raw('select 1 as n'))[0]).toEqual([{ n: 1 }])
  })
})
