import { expect, test } from 'vitest'
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
import { ask, startPostgres } from '../support/postgres.ts'

const MAX = 10
const HOW = ['off', 'auto'] as const
const server = await startPostgres()

const killAll = () =>
  ask(server, `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rockpool'`)

const backends = async () =>
  (
    await ask<{ pid: number }>(
      server,
      `select pid from pg_stat_activity where application_name = 'rockpool' order by pid`,
    )
  ).map(({ pid }) => pid)

test.for(HOW)(
  'when all backends are killed at most the statements in flight fail (multiplex %s)',
  async (multiplex, context) => {
    nothingUncaught()
    const census = new Census(server)
    const { driver, flight } = countingDriver(server.url())
    const pool = openPool(driver, { max: MAX, multiplex })
    const load = new Load(() => pool.query('select 1'))
    const recoveries: number[] = []
    for (let round = 0; round < (whole ? 7 : 2); round++) {
      await load.flowsAgain()
      await pause(whole ? 700 : 100)
      const killed = performance.now()
      const normal = load.rate(killed - (whole ? 500 : 50), killed)
      await killAll()
      await load.flowsAgain()
      await pause(whole ? 700 : 50)
      recoveries.push(load.recoveryMs(killed, normal))
      expect(load.failures.length).toBeLessThanOrEqual(flight.lost)
    }
    await load.stop()
    recoveries.sort((a, b) => a - b)
    const [best = 0, middle = 0] = [recoveries[0], recoveries[recoveries.length >> 1]]
    figures(context, {
      failed: load.failures.length,
      'in flight': flight.lost,
      'back after ms': middle,
      best,
      worst: recoveries.at(-1) ?? 0,
    })
    figures(context, { 'sessions at most': census.most })
    for (const code of load.codes) expect(code).toBe('CONNECTION_LOST')
    expect(census.most).toBeLessThanOrEqual(MAX)
    if (whole) expect(middle).toBeLessThan(250)
  },
)

test('when all backends are killed idempotent statements do not fail', async (context) => {
  nothingUncaught()
  const pool = openPool(server.url(), { max: MAX })
  const load = new Load(() => pool.query('select 1', [], { idempotent: true }))
  for (let round = 0; round < 3; round++) {
    await load.flowsAgain()
    await killAll()
    await load.flowsAgain()
  }
  await load.stop()
  figures(context, { lost: pool.stats().closed.lost, failed: load.failures.length })
  expect(load.errors).toEqual([])
  expect(pool.stats().closed.lost).toBeGreaterThanOrEqual(3)
})

test.for(HOW)(
  'when a backend crashes the server restarts, and at most the statements in flight fail (multiplex %s)',
  async (multiplex, context) => {
    nothingUncaught()
    const census = new Census(server)
    const { driver, flight } = countingDriver(server.url())
    const pool = openPool(driver, { max: MAX, multiplex })
    const load = new Load(() => pool.query('select 1'))
    await load.flowsAgain()
    const [pid] = await backends()
    process.kill(pid as number, 'SIGKILL')
    await pause(50)
    await load.flowsAgain()
    await load.stop()
    figures(context, {
      failed: load.failures.length,
      'in flight': flight.lost,
      attempts: pool.stats().connectFailed,
    })
    expect(load.failures.length).toBeLessThanOrEqual(flight.lost)
    for (const code of load.codes) expect(code).toBe('CONNECTION_LOST')
    expect(census.most).toBeLessThanOrEqual(MAX)
  },
)

test('when a backend crashes idempotent statements do not fail', async () => {
  nothingUncaught()
  const pool = openPool(server.url(), { max: MAX })
  const load = new Load(() => pool.query('select 1', [], { idempotent: true }))
  await load.flowsAgain()
  const [pid] = await backends()
  process.kill(pid as number, 'SIGKILL')
  await pause(50)
  await load.flowsAgain()
  await load.stop()
  expect(load.errors).toEqual([])
})

test('transactions that lose their connection before COMMIT are repeated when asked', async (context) => {
  nothingUncaught()
  await ask(server, 'create table if not exists counted (n int)')
  const pool = openPool(server.url(), { max: MAX })
  const load = new Load(
    () =>
      pool.transaction(
        async (tx) => {
          await tx.query('select 1')
          await tx.query('insert into counted values (1)')
        },
        { retries: 5 },
      ),
    20,
  )
  for (let round = 0; round < 3; round++) {
    await load.flowsAgain()
    await killAll()
  }
  await load.flowsAgain()
  await load.stop()
  const [row] = await ask<{ n: number }>(server, 'select count(*)::int as n from counted')
  const unknown = load.failures.length
  figures(context, { committed: row?.n ?? 0, 'commit unknown': unknown })
  // Nobody knows whether a COMMIT on its way arrived; everything else is repeated, and counted once.
  for (const code of load.codes) expect(code).toBe('COMMIT_UNKNOWN')
  expect(row?.n).toBeGreaterThanOrEqual(load.successes)
  expect(row?.n).toBeLessThanOrEqual(load.successes + unknown)
})
