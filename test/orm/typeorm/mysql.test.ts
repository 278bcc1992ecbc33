import 'reflect-metadata'
import mariadbModule from 'mariadb'
import mysqlModule from 'mysql2'
import { DataSource, type DataSourceOptions, EntitySchema } from 'typeorm'
import { describe, expect, onTestFinished, test } from 'vitest'
import { InvalidOptionError, PoolBypassedError } from '../../../src/contract/errors.ts'
import type { PoolOptions } from '../../../src/contract/options.ts'
import { createPool } from '../../../src/create-pool.ts'
import { mariadb } from '../../../src/drivers/mariadb/index.ts'
import { mysql2 } from '../../../src/drivers/mysql2/index.ts'
import { type RockpoolTypeormOptions, rockpoolTypeorm } from '../../../src/orm/typeorm/index.ts'
import { useMariadb } from '../../support/mysql-drivers.ts'
import { eventually } from '../../support/postgres.ts'
import { errorOf } from '../support.ts'

const person = new EntitySchema<{ id: number; name: string; born: Date | null }>({
  name: 'person',
  columns: {
    id: { type: 'int', primary: true, generated: true },
    name: { type: 'varchar' },
    born: { type: 'datetime', nullable: true },
  },
})

const used = useMariadb()

function openPool(options: PoolOptions<mysqlModule.Connection> = {}) {
  const pool = createPool(mysql2(used.server.url(), { module: mysqlModule }), { max: 3, ...options })
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  return pool
}

async function open(
  options: PoolOptions<mysqlModule.Connection> = {},
  how: RockpoolTypeormOptions<mysqlModule.Connection> = {},
  more: Partial<DataSourceOptions> = {},
) {
  const pool = openPool(options)
  const given = { type: 'mariadb' as const, ...rockpoolTypeorm(pool, how), entities: [person] }
  const source = new DataSource({ ...given, synchronize: true, ...(more as object) })
  await source.initialize()
  const expectWhole = () =>
    eventually(() => {
      const { total, idle, leased, waiting } = pool.stats()
      expect({ idle, leased, waiting }).toEqual({ idle: total, leased: 0, waiting: 0 })
    })
  return { pool, source, expectWhole }
}

interface Asker {
  query(sql: string): Promise<{ id: string }[]>
}
const idOf = async (on: Asker) => Number((await on.query('select connection_id() as id'))[0]?.id)

