import { describe, expect, test } from 'vitest'
import { fate, world } from '../../support/world.ts'

const NEVER = Number.POSITIVE_INFINITY

describe('exitWhenIdle', () => {
  test('lets the process go while the pool is only idle, and holds it while somebody waits', async () => {
    const { clock, pool } = world({ exitWhenIdle: true, max: 1 }, { server: { latencyMs: 10 } })
    const waiting = fate(pool.acquire())
    expect(clock.referenced).toBeGreaterThan(0)
    await clock.advance(10)
    expect([waiting.state, clock.pending > 0, clock.referenced]).toEqual(['resolved', true, 0])
    const next = fate(pool.acquire())
    expect(clock.referenced).toBe(1)
    waiting.value?.release()
    await clock.advance(0)
    expect([next.state, clock.referenced]).toEqual(['resolved', 0])
  })

  test('lets it go as well when who waited has given up, by timeout or by signal', async () => {
    const { clock, pool } = world({ exitWhenIdle: true, max: 1 })
    await clock.until(pool.acquire())
    const signal = new AbortController()
    fate(pool.acquire({ timeoutMs: 10 }))
    fate(pool.acquire({ signal: signal.signal }))
    expect(clock.referenced).toBe(1)
    signal.abort()
    expect(clock.referenced).toBe(1)
    await clock.advance(10)
    expect(clock.referenced).toBe(0)
  })

  test('lets it go after ready', async () => {
    const { clock, pool } = world({ exitWhenIdle: true, min: 1 }, { server: { latencyMs: 5 } })
    const ready = fate(pool.ready())
    expect(clock.referenced).toBeGreaterThan(0)
    await clock.advance(5)
    expect([ready.state, clock.referenced]).toEqual(['resolved', 0])
  })

  test('holds it by a connection that is lent, not by one that is idle', async () => {
    const { clock, pool } = world({ exitWhenIdle: true })
    const lease = await clock.until(pool.acquire())
    const { connection } = lease
    expect(connection.referenced).toBe(true)
    lease.release()
    expect(connection.referenced).toBe(false)
    await clock.until(pool.acquire())
    expect(connection.referenced).toBe(true)
  })

  test('needs a driver that can let go; one that can do no more than that is enough', async () => {
    expect(() => world({ exitWhenIdle: true }, { driver: { without: ['unref'] } })).toThrow(/unref/)
    const { clock, pool } = world({ exitWhenIdle: true }, { driver: { without: ['ref'] } })
    const lease = await clock.until(pool.acquire())
    lease.release()
    expect(pool.stats().idle).toBe(1)
  })

  test('that is not asked for keeps idle connections and timers referenced', async () => {
    const { clock, pool } = world({ max: 1, maxLifetimeMs: NEVER })
    const lease = await clock.until(pool.acquire())
    const { connection } = lease
    lease.release()
    expect(connection.referenced).toBe(true)
    expect([clock.pending, clock.referenced]).toEqual([1, 1])
  })

  test('that is not asked for lets the process go once no connection is left', async () => {
    const { clock, pool, server } = world({ max: 1, idleTimeoutMs: 300 })
    server.always('close', { latencyMs: 5 })
    ;(await clock.until(pool.acquire())).release()
    await clock.advance(304)
    expect([pool.stats().closing, clock.referenced]).toEqual([1, 1])
    await clock.advance(1)
    expect([pool.stats().total, clock.pending]).toEqual([0, 0])
    ;(await clock.until(pool.acquire())).release()
    await clock.advance(305)
    expect([pool.stats().created, pool.stats().total]).toEqual([2, 0])
  })

  test('that is not asked for holds the process for whoever waits out the pause after a failed connect', async () => {
    const { clock, pool, server } = world({ max: 1, acquireTimeoutMs: 1_000 })
    server.next('connect', { error: new Error('refused') })
    const waiting = fate(pool.acquire())
    await clock.advance(0)
    expect([waiting.state, pool.stats().total, clock.referenced]).toEqual(['pending', 0, 1])
    await clock.advance(1_000)
    expect(waiting.state).toBe('resolved')
  })

  test('holds the process until a close that was asked for is done', async () => {
    const { clock, pool, server } = world({ exitWhenIdle: true })
    server.always('close', { latencyMs: 50 })
    ;(await clock.until(pool.acquire())).release()
    const closed = fate(pool.close())
    expect(clock.referenced).toBeGreaterThan(0)
    await clock.advance(50)
    expect([closed.state, clock.pending]).toEqual(['resolved', 0])
  })
})
