import { describe, expect, test } from 'vitest'
import { FakeError } from '../../../src/testing/fake-error.ts'
import { fate, world } from '../../support/world.ts'

/** A pool of ten connections that are all lost while ten callers hold them and twenty more wait. */
async function tenLost(connects: 'hang' | 'work') {
  const around = world({ max: 10, connectTimeoutMs: 1_000 }, { server: { latencyMs: 10 } })
  const { clock, server, pool } = around
  await clock.until(Promise.all(Array.from({ length: 10 }, () => pool.acquire())))
  const waiting = Array.from({ length: 20 }, () => fate(pool.acquire(), clock))
  server.always('connect', { latencyMs: connects === 'hang' ? 100_000 : 10 })
  server.kill()
  return { ...around, waiting }
}

describe('after connections were lost', () => {
  test('a few connects find out whether the server is there', async () => {
    const { clock, pool } = await tenLost('hang')
    await clock.advance(500)
    expect(pool.stats().connecting).toBe(3)
  })

  test('the first success opens the rest at once', async () => {
    const { clock, pool, waiting } = await tenLost('work')
    await clock.advance(45)
    expect(pool.stats()).toMatchObject({ leased: 10, connecting: 0 })
    expect(waiting.filter(({ state }) => state === 'resolved')).toHaveLength(10)
  })

  test('a failure leaves one probe at a time', async () => {
    const { clock, server, pool } = await tenLost('work')
    server.always('connect', { latencyMs: 10, error: new FakeError('fatal', 'down') })
    for (let ms = 0; ms < 2_000; ms += 10) {
      await clock.advance(10)
      if (ms > 50) expect(pool.stats().connecting).toBeLessThanOrEqual(1)
    }
    expect(pool.stats().connectFailed).toBeGreaterThan(10)
  })

  test('a failed check is a reason to doubt as well', async () => {
    const options = { max: 10, validateAfterIdleMs: 0, validateTimeoutMs: 50, closeTimeoutMs: 50 }
    const { clock, server, pool } = world(options, { server: { latencyMs: 1 } })
    for (const lease of await clock.until(Promise.all(Array.from({ length: 10 }, () => pool.acquire()))))
      lease.release()
    server.vanish()
    server.always('connect', { latencyMs: 100_000 })
    for (let n = 0; n < 20; n++) void pool.acquire().catch(() => {})
    await clock.advance(500)
    expect(pool.stats().connecting).toBe(3)
  })
})
