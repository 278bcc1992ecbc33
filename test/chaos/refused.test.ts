import pgModule from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import type { EmbeddedPostgres } from '../../src/testing/embedded-postgres.ts'
import { Census, figures, Load, nothingUncaught, openPool, pause, whole } from '../support/chaos.ts'
import { ask, eventually, startPostgres } from '../support/postgres.ts'

const PLACES = 12
const small = await startPostgres({ maxConnections: PLACES })
const locked = await startPostgres({ password: 'secret' })

/** So many of somebody else's connections, as soon as those of an earlier test have left. */
async function occupy(server: EmbeddedPostgres, count: number) {
  const clients: pgModule.Client[] = []
  const leave = async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()))
  }
  onTestFinished(leave)
  const enter = async () => {
    const client = new pgModule.Client({ connectionString: server.url(), application_name: 'other' })
    client.on('error', () => {})
    await client.connect()
    clients.push(client)
  }
  while (clients.length < count) await eventually(enter)
  return leave
}

test('a server without room for all of the pool is used as far as it goes, and fully when it has room', async (context) => {
  nothingUncaught()
  const census = new Census(small)
  const leave = await occupy(small, 7)
  const pool = openPool(small.url(), { max: 10, multiplex: 'off' })
  const load = new Load(() => pool.query('select pg_sleep(0.002)'))
  const asked = performance.now()
  await pause(whole ? 3_000 : 800)
  await eventually(() => expect(pool.stats().total - pool.stats().connecting).toBeGreaterThanOrEqual(3))
  const { connectFailed } = pool.stats()
  const seconds = (performance.now() - asked) / 1_000
  await leave()
  const since = performance.now()
  await eventually(() => expect(pool.stats().leased).toBeGreaterThanOrEqual(10))
  const fullMs = performance.now() - since
  await load.stop()
  figures(context, { refused: connectFailed, 'full after ms': fullMs, 'at most': census.most })
  expect(load.errors).toEqual([])
  expect(connectFailed).toBeLessThan(20 * seconds + 20)
  if (whole) expect(fullMs).toBeLessThan(500)
})

test('a server without any room says so at the deadline, and serves when it has room', async (context) => {
  nothingUncaught()
  const leave = await occupy(small, PLACES)
  const pool = openPool(small.url(), { max: 5 })
  const error = await pool.acquire({ timeoutMs: 3_000 }).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT', phase: 'connect', cause: { code: '53300' } })
  const waiting = pool.query('select 1')
  await pause(100)
  await leave()
  const since = performance.now()
  await waiting
  figures(context, { 'served after ms': performance.now() - since, refused: pool.stats().connectFailed })
  if (whole) expect(performance.now() - since).toBeLessThan(500)
})

test('a changed password harms nobody while connections are open, is told at once when none is, and mends itself', async (context) => {
  nothingUncaught()
  const setPassword = (password: string) => root.query(`alter role app password '${password}'`)
  const root = new pgModule.Client({ connectionString: locked.url(), application_name: 'root' })
  root.on('error', () => {})
  await root.connect()
  onTestFinished(() => root.end())
  await root.query(`create role app login password 'first'`)
  const url = locked.url().replace('postgres:secret@', 'app:first@')
  const pool = openPool(url, { max: 4, multiplex: 'off' })
  const load = new Load(() => pool.query('select 1'), 8)
  await load.flowsAgain()

  await setPassword('second')
  pool.resize({ max: 8 })
  const resized = performance.now()
  await load.flowsAgain()
  await pause(300)
  await eventually(() => expect(pool.stats().connectFailed).toBeGreaterThan(0))
  await eventually(() => expect(pool.stats().leased).toBe(4))
  expect(load.errors).toEqual([])
  const refusedWhileOpen = pool.stats().connectFailed
  expect(refusedWhileOpen).toBeLessThan(8 + (performance.now() - resized) / 500)

  await load.stop()
  await ask(locked, `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`)
  await eventually(() => expect(pool.stats().total).toBe(0))
  const before = pool.stats().connectFailed
  const since = performance.now()
  for (let n = 0; n < 20; n++) {
    const error = await pool.query('select 1').catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: '28P01' } })
    expect(JSON.stringify(error) + String(error)).not.toContain('first')
  }
  const toldMs = performance.now() - since
  expect(pool.stats().connectFailed - before).toBeLessThan(2 + toldMs / 500)

  await setPassword('first')
  const mended = performance.now()
  await eventually(() => pool.query('select 1'))
  figures(context, {
    'refused while open': refusedWhileOpen,
    'told 20 in ms': toldMs,
    'mended after ms': performance.now() - mended,
  })
  if (whole) expect(performance.now() - mended).toBeLessThan(2_000)
})
