import tediousPackage, { TYPES } from 'tedious'
import { expect, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { tedious } from '../../../src/drivers/tedious/index.ts'
import { eventually } from '../../support/postgres.ts'
import { delay } from '../../support/sqlserver-subject.ts'
import { ask, configOf, poolOn, useTdsServer } from '../../support/tedious.ts'

const used = useTdsServer()
const LEVEL = 'select transaction_isolation_level from sys.dm_exec_sessions where session_id = @@spid'
const first = (result: { rows: Record<string, unknown>[] }) => Object.values(result.rows[0] ?? {})[0]

test('a full reset is the flag in the header of the next request, and in its first packet only', async () => {
  const { pool } = poolOn(used.server, { reset: 'full' })
  await pool.use((lease) => lease.query('create table #mine (id int)'))
  await pool.use((lease) => expect(lease.query('select * from #mine')).rejects.toMatchObject({ number: 208 }))
  const resets = used.server.log.filter(({ reset }) => reset !== 'none')
  expect(resets[0]).toMatchObject({ reset: 'full', packets: 1 })
  expect(resets[0]?.says).toMatch(/set transaction isolation level read committed/)
})

test('a return that has nothing to roll back sends nothing', async () => {
  const { pool } = poolOn(used.server)
  await pool.query('select 1')
  used.server.log.length = 0
  await pool.query('select 2')
  expect(used.server.log.map(({ says }) => says)).toEqual(['select 2'])
})

test('the flag leaves the isolation as it is; the driver does not', async () => {
  const { pool } = poolOn(used.server, { reset: 'full' })
  await pool.use(async (lease) => {
    await lease.query('set transaction isolation level serializable')
    expect(first(await lease.query(LEVEL))).toBe(4)
  })
  expect(first(await pool.query(LEVEL))).toBe(2)
})

test('the isolation of a transaction does not outlive it, without a round trip more', async () => {
  const { pool } = poolOn(used.server)
  await pool.transaction((tx) => tx.query('select 1'), { isolation: 'serializable' })
  expect(first(await pool.query(LEVEL))).toBe(2)
  const work = pool.transaction(
    async (tx) => {
      await tx.query('select 1')
      throw new Error('mine')
    },
    { isolation: 'snapshot' },
  )
  await expect(work).rejects.toThrow('mine')
  expect(first(await pool.query(LEVEL))).toBe(2)
  const ends = used.server.log.filter(({ says }) => /^(commit|rollback)/.test(says)).map(({ says }) => says)
  expect(ends).toEqual([
    'commit transaction; set transaction isolation level read committed',
    'rollback transaction; set transaction isolation level read committed',
  ])
})

test('where the server itself has ended such a transaction, the isolation goes back as well', async () => {
  const { pool } = poolOn(used.server)
  await pool.use(async (lease) => {
    await lease.begin({ isolation: 'serializable' })
    await expect(lease.query("select cast('x' as int)")).rejects.toMatchObject({ number: 245 })
  })
  expect(first(await pool.query(LEVEL))).toBe(2)
  expect(pool.stats().created).toBe(1)
})

test('sessions have the isolation of the option, and go back to it', async () => {
  const { pool } = poolOn(used.server, { reset: 'full' }, { isolationLevel: 'repeatable read' as never })
  expect(first(await pool.query(LEVEL))).toBe(3)
  await pool.transaction((tx) => tx.query('select 1'), { isolation: 'read uncommitted' })
  expect(first(await pool.query(LEVEL))).toBe(3)
})

test('a transaction without a word about isolation leaves that of the session alone', async () => {
  const { pool } = poolOn(used.server)
  await pool.use(async (lease) => {
    await lease.query('set transaction isolation level repeatable read')
    await lease.begin()
    expect(first(await lease.query(LEVEL))).toBe(3)
    await lease.commit()
  })
})

test("the user's own BEGIN and request on the connection are seen", async () => {
  const { driver, pool } = poolOn(used.server)
  await pool.use(async ({ connection }) => {
    await ask(connection, 'begin transaction')
    expect(driver.isDirty?.(connection)).toBe(true)
    await ask(connection, 'commit')
    expect(driver.isDirty?.(connection)).toBe(false)
    const running = ask(connection, delay(50))
    expect(driver.isDirty?.(connection)).toBe(true)
    await running
    expect(driver.isDirty?.(connection)).toBe(false)
  })
})

test("what comes while a request of the user's own runs waits for its end", async () => {
  const { pool } = poolOn(used.server)
  await pool.use(async (lease) => {
    const own = ask(lease.connection, `${delay(50)}; select 1`)
    const rows = lease.query('select 2 as two').then(({ rows }) => rows)
    await expect(own).resolves.toEqual([[1]])
    await expect(rows).resolves.toEqual([{ two: 2 }])
    const another = ask(lease.connection, delay(50))
    await lease.transaction((tx) => tx.query('select @p1 as three', [3]))
    await another
  })
  expect(pool.stats().created).toBe(1)
})

test("a statement that has waited for a request of the user's own does not run in a transaction that this one has ended", async () => {
  const { pool } = poolOn(used.server)
  await pool.query('create table t (id int primary key)')
  const work = pool.transaction(async (tx) => {
    const own = ask(tx.connection, `${delay(50)}; select cast('x' as int)`)
    const late = tx.query('insert into t values (2)')
    await expect(own).rejects.toMatchObject({ number: 245 })
    await expect(late).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
  })
  await expect(work).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
  expect(first(await pool.query('select count(*) as n from t'))).toBe(0)
})

test('after an error that ended the transaction nothing more runs in it, and COMMIT says so', async () => {
  const { pool } = poolOn(used.server)
  await pool.query('create table t (id int primary key)')
  const work = pool.transaction(async (tx) => {
    await tx.query('insert into t values (1)')
    await expect(tx.query("select cast('x' as int)")).rejects.toMatchObject({ number: 245 })
    await expect(tx.query('insert into t values (2)')).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
  })
  await expect(work).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED', cause: { number: 245 } })
  expect(first(await pool.query('select count(*) as n from t'))).toBe(0)
})

test('under XACT_ABORT any error ends the transaction; the savepoint of a nested one is gone with it', async () => {
  const { pool } = poolOn(used.server, {}, { abortTransactionOnError: true })
  await pool.query('create table t (id int primary key)')
  const work = pool.transaction(async (tx) => {
    await tx.query('insert into t values (1)')
    const inner = tx.transaction((nested) => nested.query('insert into t values (1)'))
    await expect(inner).rejects.toMatchObject({ number: 2627 })
    await tx.query('insert into t values (2)')
  })
  await expect(work).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED', cause: { number: 2627 } })
  expect(first(await pool.query('select count(*) as n from t'))).toBe(0)
})

test('a BEGIN of the work without a COMMIT would leave all uncommitted: it is rolled back, and said', async () => {
  const { pool } = poolOn(used.server)
  await pool.query('create table t (id int primary key)')
  const work = pool.transaction(async (tx) => {
    await tx.query('if 1 = 1 begin tran; insert into t values (1)')
  })
  await expect(work).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
  expect(first(await pool.query('select count(*) as n from t'))).toBe(0)
})

test('a transaction within a transaction, past the pool, is refused', async () => {
  const { driver, pool } = poolOn(used.server)
  await pool.use(async ({ connection }) => {
    await driver.begin(connection, {})
    await expect(driver.begin(connection, {})).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})

test('a statement without parameters is a batch, one with parameters runs in a scope of its own', async () => {
  const { pool } = poolOn(used.server)
  await pool.use(async (lease) => {
    await lease.query('create table #t (id int)')
    await lease.query('insert into #t values (@p1)', [1])
    expect((await lease.query('select * from #t')).rows).toEqual([{ id: 1 }])
    await lease.query('create table #gone (id int); insert into #gone values (@p1)', [1])
    await expect(lease.query('select * from #gone')).rejects.toMatchObject({ number: 208 })
  })
})

test('a prepared statement is prepared once for each list of types', async () => {
  const { pool } = poolOn(used.server)
  await pool.use(async (lease) => {
    for (const value of [1, 2, 'three', 4, 5.5, 'six'])
      expect(first(await lease.query('select @p1 as v', [value], { prepare: true }))).toBe(value)
  })
  const count = (word: string) => used.server.log.filter(({ says }) => says.startsWith(word)).length
  expect([count('sp_prepare'), count('sp_execute')]).toEqual([3, 6])
})

test('a statement whose parameters have ever other types does not fill the server with handles', async () => {
  const { pool } = poolOn(used.server)
  const sql = 'select @p1 as a, @p2 as b, @p3 as c, @p4 as d, @p5 as e, @p6 as f, @p7 as g'
  await pool.use(async (lease) => {
    for (let mask = 0; mask < 128; mask++) {
      const values = Array.from({ length: 7 }, (_, bit) => ((mask >> bit) % 2 === 1 ? 1 : 'one'))
      const { rows } = await lease.query(sql, values, { prepare: true })
      expect(Object.values(rows[0] ?? {})).toEqual(values)
    }
  })
  expect(used.server.log.filter(({ says }) => says.startsWith('sp_prepare'))).toHaveLength(100)
})

test('a handle that the server has lost is prepared again', async () => {
  const { pool } = poolOn(used.server)
  await pool.use(async (lease) => {
    const read = () => lease.query('select @p1 as v', [1], { prepare: true })
    await read()
    // The user resets the session past the pool.
    await new Promise<void>((resolve, reject) => {
      lease.connection.reset((error) => (error ? reject(error) : resolve()))
    })
    expect(first(await read())).toBe(1)
  })
})

test('types go there and come back', async () => {
  const { pool } = poolOn(used.server)
  const date = new Date('2024-02-29T12:34:56.789Z')
  const values = { a: 1.25, b: true, c: date, d: Buffer.from([0, 255]), e: null, f: 'ÄÖ', g: -5 }
  const text = Object.keys(values)
    .map((name, index) => `@p${index + 1} as ${name}`)
    .join()
  const { rows } = await pool.query(`select ${text}`, Object.values(values))
  expect(rows).toEqual([values])
  const price = { type: TYPES.Decimal, value: '12.50', precision: 10, scale: 2 }
  expect(first(await pool.query('select @p1 as v', [price]))).toBe(12.5)
  const id = '6F9619FF-8B86-D011-B42D-00C04FC964FF'
  expect(first(await pool.query('select cast(@p1 as uniqueidentifier) as v', [id]))).toBe(id)
  const {
    rows: [times],
  } = await pool.query(
    "select cast('2024-02-29' as date) as d, cast('2024-02-29 12:34:56.789' as datetime) as t, cast(1.5 as money) as m",
  )
  expect(times).toEqual({ d: new Date('2024-02-29'), t: new Date('2024-02-29T12:34:56.790Z'), m: 1.5 })
})

test('of several results the last one with rows counts, of equal names the last column', async () => {
  const { pool } = poolOn(used.server)
  const { rows, fields, rowCount } = await pool.query(
    'select 1 as a; select 2 as b, 3 as b; declare @x int = 5',
  )
  expect({ rows, fields, rowCount }).toEqual({
    rows: [{ b: 3 }],
    fields: [{ name: 'b' }, { name: 'b' }],
    rowCount: 1,
  })
  await pool.query('create table t (id int identity primary key, n int)')
  const added = await pool.query('insert into t (n) output inserted.id values (@p1), (@p2)', [7, 8])
  expect(added).toMatchObject({ rows: [{ id: 1 }, { id: 2 }], rowCount: 2 })
})

test('by a URL alone the package is found', async () => {
  const pool = createPool(used.server.url(';database=app?pool.max=1'), { min: 0 })
  expect(first(await pool.query('select db_name() as db'))).toBe('app')
  expect(pool.stats().max).toBe(1)
  await pool.close()
})

test('a server that does not encrypt is refused where encryption was asked for', async () => {
  const { pool } = poolOn(used.server, {}, { encrypt: true })
  await expect(pool.query('select 1')).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    option: 'encrypt',
  })
  await eventually(() => expect(used.server.sessions()).toBe(0))
})

test('a misspelt option of tedious is refused at the first connect', async () => {
  const driver = tedious(configOf(used.server, { trustServerCertifcate: true }), { module: tediousPackage })
  await expect(driver.connect({ signal: new AbortController().signal })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    option: 'trustServerCertifcate',
  })
})

test('an idle connection keeps no process alive that was told so', async () => {
  const { driver, pool } = poolOn(used.server)
  await pool.use(({ connection }) => {
    const socket = (
      connection as unknown as { socket: { hasRef?(): boolean; _handle?: { hasRef(): boolean } } }
    ).socket
    const isHolding = () => socket._handle?.hasRef()
    driver.unref?.(connection)
    expect(isHolding()).toBe(false)
    driver.ref?.(connection)
    expect(isHolding()).toBe(true)
  })
})
