import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type SqliteConfig, type SqliteConnection, sqlite } from '../../../src/drivers/sqlite/index.ts'
import { createPool, type PoolOptions, type SqlPool } from '../../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'rockpool-sqlite-'))
const pools: SqlPool<SqliteConnection>[] = []
let files = 0
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close({ drainTimeoutMs: 0 }))))
afterAll(() => rmSync(folder, { recursive: true }))

const newFile = () => join(folder, `${++files}.db`)

function open(config: Partial<SqliteConfig> = {}, options: PoolOptions<SqliteConnection> = {}) {
  const pool = createPool(sqlite({ file: newFile(), ...config }), { max: 3, ...options })
  pools.push(pool)
  return pool
}

async function withTable(config: Partial<SqliteConfig> = {}, options: PoolOptions<SqliteConnection> = {}) {
  const pool = open(config, options)
  await pool.query('create table t (id integer primary key, note text)')
  await pool.query("insert into t (note) values ('a')")
  return pool
}

const READ = 'select note from t where id = ?'

/** Runs a read until it is answered without a lease, however slow the machine is. */
async function untilKnown(pool: SqlPool<SqliteConnection>, text = READ): Promise<boolean> {
  for (let i = 0; i < 200; i++) {
    const before = pool.stats().acquired
    await pool.query(text, text.includes('?') ? [1] : [])
    if (pool.stats().acquired === before) return true
  }
  return false
}

describe('reads', () => {
  test('one that is known to be fast needs no connection, and sees what was written last', async () => {
    const pool = await withTable()
    expect(await untilKnown(pool)).toBe(true)
    await pool.query("update t set note = 'b'")
    expect((await pool.query(READ, [1])).rows).toEqual([{ note: 'b' }])
    const result = await pool.query(READ, [9])
    expect(result).toEqual({ rows: [], rowCount: 0, fields: [{ name: 'note' }] })
  })

  test('a transaction is invisible to others until it commits, and sees itself', async () => {
    const pool = await withTable()
    await untilKnown(pool)
    await pool.transaction(async (tx) => {
      await tx.query("update t set note = 'mine'")
      expect((await tx.query(READ, [1])).rows).toEqual([{ note: 'mine' }])
      expect((await pool.query(READ, [1])).rows).toEqual([{ note: 'a' }])
    })
    expect((await pool.query(READ, [1])).rows).toEqual([{ note: 'mine' }])
  })

  test('a session with a temporary table of the same name reads that one, others do not', async () => {
    const pool = await withTable()
    await untilKnown(pool)
    await pool.use(async (lease) => {
      await lease.query("create temp table t as select 1 as id, 'temp' as note")
      expect((await lease.query(READ, [1])).rows).toEqual([{ note: 'temp' }])
      expect((await pool.query(READ, [1])).rows).toEqual([{ note: 'a' }])
      lease.retire()
    })
  })

  test.each([
    { onConnect: () => {} },
    { onAcquire: () => {} },
    { reset: 'full' as const },
    { multiplex: 'off' as const },
  ])('with %j each has a connection of its own', async (options) => {
    const pool = await withTable({}, options)
    expect(await untilKnown(pool)).toBe(false)
  })

  test('a closed pool answers nothing, and a suspended one nothing yet', async () => {
    const pool = await withTable()
    await untilKnown(pool)
    pool.suspend()
    await expect(pool.query(READ, [1], { timeoutMs: 20 })).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
    pool.resume()
    await pool.close()
    await expect(pool.query(READ, [1])).rejects.toMatchObject({ code: 'POOL_CLOSED' })
  })

  test('a view that has become another is read anew', async () => {
    const pool = await withTable()
    await pool.query('create view v as select note from t')
    await untilKnown(pool, 'select * from v')
    await pool.query('drop view v; create view v as select id, note from t')
    expect((await pool.query('select * from v')).rows).toEqual([{ id: 1, note: 'a' }])
  })
})

