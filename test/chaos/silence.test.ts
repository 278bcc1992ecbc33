import { expect, onTestFinished, test } from 'vitest'
import { FaultProxy } from '../../src/testing/fault-proxy.ts'
import { Census, figures, Load, nothingUncaught, openPool, pause, whole } from '../support/chaos.ts'
import { eventually, startPostgres } from '../support/postgres.ts'

const MAX = 5
/** The quick part leaves more time: one check is as far from the next as a busy machine may be late. */
const VALIDATE_MS = whole ? 300 : 2_000
const CONNECT_MS = whole ? 500 : 2_000
/** What a busy machine may add. */
const SLACK_MS = whole ? 300 : 5_000
const server = await startPostgres()

/** A pool behind a proxy, with all of its connections open and idle. */
async function poolBehindProxy(options = {}) {
  nothingUncaught()
  const proxy = await new FaultProxy(server).listen()
  const pool = openPool(proxy.url(server.url()), {
    max: MAX,
    validateAfterIdleMs: 0,
    validateTimeoutMs: VALIDATE_MS,
    connectTimeoutMs: CONNECT_MS,
    resetTimeoutMs: 300,
    multiplex: 'off',
    ...options,
  })
  // Finished in reverse order: the pool closes before the proxy would cut it off.
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
    await proxy.close()
  })
  const leases = await Promise.all(Array.from({ length: MAX }, () => pool.acquire()))
  for (const lease of leases) lease.release()
  return { proxy, pool }
}

const silenceAll = (proxy: FaultProxy) => {
  for (const connection of proxy.connections) connection.set({ silent: true })
}

async function timed<T>(work: Promise<T>): Promise<number> {
  const since = performance.now()
  await work
  return performance.now() - since
}

test('idle connections that were silently dropped hold nobody up for longer than check and connect', async (context) => {
  const { proxy, pool } = await poolBehindProxy()
  silenceAll(proxy)
  const times = await Promise.all(Array.from({ length: 20 }, () => timed(pool.query('select 1'))))
  figures(context, { 'served after ms': Math.max(...times), closed: pool.stats().closed.invalid })
  expect(Math.max(...times)).toBeLessThan(VALIDATE_MS + CONNECT_MS + SLACK_MS)
})

test('a single caller is not sent from one dropped connection to the next', async (context) => {
  const { proxy, pool } = await poolBehindProxy()
  silenceAll(proxy)
  const ms = await timed(pool.query('select 1'))
  figures(context, { 'served after ms': ms })
  expect(ms).toBeLessThan(VALIDATE_MS + CONNECT_MS + SLACK_MS)
})

test('one dropped connection of many costs one caller one check', async (context) => {
  const { proxy, pool } = await poolBehindProxy()
  proxy.connections.at(-1)?.set({ silent: true })
  const times = await Promise.all(Array.from({ length: MAX }, () => timed(pool.query('select 1'))))
  figures(context, { 'served after ms': Math.max(...times) })
  expect(Math.max(...times)).toBeLessThan(VALIDATE_MS + CONNECT_MS + SLACK_MS)
})

test('while everything is silent each caller is told at its own deadline, and served soon after it', async (context) => {
  const { proxy, pool } = await poolBehindProxy()
  proxy.set({ silent: true })
  const since = performance.now()
  const late = await Promise.all(
    [200, 700, 1_200].map(async (timeoutMs) => {
      const error = await pool.acquire({ timeoutMs }).catch((thrown) => thrown)
      expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
      return performance.now() - since - timeoutMs
    }),
  )
  await proxy.heal()
  const ms = await timed(pool.query('select 1'))
  figures(context, { 'late by ms': Math.max(...late), 'served after ms': ms })
  expect(Math.max(...late)).toBeLessThan(SLACK_MS)
  expect(ms).toBeLessThan(CONNECT_MS + 200 + SLACK_MS)
})

