import { createRequire } from 'node:module'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import ours, {
  mssqlPool,
  type RockpoolConnectionPool,
  rockpoolMssql,
} from '../../../src/compat/mssql/index.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { TdsServer } from '../../../src/testing/tds/server.ts'
import { eventually } from '../../support/postgres.ts'

const original = createRequire(import.meta.url)('mssql')
const server = new TdsServer()

beforeAll(async () => {
  await server.listen()
  await using pool = disposable(await new ours.ConnectionPool(config()).connect())
  await pool.query('CREATE TABLE accounts (id int PRIMARY KEY, name nvarchar(20), balance int)')
  await pool.query("INSERT INTO accounts VALUES (1, 'Ada', 100)")
})

beforeEach(() => {
  server.log.length = 0
})

afterAll(() => server.close())

function config(more: object = {}) {
  const options = { encrypt: false, trustServerCertificate: true, ...(more as { options?: object }).options }
  return {
    server: server.host,
    port: server.port,
    user: 'sa',
    password: 'secret',
    database: 'app',
    ...more,
    options,
  }
}

type Connected = RockpoolConnectionPool & AsyncDisposable

function disposable(pool: object): Connected {
  return Object.assign(pool as Connected, {
    [Symbol.asyncDispose]: async () => void (await (pool as Connected).close()),
  })
}

async function connected(more: object = {}): Promise<Connected> {
  return disposable(await new ours.ConnectionPool(config(more)).connect())
}

const ids = (pool: RockpoolConnectionPool) => pool.query<{ id: number }>('SELECT id FROM accounts')

test('has every name that the original has, and leaves the original as it is', () => {
  expect(Object.keys(ours).sort()).toEqual(Object.keys(original).sort())
  expect(ours.Int).toBe(original.Int)
  expect(original.ConnectionPool).not.toBe(ours.ConnectionPool)
  expect(new ours.ConnectionPool(config())).toBeInstanceOf(original.ConnectionPool)
})

test('a query, a parameter, a template and a prepared statement go through the pool', async () => {
  await using pool = await connected()
  expect((await ids(pool)).recordset).toEqual([{ id: 1 }])
  const named = await pool
    .request()
    .input('id', ours.Int, 1)
    .query('SELECT name FROM accounts WHERE id = @id')
  expect(named.recordset).toEqual([{ name: 'Ada' }])
  expect((await pool.query`SELECT name FROM accounts WHERE id = ${1}`).recordset).toEqual([{ name: 'Ada' }])
  const statement = new ours.PreparedStatement(pool as never)
  statement.input('id', ours.Int)
  await statement.prepare('SELECT balance FROM accounts WHERE id = @id')
  expect((await statement.execute({ id: 1 })).recordset).toEqual([{ balance: 100 }])
  await statement.unprepare()
  expect(pool.rockpool?.stats()).toMatchObject({ leased: 0, idle: 1 })
})

test('statements of a transaction stay on one connection, and a rollback undoes them', async () => {
  await using pool = await connected({ pool: { max: 4 } })
  const transfer = async (amount: number, end: 'commit' | 'rollback') => {
    const transaction = pool.transaction()
    await transaction.begin()
    const run = (text: string) => new ours.Request(transaction).query<{ spid: number }>(text)
    const first = await run('SELECT @@SPID AS spid')
    await run(`UPDATE accounts SET balance = balance + ${amount} WHERE id = 1`)
    const second = await run('SELECT @@SPID AS spid')
    expect(second.recordset).toEqual(first.recordset)
    await transaction[end]()
  }
  await Promise.all([transfer(10, 'commit'), transfer(1_000, 'rollback'), transfer(5, 'commit')])
  const { recordset } = await pool.query<{ balance: number }>('SELECT balance FROM accounts WHERE id = 1')
  expect(recordset).toEqual([{ balance: 115 }])
  await eventually(() => expect(pool.rockpool?.stats().leased).toBe(0))
})

test('an isolation level ends with its transaction', async () => {
  await using pool = await connected({ pool: { max: 1 } })
  const transaction = pool.transaction()
  await transaction.begin(ours.ISOLATION_LEVEL.SERIALIZABLE)
  await transaction.commit()
  await ids(pool)
  expect(
    server.log.some(({ reset }) => reset !== 'none' && reset !== undefined && String(reset) !== ''),
  ).toBe(true)
  await eventually(() => expect(pool.rockpool?.stats().leased).toBe(0))
})

test('a transaction that a request has left open is not lent to the next', async () => {
  await using pool = await connected({ pool: { max: 1 } })
  await pool.request().batch('BEGIN TRANSACTION')
  await pool.request().batch('UPDATE accounts SET balance = 0 WHERE id = 1')
  const left = await pool.query<{ open: number }>('SELECT @@TRANCOUNT AS [open]')
  expect(left.recordset).toEqual([{ open: 0 }])
})

test('a connection that dies while it is lent fails its request, frees its place and ends nothing else', async () => {
  await using pool = await connected({ pool: { max: 1 } })
  await ids(pool)
  const transaction = pool.transaction()
  await transaction.begin()
  server.cut()
  await eventually(() => expect(pool.rockpool?.stats().leased).toBe(0))
  expect((await ids(pool)).recordset).toEqual([{ id: 1 }])
  await expect(new ours.Request(transaction).query('SELECT 1 AS one')).rejects.toThrow()
})

