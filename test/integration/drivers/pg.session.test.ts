import pgModule from 'pg'
import { describe, expect, test } from 'vitest'
import { TransactionError } from '../../../src/contract/errors.ts'
import { pgDriver } from '../../support/pg-driver.ts'
import { ask, startPostgres } from '../../support/postgres.ts'

const server = await startPostgres()
const { driver, open } = pgDriver(server.url())

describe('a query', () => {
  test('gives rows, their number and their fields', async () => {
    const { query } = await open()
    const result = await query('select $1::int as a, $2::text as b', [1, 'x'])
    expect(result).toMatchObject({
      rows: [{ a: 1, b: 'x' }],
      rowCount: 1,
      fields: [{ name: 'a' }, { name: 'b' }],
    })
  })

  test('of several statements gives the last result', async () => {
    const { query } = await open()
    expect((await query('select 1 as a; select 2 as b')).rows).toEqual([{ b: 2 }])
    expect(await query('create temp table t (i int); insert into t values (1), (2)')).toMatchObject({
      rows: [],
      rowCount: 2,
    })
  })

  test('without rows counts those affected', async () => {
    const { query } = await open()
    await query('create temp table t (i int)')
    expect(await query('insert into t select generate_series(1, $1::int)', [5])).toMatchObject({
      rowCount: 5,
      rows: [],
    })
    expect(await query('set work_mem = default')).toMatchObject({ rowCount: 0, rows: [] })
    expect(await query('')).toMatchObject({ rowCount: 0, rows: [] })
  })

  test('tells what the server has done', async () => {
    const { query } = await open()
    expect(await query('with x as (select 1 as i) select * from x')).toMatchObject({ command: 'SELECT' })
    expect(await query('create temp table t (i int)')).toMatchObject({ command: 'CREATE' })
    expect(await query('insert into t values ($1)', [1])).toMatchObject({ command: 'INSERT' })
    expect((await query('')).command).toBeUndefined()
    expect(driver.dialect).toBe('postgres')
  })

  test('sends parameters as pg does', async () => {
    const { rows } = await open()
    const sent = [12345678901234567890n, Buffer.from([0, 255]), new Date(0), [1, 2], { a: 1 }, null, true]
    const sql =
      'select $1::numeric::text as a, $2::bytea as b, $3::timestamptz as c, $4::int[] as d, $5::jsonb as e, $6::text as f, $7::bool as g'
    expect(await rows(sql, sent)).toEqual([
      { a: '12345678901234567890', b: sent[1], c: sent[2], d: [1, 2], e: { a: 1 }, f: null, g: true },
    ])
  })

  test('rejects with the error of pg itself, and the connection is quiet by then', async () => {
    const { client, query } = await open()
    const error = await query('select 1/0').catch((thrown) => thrown)
    expect(error).toBeInstanceOf(pgModule.DatabaseError)
    expect(error.code).toBe('22012')
    expect(driver.isDirty(client)).toBe(false)
    await expect(query('select $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' })
    expect(driver.isDirty(client)).toBe(false)
    await expect(
      query('select $1::text', [
        {
          toPostgres: () => {
            throw new Error('mine')
          },
        },
      ]),
    ).rejects.toThrow('mine')
    expect(driver.isDirty(client)).toBe(false)
    expect(await query('select 1 as a')).toMatchObject({ rows: [{ a: 1 }] })
  })

  test('has the caller in the stack of its error', async () => {
    const { query } = await open()
    const callerOfThis = async () => {
      await query('select nonsense')
    }
    await expect(callerOfThis()).rejects.toMatchObject({ stack: expect.stringContaining('callerOfThis') })
  })
})

describe('a prepared statement', () => {
  test('is parsed once', async () => {
    const { query, rows } = await open()
    for (let i = 0; i < 3; i++)
      expect((await query('select $1::int as a', [i], 'one')).rows).toEqual([{ a: i }])
    expect(await rows('select name from pg_prepared_statements')).toEqual([{ name: 'one' }])
  })

  test('without parameters is prepared as well', async () => {
    const { query, rows } = await open()
    await query('select 1', [], 'one')
    expect(await rows('select name from pg_prepared_statements')).toEqual([{ name: 'one' }])
  })

  test('whose plan DDL made invalid fails once, is forgotten and works again', async () => {
    const { query } = await open()
    await query('create temp table t as select 1 as a')
    const select = () => query('select * from t', [], 'all')
    await select()
    await query('alter table t add column b int')
    const error = await select().catch((thrown) => thrown)
    expect(driver.isStalePlan(error)).toBe(true)
    expect((await select()).rows).toEqual([{ a: 1, b: null }])
  })

  test('that the server lost works again, in a transaction too', async () => {
    const { client, query } = await open()
    const select = () => query('select $1::int as a', [1], 'one')
    await select()
    await query('deallocate one')
    expect(driver.isStalePlan(await select().catch((thrown) => thrown))).toBe(true)
    expect((await select()).rows).toEqual([{ a: 1 }])
    await query('deallocate all')
    await driver.begin(client, {})
    await driver.savepoint(client, 's', 'set')
    await select().catch(() => undefined)
    await driver.savepoint(client, 's', 'rollback')
    expect((await select()).rows).toEqual([{ a: 1 }])
  })

  test('whose name the server knows for another text works at the second attempt', async () => {
    const { query } = await open()
    await query('prepare one as select 2 as b')
    const select = () => query('select $1::int as a', [1], 'one')
    expect(driver.isStalePlan(await select().catch((thrown) => thrown))).toBe(true)
    expect((await select()).rows).toEqual([{ a: 1 }])
  })
})