describe('writes', () => {
  test('declared as a read, a write is refused before anything happens', async () => {
    const pool = await withTable()
    for (const text of [
      'delete from t',
      'delete from t returning id',
      'drop table t',
      'delete from t; delete from t',
    ])
      await expect(pool.query(text, [], { readOnly: true })).rejects.toThrow('readonly')
    expect((await pool.query('select count(*) as n from t')).rows).toEqual([{ n: 1 }])
  })

  test('a database that is only read refuses them, and is not created', async () => {
    const file = newFile()
    const missing = open({ file, mode: 'ro' })
    await expect(missing.query('select 1')).rejects.toMatchObject({ code: 'CONNECT_FAILED' })
    await withTable({ file })
    const pool = open({ file, mode: 'ro' })
    expect((await pool.query(READ, [1])).rows).toEqual([{ note: 'a' }])
    await expect(pool.query('delete from t')).rejects.toThrow('readonly')
    await expect(pool.transaction((tx) => tx.query('delete from t'))).rejects.toThrow('readonly')
  })

  test('rows of a write come back, all of its work done', async () => {
    const pool = await withTable()
    const result = await pool.query("insert into t (note) values ('b'), ('c') returning id")
    expect([result.rows, result.rowCount]).toEqual([[{ id: 2 }, { id: 3 }], 2])
    for await (const row of pool.stream("insert into t (note) values ('d'), ('e') returning id")) {
      expect(row).toEqual({ id: 4 })
      break
    }
    expect((await pool.query('select count(*) as n from t')).rows).toEqual([{ n: 5 }])
  })

  test('several statements in one text run as one script, without parameters', async () => {
    const pool = await withTable()
    expect(await pool.query("insert into t (note) values (';'); delete from t where id = 1")).toEqual({
      rows: [],
      rowCount: 0,
      fields: [],
    })
    await expect(pool.query('delete from t; delete from t where id = ?', [1])).rejects.toThrow(
      'take no parameters',
    )
    expect((await pool.query('select note from t')).rows).toEqual([{ note: ';' }])
  })

  test('two hundred transactions that read and write lose nothing', async () => {
    const pool = await withTable({}, { max: 4 })
    await pool.query("update t set note = '0'")
    const add = () =>
      pool.transaction(async (tx) => {
        const [row] = (await tx.query<{ note: string }>(READ, [1])).rows
        await tx.query('update t set note = ? where id = 1', [String(Number(row?.note) + 1)])
      })
    await Promise.all(Array.from({ length: 200 }, add))
    expect((await pool.query(READ, [1])).rows).toEqual([{ note: '200' }])
  })

  test('two pools on one file take turns', async () => {
    const file = newFile()
    const [a, b] = [await withTable({ file }), open({ file, threads: false })]
    const insert = (pool: typeof a) =>
      pool.transaction(async (tx) => {
        await tx.query("insert into t (note) values ('x')")
        await new Promise((resolve) => setTimeout(resolve, 1))
      })
    await Promise.all(Array.from({ length: 20 }, (_, i) => insert(i % 2 === 0 ? a : b)))
    expect((await b.query('select count(*) as n from t')).rows).toEqual([{ n: 21 }])
  })

  test('waiting for the writer ends at a time limit, a signal, or the time for locks', async () => {
    const pool = await withTable({ busyTimeoutMs: 3_000 })
    const write = "update t set note = 'x'"
    const [holder, other] = await Promise.all([pool.acquire(), pool.acquire()])
    other.release()
    await holder.begin()
    await expect(pool.query(write, [], { timeoutMs: 20 })).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('mine')), 20)
    await expect(pool.query(write, [], { signal: controller.signal })).rejects.toThrow('mine')
    await expect(pool.query(write)).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
    await holder.rollback()
    await pool.query(write)
    holder.release()
    expect(pool.stats().created).toBeLessThanOrEqual(3)
  })

  test('a transaction that SQLite has rolled back does not go on without one', async () => {
    const pool = await withTable()
    const work = pool.transaction(async (tx) => {
      await tx.query("insert into t values (2, 'b')")
      await tx.query("insert or rollback into t values (1, 'c')").catch(() => {})
      await tx.query("insert into t values (3, 'd')")
    })
    await expect(work).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
    expect((await pool.query('select id from t')).rows).toEqual([{ id: 1 }])
  })
})

describe('a database in memory', () => {
  test('is one for all connections, and outlives them', async () => {
    const driver = sqlite('sqlite::memory:')
    const first = createPool(driver)
    await first.query('create table t (id integer)')
    await Promise.all([1, 2, 3].map((id) => first.query('insert into t values (?)', [id])))
    await first.close()
    const second = createPool(driver)
    pools.push(second)
    expect((await second.query('select count(*) as n from t')).rows).toEqual([{ n: 3 }])
    const other = createPool(sqlite('sqlite::memory:'))
    pools.push(other)
    await expect(other.query('select * from t')).rejects.toThrow('no such table')
  })

  test('who reads waits for the transaction', async () => {
    const pool = createPool(sqlite('sqlite::memory:'), { max: 2 })
    pools.push(pool)
    await pool.query('create table t (id integer)')
    for (let i = 0; i < 5; i++) await pool.query('select count(*) as n from t')
    let seen: unknown
    const reading = await pool.transaction(async (tx) => {
      await tx.query('insert into t values (1)')
      const waiting = pool.query('select count(*) as n from t').then(({ rows }) => {
        seen = rows
      })
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(seen).toBeUndefined()
      return { waiting }
    })
    await reading.waiting
    expect(seen).toEqual([{ n: 1 }])
  })

  test("gives the library's own database", async () => {
    const pool = open({ file: ':memory:' })
    await pool.use(({ connection }) => expect(connection.native).toHaveProperty('prepare'))
    await open().use(({ connection }) => expect(connection.native).toBeUndefined())
  })
})

test('a file that was replaced is opened anew', async () => {
  const file = newFile()
  const other = newFile()
  const pool = await withTable({ file }, { validateAfterIdleMs: 0, multiplex: 'off' })
  const replacing = await withTable({ file: other })
  await replacing.query("update t set note = 'other'")
  await replacing.close()
  renameSync(other, file)
  for (const end of ['-wal', '-shm']) rmSync(file + end, { force: true })
  expect((await pool.query(READ, [1])).rows).toEqual([{ note: 'other' }])
  expect(pool.stats().closed.invalid).toBe(1)
})

test('a thousand lookups in a row let timers through', async () => {
  const pool = await withTable()
  await untilKnown(pool)
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  for (let i = 0; i < 100_000 && turns === 0; i++) await pool.query(READ, [1])
  clearInterval(timer)
  expect(turns).toBeGreaterThan(0)
})
