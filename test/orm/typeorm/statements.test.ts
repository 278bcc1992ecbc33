import 'reflect-metadata'
import pgModule from 'pg'
import { DataSource, EntitySchema, type EntitySubscriberInterface } from 'typeorm'
import { expect, onTestFinished, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { rockpoolTypeorm } from '../../../src/orm/typeorm/index.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf } from '../support.ts'

// How the statements of query runners are run on PostgreSQL: by the pool where it can, else by pg.

const server = await startPostgres()
await ask(server, 'create table person (id int primary key, name text not null)')

const Person = new EntitySchema<{ id: number; name: string }>({
  name: 'person',
  columns: { id: { type: 'int', primary: true }, name: { type: 'text' } },
})

const results: unknown[] = []

async function open() {
  const pool = createPool(pg(server.url(), { module: pgModule }), { max: 1 })
  const source = new DataSource({ type: 'postgres', ...rockpoolTypeorm(pool), entities: [Person] })
  await source.initialize()
  onTestFinished(async () => {
    await source.destroy()
    await pool.close({ drainTimeoutMs: 0 })
  })
  const listener: EntitySubscriberInterface = {
    afterQuery: ({ rawResults }) => void results.push(rawResults),
  }
  source.subscribers.push(listener)
  const people = source.getRepository(Person)
  await people.clear()
  await people.insert({ id: 1, name: 'Ada' })
  const find = () => people.findOneBy({ id: 1 })
  const named = async () =>
    Number((await source.query('select count(*) as n from pg_prepared_statements'))[0].n)
  return { pool, source, people, find, named }
}

test('a statement that comes often is prepared, and says the same', async () => {
  const { find, named } = await open()
  expect(await named()).toBe(0)
  for (let use = 1; use <= 10; use++) expect(await find()).toEqual({ id: 1, name: 'Ada' })
  expect(await named()).toBe(1)
})

test('writes tell how many rows, prepared ones too', async () => {
  const { source, people } = await open()
  for (let use = 1; use <= 10; use++) {
    expect(await people.update({ id: 1 }, { name: `Ada ${use}` })).toMatchObject({ affected: 1 })
    expect(await people.update({ id: 2 }, { name: 'nobody' })).toMatchObject({ affected: 0 })
  }
  expect(await source.query('update person set name = $1 where id = $2 returning name', ['Ada', 1])).toEqual([
    [{ name: 'Ada' }],
    1,
  ])
})

test('subscribers see results of pg’s own class', async () => {
  const { people, find } = await open()
  for (let use = 1; use <= 10; use++) await find()
  results.length = 0
  await find()
  await people.insert({ id: 2, name: 'Grace' })
  const [read, write] = results as pgModule.QueryResult[]
  expect(read).toBeInstanceOf(pgModule.Result)
  expect(read).toMatchObject({ command: 'SELECT', rowCount: 1, oid: null })
  expect(read?.fields.map(({ dataTypeID }) => dataTypeID)).toEqual([23, 25])
  expect(write).toMatchObject({ command: 'INSERT', rowCount: 1, oid: 0, rows: [] })
})

test('in a transaction nothing is prepared, where an invalid plan would be the end of it', async () => {
  const { source, named } = await open()
  await source.transaction(async (manager) => {
    for (let use = 1; use <= 10; use++) await manager.findOneBy(Person, { id: 1 })
  })
  expect(await named()).toBe(0)
})

test('a table that changes makes no lookup fail', async () => {
  const { source } = await open()
  const look = () => source.query('select * from person where id = $1', [1])
  for (let use = 1; use <= 10; use++) await look()
  await ask(server, 'alter table person add born int default 1815')
  for (let use = 1; use <= 10; use++) expect(await look()).toEqual([{ id: 1, name: 'Ada', born: 1815 }])
  await ask(server, 'alter table person drop born')
})

test('statements that nobody waits for keep their order', async () => {
  const { source } = await open()
  const runner = source.createQueryRunner()
  await runner.connect()
  const rename = (name: string) => runner.query('update person set name = $1 where id = 1', [name])
  const last = runner.query('select name from person')
  await Promise.all([rename('one'), runner.query('begin'), rename('two'), runner.query('rollback'), last])
  expect(await runner.query('select name from person')).toEqual([{ name: 'one' }])
  await runner.release()
})

test('the error of a statement is that of pg', async () => {
  const { source, people } = await open()
  const taken = await errorOf(people.insert({ id: 1, name: 'again' }))
  expect(taken).toMatchObject({ name: 'QueryFailedError', code: '23505' })
  expect(taken).toHaveProperty('driverError', expect.any(pgModule.DatabaseError))
  const circle: { own?: object } = {}
  circle.own = circle
  const circular = await errorOf(source.query('select $1::json', [circle]))
  expect(circular).toHaveProperty('driverError', expect.any(TypeError))
})

test('a connection that dies under a statement is told as pg tells it', async () => {
  const { pool, source } = await open()
  const slow = errorOf(source.query('select pg_sleep($1)', [30]))
  const killed = `select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep(%' and pid <> pg_backend_pid()`
  await eventually(async () => expect(await ask(server, killed)).toHaveLength(1))
  expect(await slow).toMatchObject({ name: 'QueryFailedError', code: '57P01' })
  await eventually(() => expect(pool.stats().leased).toBe(0))
})