describe('a transaction', () => {
  test.each([
    [{}, 'read committed', 'off'],
    [{ isolation: 'read uncommitted' }, 'read uncommitted', 'off'],
    [{ isolation: 'repeatable read' }, 'repeatable read', 'off'],
    [{ isolation: 'snapshot', readOnly: true }, 'repeatable read', 'on'],
    [{ isolation: 'serializable', readOnly: false }, 'serializable', 'off'],
    [{ readOnly: true }, 'read committed', 'on'],
  ] as const)('begins with %j', async (options, isolation, readOnly) => {
    const { client, rows } = await open()
    await driver.begin(client, options)
    const sql = `select current_setting('transaction_isolation') as i, current_setting('transaction_read_only') as r`
    expect(await rows(sql)).toEqual([{ i: isolation, r: readOnly }])
    await driver.rollback(client)
  })

  test('refuses an isolation level that is none', async () => {
    const { client } = await open()
    await expect(driver.begin(client, { isolation: 'serializable; drop table t' as never })).rejects.toThrow(
      /"isolation"/,
    )
    expect(driver.isDirty(client)).toBe(false)
  })

  test('whose COMMIT the server answers with ROLLBACK is not called committed', async () => {
    const { client, query } = await open()
    await driver.begin(client, {})
    await query('select 1/0').catch(() => undefined)
    const committing = driver.commit(client)
    await expect(committing).rejects.toBeInstanceOf(TransactionError)
    await expect(committing).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
    expect(driver.isDirty(client)).toBe(false)
  })

  test('whose COMMIT fails rejects with the error of the server', async () => {
    const { client, query } = await open()
    await query('create temp table t (i int unique deferrable initially deferred)')
    await driver.begin(client, {})
    await query('insert into t values (1), (1)')
    await expect(driver.commit(client)).rejects.toMatchObject({ code: '23505' })
    expect(driver.isDirty(client)).toBe(false)
  })

  test('goes back to its savepoints, whatever they are called', async () => {
    const { client, query, rows } = await open()
    await query('create temp table t (i int)')
    await driver.begin(client, {})
    await driver.savepoint(client, 'a "b"', 'set')
    await query('insert into t values (1)')
    await driver.savepoint(client, 'a "b"', 'rollback')
    await driver.savepoint(client, 'a "b"', 'release')
    await query('insert into t values (2)')
    await driver.commit(client)
    expect(await rows('select i from t')).toEqual([{ i: 2 }])
  })
})

describe('a connection is dirty', () => {
  test('in a transaction, open or failed, and not after it', async () => {
    const { client, query } = await open()
    expect(driver.isDirty(client)).toBe(false)
    await query('begin')
    expect(driver.isDirty(client)).toBe(true)
    await query('select 1/0').catch(() => undefined)
    expect(driver.isDirty(client)).toBe(true)
    await query('rollback')
    expect(driver.isDirty(client)).toBe(false)
  })

  test('while a statement is in flight or waits for its turn', async () => {
    const { client, query } = await open()
    const both = Promise.all([query('select pg_sleep(0.02)'), query('select 1')])
    expect(driver.isDirty(client)).toBe(true)
    await both
    expect(driver.isDirty(client)).toBe(false)
  })

  test('while a cancel request is on its way', async () => {
    const { client } = await open()
    const cancelling = driver.cancel(client)
    expect(driver.isDirty(client)).toBe(true)
    await cancelling
    expect(driver.isDirty(client)).toBe(false)
  })
})

