import { afterAll, expect, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import {
  type OracleConnection,
  type OracleModule,
  oracledb,
  tagChange,
} from '../../../src/drivers/oracledb/index.ts'
import type { PoolOptions } from '../../../src/index.ts'
import { FakeOracle } from '../../support/fake-oracle.ts'
import { eventually } from '../../support/postgres.ts'

const fake = new FakeOracle()
afterAll(() => fake.close())
const open = (options: PoolOptions<OracleConnection> = {}, config: object = {}, server = fake) =>
  createPool(
    oracledb(
      { user: 'a', password: 'b', connectString: 'db:1521/service', ...config },
      { module: server.module() as unknown as OracleModule<OracleConnection> },
    ),
    { max: 1, ...options },
  )

test('a statement by itself commits by itself, and a transaction does not', async () => {
  await using pool = open({ max: 2 })
  await pool.query('create table kept (id integer)')
  await pool.query('insert into kept values (:1)', [1])
  await pool.use(async (lease) => {
    await lease.begin()
    await lease.query('insert into kept values (:1)', [2])
  })
  expect((await pool.query('select id from kept')).rows).toEqual([{ ID: 1 }])
})

test('what a user leaves open on the connection itself is rolled back', async () => {
  await using pool = open()
  await pool.query('create table mine (id integer)')
  await pool.use(({ connection }) => connection.execute('insert into mine values (1)', [], {}))
  expect((await pool.query('select id from mine')).rows).toEqual([])
  expect(pool.stats().created).toBe(1)
})

test('a begin within a transaction is refused, and so is a level that Oracle has not', async () => {
  await using pool = open()
  await pool.use(async (lease) => {
    await lease.begin()
    await expect(lease.begin()).rejects.toMatchObject({ option: 'begin' })
    await lease.rollback()
    await expect(lease.begin({ isolation: 'repeatable read' })).rejects.toMatchObject({ option: 'isolation' })
  })
})

test('a full reset opens another connection', async () => {
  await using pool = open({ reset: 'full' })
  pool.on('error', () => undefined)
  await pool.query('select 1 from dual')
  await pool.query('select 1 from dual')
  expect(pool.stats().created).toBe(2)
})

test('callTimeout is set on every connection', async () => {
  await using pool = open({}, { callTimeout: 700 })
  await pool.use(({ connection }) => expect(connection.callTimeout).toBe(700))
})

test('labels are tags: only what differs is set when a session is lent', async () => {
  const set: string[] = []
  await using pool = open({
    onAcquire: (_connection, { label, lastLabel }) => {
      for (const [name, value] of Object.entries(tagChange(label, lastLabel).set))
        set.push(`${name}=${value}`)
    },
  })
  for (const label of ['ZONE=UTC;LANG=de', 'ZONE=UTC;LANG=de', 'ZONE=UTC;LANG=fr'])
    (await pool.acquire({ label })).release()
  expect(set).toEqual(['ZONE=UTC', 'LANG=de', 'LANG=fr'])
})

test('with DRCP a return gives the session back to the server, and the sockets close when nothing was used for a while', async () => {
  const server = new FakeOracle()
  const pool = open({ max: 2, maxIdle: 0 }, { drcp: { connectionClass: 'SHOP', lingerMs: 20 } }, server)
  await Promise.all([pool.query('select 1 from dual'), pool.query('select 1 from dual')])
  await pool.query('select 1 from dual')
  // One that was handed on at once was not given back in between.
  await eventually(() => expect(server.released).toBe(pool.stats().created))
  expect(server.released).toBeGreaterThan(1)
  expect(server.passed.pool).toContain('poolMax')
  await pool.close()
  await eventually(() => expect(server.sessions.size).toBe(0))
  server.close()
})

test('with DRCP the pool below takes no name that a program may use, and the failure of its end crashes nobody', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  const server = new FakeOracle()
  server.poolCloseError = new Error('NJS-104: connections are in use')
  const pool = open({ maxIdle: 0 }, { drcp: { lingerMs: 0 } }, server)
  await pool.query('select 1 from dual')
  await pool.close()
  await eventually(() => expect(server.closedPools).toBe(1))
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
  expect(server.aliases).toEqual([expect.stringMatching(/^rockpool-/)])
  server.close()
})

test('a connection is busy while rows are fetched from it, and can be stopped', async () => {
  const driver = oracledb(
    { user: 'a', password: 'b', connectString: 'db:1521/service' },
    { module: fake.module() as unknown as OracleModule<OracleConnection> },
  )
  const connection = await driver.connect({ signal: new AbortController().signal })
  const rows = driver.stream?.(connection, 'select 1 as n from dual', [], { batch: 1 })
  const reader = rows?.[Symbol.asyncIterator]()
  await reader?.next()
  let goOn: (value?: unknown) => void = () => undefined
  fake.fetchPace = new Promise((resolve) => {
    goOn = resolve
  })
  const next = reader?.next()
  await eventually(() => expect(driver.isDirty?.(connection)).toBe(true))
  let broken = 0
  const { break: stop } = connection
  connection.break = () => {
    broken++
    return stop.call(connection)
  }
  const cancelled = driver.cancel?.(connection)
  expect(broken).toBe(1)
  goOn()
  await Promise.allSettled([next, cancelled])
  await driver.close(connection)
})

test.each([
  [0, {}],
  [700, { callTimeout: 700 }],
])(
  'with DRCP a session comes back with a callTimeout of %i, and not with that of its goodbye',
  async (expected, config) => {
    const server = new FakeOracle()
    const pool = open({ maxIdle: 0 }, { drcp: { lingerMs: 0 }, ...config }, server)
    for (const round of [1, 2])
      await pool.use(({ connection }) =>
        expect({ round, limit: connection.callTimeout }).toEqual({ round, limit: expected }),
      )
    expect(server.released).toBeGreaterThan(0)
    await pool.close()
    server.close()
  },
)

test('with DRCP a password that was refused is asked for anew, and who is connected stays so', async () => {
  const server = new FakeOracle()
  const passwords = ['first', 'wrong', 'second']
  const driver = oracledb(
    {
      user: 'a',
      password: () => passwords.shift() ?? '',
      connectString: 'db:1521/service',
      drcp: { lingerMs: 60_000 },
    },
    { module: server.module() as unknown as OracleModule<OracleConnection> },
  )
  const connect = () => driver.connect({ signal: new AbortController().signal })
  const early = await connect()
  expect(passwords).toHaveLength(2)
  server.refuses = true
  await expect(connect()).rejects.toThrow(/ORA-01017/)
  await expect(connect()).rejects.toThrow(/ORA-01017/)
  server.refuses = false
  const late = await connect()
  expect(passwords).toEqual([])
  expect((await driver.query(early, 'select 1 as n from dual', [], {})).rows).toEqual([{ N: 1 }])
  await driver.close(early)
  await eventually(() => expect(server.closedPools).toBe(2))
  await driver.close(late)
  server.close()
})

test('with DRCP a connection that was lost is dropped, and not given back', async () => {
  const server = new FakeOracle()
  const pool = open({ maxIdle: 0 }, { drcp: { lingerMs: 20 } }, server)
  pool.on('error', () => undefined)
  await pool
    .use(async (lease) => {
      for (const id of server.sessions.keys()) server.kill(id)
      await lease.query('select 1 from dual')
    })
    .catch(() => undefined)
  expect(server.released).toBe(0)
  await pool.query('select 1 from dual')
  await eventually(() => expect(server.released).toBe(1))
  await pool.close()
  server.close()
})
