import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { type OdbcConnection, type OdbcModule, odbc } from '../../../src/drivers/odbc/index.ts'
import type { PoolOptions } from '../../../src/index.ts'
import type { EmbeddedPostgres } from '../../../src/testing/embedded-postgres.ts'
import { FaultProxy } from '../../../src/testing/index.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from '../../support/mariadb.ts'
import type { MysqlServer } from '../../support/mysql-server.ts'
import { loadOdbc, problemWith } from '../../support/odbc.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { needs } from '../../support/skip.ts'

let module: OdbcModule<OdbcConnection>
const problem = ['PostgreSQL Unicode', 'MariaDB Unicode', 'SQLite3']
  .map(problemWith)
  .find((one) => one !== undefined)
beforeAll(async () => {
  if (problem === undefined) module = await loadOdbc()
}, 120_000)

/** From the beginning, because it is said only once. */
const warned: NodeJS.ErrnoException[] = []
const hear = (warning: NodeJS.ErrnoException) => warned.push(warning)
process.on('warning', hear)
afterAll(() => void process.off('warning', hear))

const open = (connectionString: string, options: PoolOptions<OdbcConnection> = {}) =>
  createPool(odbc({ connectionString }, { module }), { max: 1, ...options })

describe('ODBC on PostgreSQL', () => {
  needs(problem === undefined, problem ?? '')
  let server: EmbeddedPostgres
  let words: string
  beforeAll(async () => {
    if (problem !== undefined) return
    server = await startPostgres({ password: 'secret' })
    words = `Driver={PostgreSQL Unicode};Server=${server.host};Port=${server.port};Database=postgres;Uid=${server.user};Pwd=secret`
  })

  test('a transaction that the driver leaves broken is not said to have committed', async () => {
    await using pool = open(`${words};Protocol=7.4-0`)
    await pool.query('create table kept (id int primary key)')
    const work = pool.transaction(async (tx) => {
      await tx.query('insert into kept values (1)')
      await tx.query('insert into kept values (1)').catch(() => undefined)
    })
    await expect(work).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
    expect((await pool.query('select * from kept')).rows).toEqual([])
  })

  test('what a user begins by the connection itself is rolled back, in every way of calling it', async () => {
    await using pool = open(words)
    await pool.query('create table mine (id int)')
    const ways: ((connection: OdbcConnection) => Promise<unknown>)[] = [
      (connection) => connection.beginTransaction(),
      (connection) => connection.query('begin'),
      (connection) =>
        new Promise((resolve) => {
          const query = connection.query as unknown as (sql: string, told: (error: unknown) => void) => void
          query.call(connection, 'begin', resolve)
        }),
    ]
    for (const way of ways) {
      await pool.use(async ({ connection }) => {
        await way(connection)
        await connection.query('insert into mine values (1)')
      })
      expect((await pool.query('select * from mine')).rows).toEqual([])
    }
    expect(pool.stats().created).toBe(1)
  })

  test('doubles are whole after a full reset too', async () => {
    await using pool = open(words, { reset: 'full' })
    for (let round = 0; round < 2; round++)
      expect((await pool.query('select (1.0::float8 / 3) as third')).rows).toEqual([{ third: 1 / 3 }])
  })

  test('a text that ODBC would cut off is refused, and dates and objects are texts', async () => {
    await using pool = open(words)
    await expect(pool.query('select ?::text', ['a\0b'])).rejects.toThrow(/zero byte/)
    const { rows } = await pool.query('select ?::timestamp as at, ?::jsonb::text as doc', [
      new Date(0),
      { a: 1 },
    ])
    expect(rows).toEqual([{ at: '1970-01-01 00:00:00', doc: '{"a": 1}' }])
  })

  test('transactions that wait for the lock of another leave it the threads that it needs to end', async () => {
    await using pool = open(words, { max: 9 })
    await pool.query('create table hot (n int)')
    await pool.query('insert into hot values (0)')
    const all = await Promise.all(Array.from({ length: 9 }, () => pool.acquire()))
    for (const lease of all) lease.release()
    const add = (lease: { query(sql: string): Promise<unknown> }) => lease.query('update hot set n = n + 1')
    const others = await pool.transaction(async (tx) => {
      await add(tx)
      const waiting = Array.from({ length: 8 }, () => pool.transaction(add))
      await eventually(async () => {
        const [row] = await ask(server, 'select count(*)::int as n from pg_locks where not granted')
        expect(row?.n).toBeGreaterThan(1)
      })
      await tx.query('select 1')
      return waiting
    })
    await Promise.all(others)
    expect((await pool.query('select n from hot')).rows).toEqual([{ n: 9 }])
  })

  test('a statement with parameters does not hold up the program, on whose way to the server it may be', async () => {
    // In this process: it stands still with the program.
    const proxy = await new FaultProxy(server).listen()
    onTestFinished(() => proxy.close())
    await using pool = open(words.replace(`Port=${server.port}`, `Port=${proxy.port}`))
    expect((await pool.query('select ?::int as n', [7])).rows).toEqual([{ n: 7 }])
    await expect(pool.query('select ?::int as n', ['seven'])).rejects.toMatchObject({
      odbcErrors: [{ state: '22P02' }],
    })
    const total = await pool.transaction((tx) => tx.query('select ?::int + 1 as n', [7]))
    expect(total.rows).toEqual([{ n: 8 }])
    expect(pool.stats().created).toBe(1)
  })

  test('the error of a wrong password is that of the database, and shows no password', async () => {
    const error = await open(words.replace('Pwd=secret', 'Pwd=Wr0ng'))
      .query('select 1')
      .catch((thrown) => thrown)
    expect(error).toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringContaining('password authentication failed'),
      cause: { odbcErrors: [{ state: '08001' }] },
    })
    expect(JSON.stringify([error, error.message, error.cause])).not.toContain('Wr0ng')
  })
})