describe('a reset', () => {
  test('sends nothing when there is nothing to roll back', async () => {
    const { client, query } = await open()
    await query('select 42 as answer')
    await driver.reset(client, 'rollback')
    const [row] = await ask<{ query: string }>(
      server,
      `select query from pg_stat_activity where query like '%42 as answer' and pid <> pg_backend_pid()`,
    )
    expect(row?.query).toBe('select 42 as answer')
  })

  test('rolls back what is open or failed', async () => {
    const { client, query } = await open()
    await query('begin')
    await driver.reset(client, 'rollback')
    expect(driver.isDirty(client)).toBe(false)
    await query('begin; select 1/0').catch(() => undefined)
    await driver.reset(client, 'rollback')
    expect(driver.isDirty(client)).toBe(false)
  })

  test('waits for statements in flight, and sees the transaction that one of them opens', async () => {
    const { client, query } = await open()
    const late = query('select pg_sleep(0.02); begin')
    const resetting = driver.reset(client, 'rollback')
    await late
    await resetting
    expect(driver.isDirty(client)).toBe(false)
  })

  test('"full" makes the session as it was after connecting', async () => {
    const { open: openMine } = pgDriver(`${server.url()}?application_name=mine&options=-c%20work_mem%3D5MB`)
    const { client, query, rows } = await openMine()
    await query(`begin; set application_name = 'other'; set work_mem = '7MB'; create temp table t (i int)`)
    await query('commit')
    await query('listen channel')
    await query('select pg_advisory_lock(1)')
    await query('select $1::int', [1], 'one')
    await driver.begin(client, {})
    await driver.reset(client, 'full')
    expect(
      await rows(`select current_setting('application_name') as name, current_setting('work_mem') as mem,
        to_regclass('pg_temp.t') as t, (select count(*)::int from pg_listening_channels()) as listening,
        (select count(*)::int from pg_locks where locktype = 'advisory') as locks,
        (select count(*)::int from pg_prepared_statements) as prepared`),
    ).toEqual([{ name: 'mine', mem: '5MB', t: null, listening: 0, locks: 0, prepared: 0 }])
    expect((await query('select $1::int as a', [1], 'one')).rows).toEqual([{ a: 1 }])
    expect((await query('select $1::text as a', ['x'], 'two')).rows).toEqual([{ a: 'x' }])
  })

  test('rejects when the connection dies under it', async () => {
    const { client, query, pid } = await open()
    const sleeping = query('select pg_sleep(10)').catch((error) => error)
    const resetting = driver.reset(client, 'rollback')
    await Promise.all([
      ask(server, 'select pg_terminate_backend($1)', [pid]),
      expect(resetting).rejects.toMatchObject({ code: '57P01' }),
    ])
    expect(driver.classify(await sleeping, 'statement')).toBe('fatal')
  })
})

describe('the liveness check', () => {
  const signal = () => new AbortController().signal

  test('is answered by a living server, in a failed transaction too', async () => {
    const { client, query } = await open()
    expect(await driver.isAlive(client, { signal: signal() })).toBe(true)
    await query('begin; select 1/0').catch(() => undefined)
    expect(await driver.isAlive(client, { signal: signal() })).toBe(true)
  })

  test('rejects when the connection is dead, and at once when it is aborted', async () => {
    const { client, query, close } = await open()
    const abort = new AbortController()
    const sleeping = query('select pg_sleep(60)').catch((error) => error)
    const checking = driver.isAlive(client, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(checking).rejects.toThrow('enough')
    await close()
    expect(driver.classify(await sleeping, 'statement')).toBe('fatal')
    await expect(driver.isAlive(client, { signal: signal() })).rejects.toThrow()
  })
})

describe('a server that became read-only', () => {
  const refused = { code: '25006' }

  test("is confirmed when its administrator said so, and not for the user's own read-only transaction", async () => {
    const { client, query } = await open()
    await query('create table if not exists written (i int)')
    await query('begin read only')
    const error = await query('insert into written values (1)').catch((thrown) => thrown)
    expect(driver.classify(error, 'statement')).toBe('stale')
    expect(await driver.confirmStale(client)).toBe(false)
    await query('rollback')
    expect(await driver.confirmStale(client)).toBe(false)

    await query('set default_transaction_read_only = on')
    await expect(query('insert into written values (1)')).rejects.toMatchObject(refused)
    expect(await driver.confirmStale(client)).toBe(false)
    await query('reset default_transaction_read_only')

    await ask(server, 'alter system set default_transaction_read_only = on')
    await ask(server, 'select pg_reload_conf()')
    await expect
      .poll(() =>
        query('insert into written values (1)').then(
          () => ({}),
          (e) => e,
        ),
      )
      .toMatchObject(refused)
    expect(await driver.confirmStale(client)).toBe(true)
    await ask(server, 'alter system reset default_transaction_read_only')
    await ask(server, 'select pg_reload_conf()')
    await expect
      .poll(() =>
        query('insert into written values (1)').then(
          () => 'written',
          (e) => e,
        ),
      )
      .toBe('written')
    expect(await driver.confirmStale(client)).toBe(false)
  })
})

describe('pipelining', () => {
  test('is switched on and off on an idle connection', async () => {
    const { client, query } = await open()
    driver.pipeline(client, true)
    const answers = await Promise.all([1, 2, 3].map((n) => query('select $1::int as n', [n])))
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual([1, 2, 3])
    const running = query('select pg_sleep(0.02)')
    const behind = query('select 1')
    expect(driver.isDirty(client)).toBe(true)
    expect(() => driver.pipeline(client, false)).toThrow(TypeError)
    await Promise.all([running, behind])
    expect(driver.isDirty(client)).toBe(false)
    driver.pipeline(client, false)
    expect(await query('select 1 as a')).toMatchObject({ rows: [{ a: 1 }] })
  })

  test('is refused with a reason by a pg that cannot', async () => {
    const { client } = await open()
    ;(client as { pipeline?: boolean }).pipeline = undefined
    expect(() => driver.pipeline(client, true)).toThrow(/8\.23/)
  })
})