test('statements in flight on dropped connections end at their time limit, and others are served', async (context) => {
  const { proxy, pool } = await poolBehindProxy()
  const leases = await Promise.all(Array.from({ length: MAX }, () => pool.acquire()))
  const running = leases.map((lease) =>
    timed(
      lease
        .query('select pg_sleep(0.1)', [], { timeoutMs: 300 })
        .catch((error) => expect(error.code).toBe('QUERY_TIMEOUT'))
        .finally(() => lease.release()),
    ),
  )
  silenceAll(proxy)
  const waited = timed(pool.query('select 1'))
  const ended = await Promise.all(running)
  figures(context, { 'ended after ms': Math.max(...ended), 'next one served after ms': await waited })
  expect(Math.max(...ended)).toBeLessThan(300 + SLACK_MS)
  // The time limit, the reset's, and the goodbye that nobody answers.
  expect(await waited).toBeLessThan(300 + 300 + 2_000 + SLACK_MS)
})

test('under load a network that goes silent for a while and heals leaves the pool as it was', async (context) => {
  const { proxy, pool } = await poolBehindProxy({ validateAfterIdleMs: 1_000 })
  const census = new Census(server)
  const timeoutMs = 3_000
  const load = new Load(() => pool.query('select 1', [], { timeoutMs, idempotent: true }), 20)
  await load.flowsAgain()
  proxy.set({ silent: true })
  await pause(whole ? 10_000 : 4_000)
  await proxy.heal()
  const healed = performance.now()
  await load.flowsAgain()
  const ms = performance.now() - healed
  // What was asked before has been answered, or told, by then.
  await pause(whole ? 300 : timeoutMs)
  const since = load.failures.length
  await pause(500)
  await load.stop()
  figures(context, { 'served after ms': ms, failed: load.failures.length, codes: load.codes.join('/') })
  expect(load.failures.length).toBe(since)
  for (const code of load.codes) expect(['QUERY_TIMEOUT', 'ACQUIRE_TIMEOUT']).toContain(code)
  await eventually(() => expect(pool.stats()).toMatchObject({ waiting: 0, closing: 0, resetting: 0 }))
  expect(census.looks).toBeGreaterThan(0)
})

test('a connection that ends on one side only is not lent', async () => {
  const { proxy, pool } = await poolBehindProxy({ validateAfterIdleMs: Number.POSITIVE_INFINITY })
  proxy.halfClose('down')
  await eventually(() => expect(pool.stats().closed.lost).toBe(MAX))
  expect(await Promise.all(Array.from({ length: 10 }, () => pool.query('select 1')))).toHaveLength(10)
  expect(pool.stats().closed.lost).toBe(MAX)
})

test('a reset under load fails at most the statements in flight', async () => {
  const { proxy, pool } = await poolBehindProxy()
  const load = new Load(() => pool.query('select 1'), 20)
  for (let round = 1; round <= 3; round++) {
    await load.flowsAgain()
    proxy.reset()
    await load.flowsAgain()
    expect(load.failures.length).toBeLessThanOrEqual(round * MAX)
  }
  await load.stop()
  for (const code of load.codes) expect(code).toBe('CONNECTION_LOST')
})

test('a slow and narrow network makes things slow, not wrong', async (context) => {
  const { proxy, pool } = await poolBehindProxy({ connectTimeoutMs: 10_000, validateTimeoutMs: 5_000 })
  proxy.set({ latencyMs: 20, bytesPerSecond: 200_000 })
  const rows = await Promise.all(
    Array.from({ length: 10 }, (_, n) => pool.query(`select $1::int as n, repeat('x', 2000) as pad`, [n])),
  )
  figures(context, { rows: rows.length, created: pool.stats().created })
  expect(rows.map(({ rows: [row] }) => row?.n)).toEqual(Array.from({ length: 10 }, (_, n) => n))
  expect(pool.stats().connectFailed).toBe(0)
})
