import { readFile } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { nothingUncaught, openPool, pause, whole } from '../support/chaos.ts'
import { startPostgres } from '../support/postgres.ts'

const server = await startPostgres()
const BLOCK_MS = whole ? 3_000 : 1_500
const DEADLINE_MS = 500

function block(): void {
  const until = performance.now() + BLOCK_MS
  while (performance.now() < until);
}

/** From where in a turn of the event loop it is blocked. */
const PHASES: Record<string, () => void> = {
  'a timer': () => setTimeout(block, 1),
  'an immediate': () => setImmediate(block),
  'an I/O callback': () => readFile(new URL(import.meta.url), block),
  'a microtask': () => void Promise.resolve().then(block),
  'the next tick': () => process.nextTick(block),
}

const chosen = Object.keys(PHASES).filter((phase) => whole || /timer|I\/O/.test(phase))

describe.each(chosen)('a loop that %s blocks for longer than the deadlines', (phase) => {
  test('does not reject waiters whose connections came back meanwhile', async () => {
    nothingUncaught()
    const pool = openPool(server.url(), { max: 3, min: 3, multiplex: 'off' })
    // Open before the clock counts: a connect that the block holds up would be no connection that came back.
    await pool.ready()
    const holding = Array.from({ length: 3 }, () =>
      pool.use(async (lease) => {
        await lease.query('select pg_sleep(0.1)')
      }),
    )
    await pause(60)
    const waiting = Array.from({ length: 3 }, () => pool.acquire({ timeoutMs: DEADLINE_MS }))
    await pause(5)
    PHASES[phase]?.()
    await Promise.all(holding)
    for (const lease of await Promise.all(waiting)) lease.release()
    expect(pool.stats().timedOut).toBe(0)
  })

  test('does not time out a statement that was answered meanwhile', async () => {
    nothingUncaught()
    const pool = openPool(server.url(), { max: 3 })
    await pool.query('select 1')
    const running = pool.query('select pg_sleep(0.1)', [], { timeoutMs: DEADLINE_MS })
    await pause(20)
    PHASES[phase]?.()
    expect((await running).rowCount).toBe(1)
  })

  test('does not close a connection whose check was answered meanwhile', async () => {
    nothingUncaught()
    const pool = openPool(server.url(), { max: 1, validateAfterIdleMs: 0, validateTimeoutMs: DEADLINE_MS })
    await pool.query('select 1')
    await pause(10)
    const asked = pool.query('select 1')
    await Promise.resolve()
    PHASES[phase]?.()
    await asked
    expect(pool.stats()).toMatchObject({ created: 1, idle: 1 })
  })

  test('says of those whom it does reject how long it was blocked', async () => {
    const pool = openPool(server.url(), { max: 1 })
    const lease = await pool.acquire()
    const waiting = pool.acquire({ timeoutMs: DEADLINE_MS }).catch((thrown) => thrown)
    await pause(10)
    PHASES[phase]?.()
    const error = await waiting
    expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT', phase: 'queue' })
    expect(error.snapshot.lateByMs).toBeGreaterThan(BLOCK_MS - DEADLINE_MS - 100)
    lease.release()
  })
})
