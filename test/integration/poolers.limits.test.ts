import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createPool } from '../../src/create-pool.ts'
import { missing, poolBehind, startHaproxy, startPgBouncer } from '../support/poolers.ts'
import { ask, eventually, startPostgres } from '../support/postgres.ts'
import { needs } from '../support/skip.ts'

const server = await startPostgres()

const TEXT = 'select $1::int as i'

describe('PgBouncer', () => {
  const problem = missing('pgbouncer')
  needs(problem === undefined, problem ?? '')

  test('by transaction: no session of the server is changed, and nothing is prepared in it', async () => {
    const { pool } = poolBehind(await startPgBouncer(server, 'transaction', { default_pool_size: 1 }), {
      pooler: 'transaction',
    })
    for (const text of ['set work_mem = 77', 'create temp table t (id int)', 'prepare p as select 1']) {
      await expect(pool.query(text)).rejects.toMatchObject({ code: 'SESSION_STATEMENT' })
    }
    await pool.transaction((tx) => tx.query("set local work_mem = '7MB'"))
    for (let n = 0; n < 8; n++) await pool.query('select $1::int', [n], { prepare: true })
    const { rows } = await pool.query(
      "select (select count(*)::int from pg_prepared_statements) as names, current_setting('work_mem') as work_mem",
    )
    expect(rows).toEqual([{ names: 0, work_mem: '4MB' }])
  })

  test('by transaction and not declared: answers go on, names end, and one error says what to declare', async () => {
    const pooler = await startPgBouncer(server, 'transaction', { default_pool_size: 2 })
    const { pool, told } = poolBehind(pooler, { max: 10 })
    const task = async (i: number) => {
      for (let n = 0; n < 30; n++) {
        // Lanes alone might stay on one connection each, and meet nobody.
        const ask = n % 3 === 0 ? pool.use((lease) => lease.query(TEXT, [i])) : pool.query(TEXT, [i])
        expect((await ask).rows).toEqual([{ i }])
      }
    }
    await Promise.all(Array.from({ length: 50 }, (_, i) => task(i)))
    expect(told).toEqual([expect.objectContaining({ code: 'INVALID_OPTION', option: 'pooler' })])
    for (let n = 0; n < 30; n++)
      await pool.transaction((tx) => tx.query('select $1::int', [n], { prepare: true }))
    expect(told.length).toBe(1)
  })

  test('by session: names and settings are the session’s own, and the next client gets none of them', async () => {
    const pooler = await startPgBouncer(server, 'session', { default_pool_size: 1 })
    const { pool, told } = poolBehind(pooler, { pooler: 'session', max: 1 })
    for (let n = 0; n < 8; n++) await pool.query('select $1::int', [n])
    const { rows } = await pool.query('select count(*)::int as names from pg_prepared_statements')
    expect(rows).toEqual([{ names: 1 }])
    await pool.use((lease) => lease.query("set work_mem = '7MB'"))
    await pool.close()
    const next = poolBehind(pooler, { pooler: 'session', max: 1 }).pool
    expect((await next.query('show work_mem')).rows).toEqual([{ work_mem: '4MB' }])
    expect(told).toEqual([])
  })

  test.each(['options=-c%20work_mem%3D7MB', 'statement_timeout=100'])(
    'refuses ?%s at login, which is permanent and says so',
    async (parameter) => {
      const pooler = await startPgBouncer(server, 'transaction')
      const pool = createPool(`${pooler.url()}?${parameter}`, { pooler: 'transaction' })
      onTestFinished(async () => {
        await pool.close()
      })
      const since = performance.now()
      await expect(pool.query('select 1')).rejects.toMatchObject({
        code: 'CONNECT_FAILED',
        message: expect.stringContaining(`unsupported startup parameter: ${parameter.split('=')[0]}`),
      })
      expect(performance.now() - since).toBeLessThan(20_000)
    },
  )

  test('lets the name of the application pass', async () => {
    const { pool } = poolBehind(await startPgBouncer(server, 'transaction'), { pooler: 'transaction' })
    expect((await pool.query('show application_name')).rows).toEqual([{ application_name: 'rockpool' }])
  })

  test('that takes no more clients is exhausted: what is open works on', async () => {
    const pooler = await startPgBouncer(server, 'transaction', { max_client_conn: 2 })
    const { pool } = poolBehind(pooler, { pooler: 'transaction', max: 10 })
    await Promise.all(Array.from({ length: 50 }, () => pool.query('select pg_sleep(0.002)')))
    expect(pool.stats().created).toBe(2)
    const late = poolBehind(pooler, { pooler: 'transaction', acquireTimeoutMs: 3_000 }).pool
    await expect(late.query('select 1')).rejects.toMatchObject({
      code: 'ACQUIRE_TIMEOUT',
      cause: { message: expect.stringContaining('no more connections allowed') },
    })
  })

  test('that lets nobody wait longer ends the connection: lost, and replaced', async () => {
    const settings = { default_pool_size: 1, query_wait_timeout: 1 }
    const pooler = await startPgBouncer(server, 'transaction', settings)
    const { pool } = poolBehind(pooler, { pooler: 'transaction' })
    const long = pool.query('select pg_sleep(5)')
    const running = "select from pg_stat_activity where state = 'active' and query = 'select pg_sleep(5)'"
    await eventually(async () => expect(await ask(server, running)).toHaveLength(1))
    await expect(pool.query('select 1')).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      cause: { message: expect.stringContaining('query_wait_timeout') },
    })
    await long
    await pool.query('select 1')
  })

  test('that ends idle clients never gets one of them lent', async () => {
    const pooler = await startPgBouncer(server, 'transaction', { client_idle_timeout: 1 })
    const { pool } = poolBehind(pooler, { pooler: 'transaction', max: 3, validateAfterIdleMs: Infinity })
    const burst = () => Promise.all(Array.from({ length: 3 }, () => pool.query('select pg_sleep(0.002)')))
    await burst()
    await eventually(() => expect(pool.stats().total).toBe(0))
    expect(pool.stats().closed.lost).toBe(pool.stats().created)
    await burst()
  })

  test('whose server restarts recovers with it', async () => {
    const { pool } = poolBehind(await startPgBouncer(server, 'transaction', { server_login_retry: 1 }), {
      pooler: 'transaction',
    })
    await pool.query('select 1')
    await server.stop()
    await server.start()
    await eventually(() => pool.query('select 1'))
  })
})