describe('ODBC on MariaDB', () => {
  needs(problem === undefined, problem ?? '')
  needs(hasMariadb, NO_MARIADB)
  let server: MysqlServer
  let words: string
  beforeAll(async () => {
    if (problem !== undefined || !hasMariadb) return
    server = await startMariadb()
    words = `Driver={MariaDB Unicode};SERVER=${server.host};PORT=${server.port};UID=app;PWD=S3cret#;DATABASE=app`
  })
  afterAll(() => server?.close())

  test('a full reset opens another connection, because no statement cleans the session', async () => {
    await using pool = open(words, { reset: 'full' })
    pool.on('error', () => undefined)
    await pool.use((lease) => lease.query('set @left = 1'))
    expect((await pool.query('select @left as kept')).rows).toEqual([{ kept: null }])
    expect(pool.stats().created).toBe(2)
  })

  test('what freezes the program is refused before it is sent', async () => {
    await using pool = open(words)
    for (const sql of ['do sleep(0)', 'select 1; select 2', `select ';' ; select 2`])
      await expect(pool.query(sql)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await pool.use(async ({ connection }) => {
      await expect(connection.query('select 1; select 2')).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    })
    expect((await pool.query(`select '; not two' as one;`)).rows).toEqual([{ one: '; not two' }])
    await pool.query('create procedure twice() begin select 1 as n; select 2 as n; end')
    expect(Number((await pool.query('call twice()')).rows[0]?.n)).toBe(1)
  })

  test('a stream gives every row, also the last of a block that is not full', async () => {
    await using pool = open(words)
    const seen: number[] = []
    const five = 'select 1 as n union select 2 union select 3 union select 4 union select 5'
    for await (const row of pool.stream(five, [], { batch: 2 })) seen.push(Number(row.n))
    expect(seen).toEqual([1, 2, 3, 4, 5])
  })

  test('after a deadlock nothing of the transaction runs any more', async () => {
    await using pool = open(words, { max: 2 })
    await pool.query('create table locked (id int primary key, n int)')
    await pool.query('insert into locked values (1, 0), (2, 0)')
    const [a, b] = await Promise.all([pool.acquire(), pool.acquire()])
    const both = [
      { lease: a, ids: [1, 2] },
      { lease: b, ids: [2, 1] },
    ]
    for (const { lease, ids } of both) {
      await lease.begin()
      await lease.query('update locked set n = 1 where id = ?', [ids[0]])
    }
    const outcomes = await Promise.all(
      both.map(({ lease, ids }) =>
        lease.query('update locked set n = 1 where id = ?', [ids[1]]).then(
          () => true,
          () => false,
        ),
      ),
    )
    const loser = outcomes[0] ? b : a
    await expect(loser.query('update locked set n = 2')).rejects.toMatchObject({
      code: 'TRANSACTION_ABORTED',
    })
    await expect(loser.commit()).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
    a.release()
    b.release()
  })
})

describe('ODBC on SQLite', () => {
  needs(problem === undefined, problem ?? '')
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-odbc-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const words = () => `Driver=SQLite3;Database=${join(folder, 'a.db')};BigInt=1`

  test('columns of long types come whole, and what may have been cut is an error', async () => {
    await using pool = open(words())
    await pool.query('create table long (t longvarchar, b longvarbinary, short varchar(20))')
    const text = 'rockpool🦆'.repeat(10_000)
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 256))
    await pool.query('insert into long values (?, ?, ?)', [text, bytes, text])
    const { rows } = await pool.query('select t, b from long')
    expect(rows[0]?.t === text).toBe(true)
    expect(bytes.equals(rows[0]?.b as Buffer)).toBe(true)
    await expect(pool.query('select short from long')).rejects.toThrow(/may have been cut/)
    await expect(pool.query('select upper(t) as t from long')).rejects.toThrow(/may have been cut/)
  })

  test('a full reset opens another connection', async () => {
    await using pool = open(words(), { reset: 'full' })
    pool.on('error', () => undefined)
    await pool.use((lease) => lease.query('create temporary table t (id int)'))
    await expect(pool.query('select * from temp.t')).rejects.toThrow()
  })

  test('more connections than threads are warned of once, with what to do', async () => {
    await using pool = open(words(), { max: 6 })
    await Promise.all(Array.from({ length: 6 }, () => pool.acquire())).then((all) => {
      for (const lease of all) lease.release()
    })
    await new Promise((resolve) => setImmediate(resolve))
    const ours = warned.filter(({ code }) => code === 'ROCKPOOL_ODBC_THREADS')
    expect(ours.map(({ message }) => message)).toEqual([expect.stringMatching(/UV_THREADPOOL_SIZE=\d+/)])
  })
})