test('a connection that dies while its session is made anew is let go of', async () => {
  await using pool = await connected({ pool: { max: 1 } })
  const lent = (await pool.acquire({
    isolationLevel: ours.ISOLATION_LEVEL.SERIALIZABLE,
  } as never)) as unknown as { reset(told: (error: Error) => void): void; close(): void }
  const told = new Promise<void>((resolve) => {
    lent.reset = (answer) => {
      lent.close()
      // The end of a connection may be told of before the end of what ran on it.
      setImmediate(() => {
        answer(new Error('the server is gone'))
        resolve()
      })
    }
  })
  pool.release(lent as never)
  await told
  await eventually(() => expect(pool.rockpool?.stats().total).toBe(0))
  const inner = pool as unknown as { pool: { release(connection: unknown): boolean } }
  expect(inner.pool.release(lent)).toBe(false)
})

test('idle connections that died are not lent', async () => {
  await using pool = await connected({ pool: { max: 2 } })
  await Promise.all([ids(pool), ids(pool)])
  server.cut()
  await eventually(() => expect(pool.rockpool?.stats().idle).toBe(0))
  expect((await ids(pool)).recordset).toEqual([{ id: 1 }])
})

test('with validateAfterIdleMs 0 the server is asked each time, as by the original', async () => {
  await using pool = await connected({ pool: { max: 2 }, rockpool: { validateAfterIdleMs: 0 } })
  await Promise.all([ids(pool), ids(pool)])
  server.cut()
  expect((await ids(pool)).recordset).toEqual([{ id: 1 }])
})

test('who waits for too long gets an error that says what the pool looked like', async () => {
  await using pool = await connected({ pool: { max: 1, acquireTimeoutMillis: 2_000 } })
  const transaction = pool.transaction()
  await transaction.begin()
  await expect(ids(pool)).rejects.toThrow(/Failed to acquire a connection from the pool: .*1 leased/)
  await transaction.rollback()
  expect((await ids(pool)).recordset).toEqual([{ id: 1 }])
})

test('a request that takes longer than requestTimeout is cancelled, and its connection serves the next', async () => {
  await using pool = await connected({ pool: { max: 1 }, requestTimeout: 2_000 })
  await expect(pool.query("WAITFOR DELAY '00:00:30'")).rejects.toMatchObject({ code: 'ETIMEOUT' })
  expect((await ids(pool)).recordset).toEqual([{ id: 1 }])
})

test('a server that refuses fails connect with its own error', async () => {
  const pool = new ours.ConnectionPool(config({ password: 'wrong' }))
  await expect(pool.connect()).rejects.toMatchObject({ code: 'ELOGIN' })
})

test('the server is not asked again what it has answered a moment ago', async () => {
  await using pool = await connected({ pool: { max: 1 } })
  for (let n = 0; n < 5; n++) await ids(pool)
  expect(server.log.filter(({ says }) => /^SELECT 1;?$/.test(says))).toEqual([])
})

test('the gauges are those of the pool', async () => {
  await using pool = await connected({ pool: { max: 2 } })
  const transaction = pool.transaction()
  await transaction.begin()
  const { size, available, pending, borrowed } = pool
  expect({ size, available, pending, borrowed }).toEqual({ size: 1, available: 0, pending: 0, borrowed: 1 })
  await transaction.rollback()
})

test('the global connect gives ours, by promise and by callback, and the global query goes through it', async () => {
  const pool = await ours.connect(config())
  expect(pool).toBeInstanceOf(ours.ConnectionPool)
  expect((await ours.query('SELECT id FROM accounts')).recordset).toEqual([{ id: 1 }])
  expect((pool as unknown as RockpoolConnectionPool).rockpool?.stats().created).toBe(1)
  await ours.close()
  const called = await new Promise((resolve) => {
    const given: object = ours.connect(config(), ((_: unknown, found: object) =>
      resolve([given, found])) as never) as never
  })
  expect((called as object[])[0]).toBe((called as object[])[1])
  expect((called as object[])[0]).toBeInstanceOf(ours.ConnectionPool)
  await ours.close()
})

test('close waits for what is lent, and turns away who comes', async () => {
  const pool = await connected({ pool: { max: 1 } })
  const transaction = pool.transaction()
  await transaction.begin()
  const closed = pool.close()
  await expect(ids(pool)).rejects.toMatchObject({ code: 'ECONNCLOSED' })
  await transaction.rollback()
  await closed
  await eventually(() => expect(server.sessions()).toBe(0))
})

test('around an existing pool, close lets go of it', async () => {
  const source = new ours.ConnectionPool(config())
  const driver = {
    name: 'tedious',
    connect: () => (source as RockpoolConnectionPool)._poolCreate(),
    close: (connection: Awaited<ReturnType<RockpoolConnectionPool['_poolCreate']>>) =>
      (source as RockpoolConnectionPool)._poolDestroy(connection),
  }
  const shared = createResourcePool(driver, { max: 2 })
  const pool = mssqlPool(shared)
  expect((await ids(pool)).recordset).toEqual([{ id: 1 }])
  await pool.close()
  expect([shared.closed, shared.stats().idle]).toEqual([false, 1])
  await shared.close()
})

test('takes the copy of the package that it is given, and refuses what is none', () => {
  expect(rockpoolMssql(original).ConnectionPool).toBe(ours.ConnectionPool)
  expect(() => rockpoolMssql({})).toThrow('it must be the "mssql" package')
})
