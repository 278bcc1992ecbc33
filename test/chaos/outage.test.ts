import { describe, expect, onTestFinished, test } from 'vitest'
import { FaultProxy } from '../../src/testing/fault-proxy.ts'
import {
  Census,
  countingDriver,
  figures,
  Load,
  nothingUncaught,
  openPool,
  pause,
  whole,
} from '../support/chaos.ts'
import { eventually, startPostgres } from '../support/postgres.ts'

const MAX = 10
const server = await startPostgres()

describe.each(whole ? [3, 30] : [1])('a server that is down for %d s', (seconds) => {
  test.for(['fast', 'immediate'] as const)(
    'fails at most the statements in flight (%s stop)',
    async (mode, context) => {
      nothingUncaught()
      const census = new Census(server)
      const { driver, flight } = countingDriver(server.url())
      const pool = openPool(driver, { max: MAX })
      const load = new Load(() => pool.query('select 1'))
      const normal = await normalRate(load)
      await server.stop({ mode })
      await pause(seconds * 1000)
      await server.start()
      const back = performance.now()
      await load.flowsAgain()
      await pause(whole ? 1_000 : 100)
      await load.stop()
      const recoveryMs = load.recoveryMs(back, normal)
      figures(context, {
        failed: load.failures.length,
        'in flight': flight.lost,
        attempts: pool.stats().connectFailed,
      })
      figures(context, { 'back after ms': recoveryMs, 'sessions at most': census.most })
      expect(load.failures.length).toBeLessThanOrEqual(flight.lost)
      for (const code of load.codes) expect(code).toBe('CONNECTION_LOST')
      expect(census.most).toBeLessThanOrEqual(MAX)
      if (whole) expect(recoveryMs).toBeLessThan(500)
    },
  )

  test('does not fail idempotent statements', async (context) => {
    nothingUncaught()
    const pool = openPool(server.url(), { max: MAX })
    const load = new Load(() => pool.query('select 1', [], { idempotent: true }))
    await load.flowsAgain()
    await server.stop({ mode: 'immediate' })
    await pause(seconds * 1000)
    await server.start()
    await load.flowsAgain()
    await load.stop()
    figures(context, { succeeded: load.successes, lost: pool.stats().closed.lost })
    expect(load.errors).toEqual([])
  })

  test('is asked by few at a time, with pauses, and by all when it is back', async (context) => {
    nothingUncaught()
    const proxy = await new FaultProxy(server).listen()
    onTestFinished(() => proxy.close())
    const { driver, flight } = countingDriver(proxy.url(server.url()))
    const pool = openPool(driver, { max: MAX })
    const load = new Load(() => pool.query('select 1'))
    const normal = await normalRate(load)
    // Cancel requests for what ran on the lost connections come through the proxy too: these are no attempts to reconnect.
    let atATime = 0
    const probes: number[] = []
    proxy.onConnection = ({ since }) => {
      atATime = Math.max(atATime, pool.stats().connecting)
      if (pool.stats().connecting > 0) probes.push(since)
    }
    await server.stop({ mode: 'immediate' })
    const down = performance.now()
    await pause(seconds * 1000)
    await server.start()
    proxy.onConnection = undefined
    const back = performance.now()
    await load.flowsAgain()
    await pause(whole ? 1_000 : 100)
    await load.stop()
    const recoveryMs = load.recoveryMs(back, normal)
    const settled = probes.filter((at) => at > down + 200)
    const pauses = settled.slice(1).map((at, i) => at - (settled[i] ?? 0))
    figures(context, { attempts: probes.length, 'at a time': atATime, failed: load.failures.length })
    figures(context, { 'mean pause ms': mean(pauses), 'longest ms': Math.max(...pauses) })
    figures(context, { 'back after ms': recoveryMs })
    expect(atATime).toBeLessThanOrEqual(3)
    // Full jitter on a pause of at most 200 ms: a hundred on the average.
    expect(probes.length).toBeGreaterThan(whole ? seconds * 4 : 0)
    expect(probes.length).toBeLessThan(((back - down) / 1_000) * 20 + 20)
    expect(load.failures.length).toBeLessThanOrEqual(flight.lost)
    if (whole) expect(mean(pauses)).toBeGreaterThan(60)
    if (whole) expect(recoveryMs).toBeLessThan(500)
  })
})

test('while nobody waits for a server that is down it is left in peace', async (context) => {
  nothingUncaught()
  const pool = openPool(server.url(), { max: MAX, min: 5 })
  await pool.ready()
  await server.stop({ mode: 'immediate' })
  await pause(whole ? 10_000 : 1_500)
  await eventually(() => expect(pool.stats().connectFailed).toBeGreaterThan(1))
  const attempts = pool.stats().connectFailed
  await server.start()
  await pool.ready({ timeoutMs: 30_000 })
  figures(context, { attempts })
  expect(attempts).toBeLessThan(whole ? 30 : 20)
})

async function normalRate(load: Load): Promise<number> {
  await load.flowsAgain()
  await pause(whole ? 1_000 : 200)
  return load.rate(performance.now() - (whole ? 500 : 100), performance.now())
}

function mean(numbers: number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0) / numbers.length
}
