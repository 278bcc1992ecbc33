import { expect, onTestFinished, test } from 'vitest'
import { Census, figures, Load, nothingUncaught, openPool, pause, whole } from '../support/chaos.ts'
import { eventually, startPostgres } from '../support/postgres.ts'

const MAX = 10
const FROZEN_MS = whole ? 8_000 : 4_000
const server = await startPostgres()

function freeze() {
  server.freeze()
  onTestFinished(() => server.thaw())
}

test('a server that stops and goes on fails nobody whose deadline is longer', async (context) => {
  nothingUncaught()
  const census = new Census(server)
  const pool = openPool(server.url(), { max: MAX })
  const load = new Load(() => pool.query('select 1'))
  await load.flowsAgain()
  freeze()
  await pause(FROZEN_MS)
  server.thaw()
  await load.flowsAgain()
  await load.stop()
  figures(context, { failed: load.failures.length, created: pool.stats().created, 'at most': census.most })
  expect(load.errors).toEqual([])
  expect(census.most).toBeLessThanOrEqual(MAX)
})

test('callers of a server that stopped are told at their deadlines, and served when it goes on', async (context) => {
  nothingUncaught()
  const pool = openPool(server.url(), {
    max: MAX,
    resetTimeoutMs: 300,
    connectTimeoutMs: 400,
    multiplex: 'off',
  })
  const late: number[] = []
  const load = new Load(async () => {
    const since = performance.now()
    try {
      await pool.query('select 1', [], { timeoutMs: 500 })
    } catch (error) {
      late.push(performance.now() - since - 500)
      throw error
    }
  })
  await load.flowsAgain()
  freeze()
  await pause(FROZEN_MS)
  const attempts = pool.stats().connectFailed
  server.thaw()
  const thawed = performance.now()
  await load.flowsAgain()
  const backMs = performance.now() - thawed
  await load.stop()
  figures(context, { 'late by ms': Math.max(...late), attempts, 'back after ms': backMs })
  for (const code of load.codes) expect(['QUERY_TIMEOUT', 'ACQUIRE_TIMEOUT']).toContain(code)
  // Long before it goes on, even where the machine is slow.
  expect(Math.max(...late)).toBeLessThan(whole ? 300 : FROZEN_MS - 1_500)
  expect(attempts).toBeLessThan((FROZEN_MS / 1_000) * 10 + 5)
  await eventually(() => expect(pool.stats().closing).toBe(0))
  await eventually(async () => {
    const census = new Census(server)
    await pause(100)
    expect(census.most).toBeLessThanOrEqual(MAX)
  })
})