describe('HAProxy that closes what is silent', () => {
  const problem = missing('haproxy')
  needs(problem === undefined, problem ?? '')

  test('never gets a dead connection lent', async () => {
    const { pool } = poolBehind(await startHaproxy(server, 1_000), { max: 5, validateAfterIdleMs: Infinity })
    const burst = () => Promise.all(Array.from({ length: 5 }, () => pool.query('select pg_sleep(0.005)')))
    for (let round = 0; round < 5; round++) {
      await burst()
      await eventually(() => expect(pool.stats().total).toBe(0))
    }
    expect(pool.stats().closed.lost).toBeGreaterThanOrEqual(5)
  })

  test('is not mistaken for a pooler when somebody deallocates', async () => {
    const { pool, told } = poolBehind(await startHaproxy(server, 5_000), { max: 1 })
    const prepared = () => pool.query('select $1::int as n', [1], { prepare: true })
    const names = async () =>
      (await pool.query('select count(*)::int as names from pg_prepared_statements')).rows[0]?.names
    await prepared()
    await pool.use((lease) => lease.query('discard all'))
    expect((await prepared()).rows).toEqual([{ n: 1 }])
    await prepared()
    expect(await names()).toBe(1)
    expect(told).toEqual([])
  })

  test('leaves alone what is asked in the background', async () => {
    const { pool } = poolBehind(await startHaproxy(server, 2_500), { min: 1, max: 1, keepaliveMs: 100 })
    await pool.query('select 1')
    await sleep(4_000)
    await pool.query('select 1')
    expect(pool.stats()).toMatchObject({ created: 1, closed: { lost: 0 } })
  })

  test('under a lease that does nothing: lost, its place is free at once', async () => {
    const { pool } = poolBehind(await startHaproxy(server, 1_000), { max: 1 })
    const lease = await pool.acquire()
    await eventually(() => expect(pool.stats().leased).toBe(0))
    await expect(lease.query('select 1')).rejects.toMatchObject({ code: 'CONNECTION_LOST', executed: 'no' })
    lease.release()
    await pool.query('select 1')
  })
})