describe('TypeORM on MariaDB', () => {
  test('writes and reads, with schema, migrations of it and all', async () => {
    const { source, expectWhole } = await open()
    const people = source.getRepository(person)
    const born = new Date('2000-01-02T03:04:05Z')
    const { id } = await people.save({ name: 'Ada', born })
    expect(await people.findOneBy({ id })).toEqual({ id, name: 'Ada', born })
    expect((await people.delete({ id })).affected).toBe(1)
    await expectWhole()
  })

  test('pins 20 transactions on 3 connections', async () => {
    const { pool, source, expectWhole } = await open()
    const one = () =>
      source.transaction(async (manager) => {
        const first = await idOf(manager)
        await manager.query('select sleep(0.005)')
        return first === (await idOf(manager))
      })
    expect(await Promise.all(Array.from({ length: 20 }, one))).toEqual(Array(20).fill(true))
    expect(pool.stats().total).toBeLessThanOrEqual(3)
    await expectWhole()
  })

  test('a transaction that fails in its body, nested, or by release leaves the pool whole', async () => {
    const { source, expectWhole } = await open({ max: 1 })
    await errorOf(source.transaction((manager) => manager.query('select * from nowhere')))
    await errorOf(
      source.transaction((manager) => manager.transaction((inner) => inner.query('select * from nowhere'))),
    )
    const runner = source.createQueryRunner()
    await runner.startTransaction()
    await runner.manager.insert(person, { name: 'lost' })
    await runner.release()
    expect(await source.getRepository(person).countBy({ name: 'lost' })).toBe(0)
    await expectWhole()
  })

  test('a connection that is killed in a transaction frees its place', async () => {
    const { pool, source, expectWhole } = await open({ max: 2 })
    for (const after of ['throws', 'queries', 'commits']) {
      await errorOf(
        source.transaction(async (manager) => {
          await source.query(`kill ${await idOf(manager)}`)
          await eventually(() => expect(pool.stats().leased).toBe(0))
          if (after === 'throws') throw new Error('its error')
          if (after === 'queries') await idOf(manager)
        }),
      )
      await expectWhole()
      expect(await idOf(source)).toBeTypeOf('number')
    }
  })

  test('an object among the values is a value, and never true of every row', async () => {
    const { source } = await open()
    await source.getRepository(person).save({ name: 'Grace' })
    const rows = await source.query('select * from person where name = ?', [{ name: 1 }])
    expect(rows).toEqual([])
  })

  test('numbers and dates are read as TypeORM asks, and as others on the pool do', async () => {
    const { pool, source } = await open({}, {}, { dateStrings: true, timezone: 'Z' } as object)
    const text = `select 9007199254740993 as big, cast('2000-01-02' as datetime) as day`
    expect(await source.query(text)).toEqual([{ big: '9007199254740993', day: '2000-01-02 00:00:00' }])
    const { rows } = await pool.query(text, [], { multiplex: false })
    expect(rows[0]).toMatchObject({ day: expect.any(Date) })
  })

  test('a stream ends, and gives its connection back with its query runner', async () => {
    const { source, expectWhole } = await open()
    const runner = source.createQueryRunner()
    const seen: unknown[] = []
    for await (const row of await runner.stream('select 1 as n union select 2')) seen.push(row)
    await runner.release()
    expect(seen).toHaveLength(2)
    await expectWhole()
  })

  test('replicas read by turns, and the pool itself writes', async () => {
    const replicas = [openPool({ name: 'one' }), openPool({ name: 'two' })]
    const { pool, source } = await open({}, { replicas })
    const counts = () => [pool, ...replicas].map((one) => one.stats().acquired)
    const before = counts()
    for (let i = 0; i < 4; i++) await source.getRepository(person).find()
    await source.getRepository(person).insert({ name: 'written' })
    expect(counts().map((count, index) => count - (before[index] as number))).toEqual([1, 2, 2])
    await source.destroy()
    expect(pool.closed).toBe(false)
  })

  test('`destroy()` lets go of the pool, or closes it if it is owned', async () => {
    const { pool, source } = await open()
    await source.destroy()
    expect(pool.closed).toBe(false)
    await source.initialize()
    expect(await idOf(source)).toBeTypeOf('number')
    const owner = await open({}, { ownsPool: true, module: mysqlModule })
    await owner.source.destroy()
    expect(owner.pool.closed).toBe(true)
  })

  test('another driver, a host, a size, and a type that the pool does not speak are refused', async () => {
    const refusal = (options: object) => errorOf(open({}, {}, options))
    expect(await refusal({ driver: mysqlModule })).toBeInstanceOf(PoolBypassedError)
    expect(await refusal({ host: 'elsewhere' })).toMatchObject({ option: 'host' })
    expect(await refusal({ poolSize: 4 })).toMatchObject({ option: 'connectionLimit' })
    expect(await refusal({ charset: 'latin1' })).toMatchObject({ option: 'charset' })
    expect(await refusal({ type: 'postgres' })).toBeInstanceOf(InvalidOptionError)
  })

  test('a pool of the package mariadb is refused: TypeORM speaks mysql2', async () => {
    const pool = createPool(mariadb(used.server.url(), { module: mariadbModule }))
    onTestFinished(async () => {
      await pool.close()
    })
    const source = new DataSource({ type: 'mariadb', ...rockpoolTypeorm(pool) })
    expect((await errorOf(source.initialize())).message).toContain('mysql2')
    await eventually(() => expect(pool.stats().leased).toBe(0))
  })
})
