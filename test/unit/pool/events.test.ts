import { channel } from 'node:diagnostics_channel'
import { describe, expect, type TestContext, test, vi } from 'vitest'
import { channelName } from '../../../src/contract/channels.ts'
import type { PoolEvent } from '../../../src/contract/events.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { FakeServer } from '../../../src/testing/fake-server.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { world } from '../../support/world.ts'

function warnings({ onTestFinished }: TestContext) {
  const seen = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => seen.mockRestore())
  return seen
}

describe('events', () => {
  test('tell the life of a connection, in order, each one object', async () => {
    const { clock, pool, told, events } = world({ name: 'orders' }, { server: { latencyMs: 10 } })
    const lease = await clock.until(pool.acquire())
    await clock.until(lease.connection.query('begin'))
    lease.release()
    await clock.advance(10)
    ;(await clock.until(pool.acquire())).destroy()
    ;(await clock.until(pool.acquire())).detach()
    await clock.advance(100)
    expect(told()).toEqual([
      ...['connect', 'acquire', 'release', 'reset'],
      ...['acquire', 'release', 'close destroyed'],
      ...['connect', 'acquire', 'release', 'detach'],
    ])
    expect(events.slice(0, 4)).toEqual([
      { event: 'connect', pool: 'orders', id: 1, ms: 10 },
      { event: 'acquire', pool: 'orders', id: 1, ms: 10 },
      { event: 'release', pool: 'orders', id: 1, ms: 10 },
      { event: 'reset', pool: 'orders', id: 1, ms: 10 },
    ])
    expect(events.find(({ event }) => event === 'close')).toMatchObject({
      id: 1,
      reason: 'destroyed',
      ms: 30,
    })
  })

  test('on, once, off: a listener is called for its event as often as it was asked to', async () => {
    const { clock, pool } = world()
    const always = vi.fn()
    const once = vi.fn()
    const gone = vi.fn()
    expect(pool.on('acquire', always).once('acquire', once).on('acquire', gone).off('acquire', gone)).toBe(
      pool,
    )
    pool.off('acquire', () => {})
    for (let n = 0; n < 3; n++) await clock.until(pool.use(() => {}))
    expect([always.mock.calls.length, once.mock.calls.length, gone.mock.calls.length]).toEqual([3, 1, 0])
  })

  test('a listener added twice is called twice, and removed one at a time', async () => {
    const { clock, pool } = world()
    const listener = vi.fn()
    pool.on('acquire', listener).on('acquire', listener)
    await clock.until(pool.use(() => {}))
    pool.off('acquire', listener)
    await clock.until(pool.use(() => {}))
    expect(listener.mock.calls.length).toBe(3)
  })

  test('a listener that throws is reported once and harms nobody', async (context) => {
    const seen = warnings(context)
    const { clock, pool } = world()
    const after = vi.fn()
    for (const event of ['connect', 'acquire', 'release', 'close'] as const) {
      pool.on(event, () => {
        throw new Error(`bad ${event}`)
      })
    }
    pool.on('acquire', after)
    for (let n = 0; n < 3; n++) await clock.until(pool.use(() => {}))
    await clock.until(pool.close())
    expect(after.mock.calls.length).toBe(3)
    expect(seen.mock.calls.length).toBe(4)
    expect(String(seen.mock.calls[1]?.[0])).toContain('bad acquire')
    expect(pool.stats()).toMatchObject({ total: 0 })
  })

  test('a listener that rejects later is one that throws', async (context) => {
    const seen = warnings(context)
    const { clock, pool } = world()
    pool.on('acquire', async () => {
      await Promise.resolve()
      throw new Error('bad later')
    })
    for (let n = 0; n < 2; n++) await clock.until(pool.use(() => {}))
    expect(seen.mock.calls.map(([text]) => String(text))).toEqual([expect.stringContaining('bad later')])
  })

  test('what a listener throws may be anything', async (context) => {
    const seen = warnings(context)
    const { clock, pool } = world()
    pool.on('acquire', () => {
      throw Object.create(null)
    })
    expect(await clock.until(pool.use(() => 'served'))).toBe('served')
    expect(seen).toHaveBeenCalledTimes(1)
  })

  test('an error without a listener is no crash', async () => {
    const clock = new VirtualClock()
    const server = new FakeServer({ clock })
    const pool = createResourcePool(server.resourceDriver(), { clock })
    server.next('connect', { error: new Error('no') })
    expect(await clock.until(pool.acquire())).toBeDefined()
  })

  test('unknown ones and listeners that are none are refused', () => {
    const { pool } = world()
    expect(() => pool.on('acquired' as never, () => {})).toThrow(/no event "acquired".*acquire/)
    expect(() => pool.once('acquire', 1 as never)).toThrow(/function/)
  })

  test('a listener may ask the pool anything: what it sees adds up', async () => {
    const { clock, pool } = world({ max: 2 }, { server: { latencyMs: 5 } })
    const sums: boolean[] = []
    for (const event of ['connect', 'acquire', 'release', 'reset', 'close', 'detach'] as const) {
      pool.on(event, () => {
        const { connecting, validating, idle, leased, resetting, closing, total } = pool.stats()
        sums.push(connecting + validating + idle + leased + resetting + closing === total)
      })
    }
    const [a, b] = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    a?.destroy()
    b?.release()
    await clock.until(pool.close())
    expect(sums.length).toBe(8)
    expect(sums.every(Boolean)).toBe(true)
  })
})

describe('diagnostics channels', () => {
  test('carry the events of every pool', async ({ onTestFinished }) => {
    const seen: PoolEvent[] = []
    const listen = (event: unknown) => void seen.push(event as PoolEvent)
    channel(channelName('acquire')).subscribe(listen)
    onTestFinished(() => void channel(channelName('acquire')).unsubscribe(listen))
    for (const name of ['a', 'b']) {
      const { clock, pool } = world({ name })
      await clock.until(pool.acquire())
    }
    expect(seen).toEqual([
      { pool: 'a', id: 1, ms: 0 },
      { pool: 'b', id: 1, ms: 0 },
    ])
    expect(channelName('acquire')).toBe('rockpool:acquire')
  })
})

describe('leak reports', () => {
  test('name the lease that is out for longer than leakThresholdMs, once, with the stack that took it', async () => {
    const { clock, pool, events } = world({ leakThresholdMs: 1000 })
    async function forgetful() {
      return pool.acquire()
    }
    const lease = await clock.until(forgetful())
    await clock.advance(999)
    expect(pool.stats().leaked).toBe(0)
    await clock.advance(5000)
    const leaks = events.filter(({ event }) => event === 'leak')
    expect(leaks.length).toBe(1)
    expect(leaks[0]).toMatchObject({ pool: 'p', id: 1, ms: 1000 })
    expect(leaks[0]?.stack).toContain('forgetful')
    expect(pool.stats().leaked).toBe(1)
    lease.release()
    expect(pool.stats().leased).toBe(0)
  })

  test('follow tryAcquire and waiters too', async () => {
    const { clock, pool, events } = world({ leakThresholdMs: 1000, max: 1 })
    ;(await clock.until(pool.acquire())).release()
    function bold() {
      return pool.tryAcquire()
    }
    const first = bold()
    async function patient() {
      return pool.acquire()
    }
    const second = patient()
    await clock.advance(1000)
    first?.release()
    await clock.until(second)
    await clock.advance(1000)
    const leaks = events.filter(({ event }) => event === 'leak')
    expect(leaks.length).toBe(2)
    expect(leaks[0]?.stack).toContain('bold')
    expect(leaks[1]?.stack).toContain('patient')
  })

  test('are a warning of the process where nobody listens', async (context) => {
    const seen = warnings(context)
    const clock = new VirtualClock()
    const server = new FakeServer({ clock })
    const pool = createResourcePool(server.resourceDriver(), { clock, name: 'orders', leakThresholdMs: 100 })
    await clock.until(pool.acquire())
    await clock.advance(100)
    expect(seen.mock.calls.length).toBe(1)
    expect(String(seen.mock.calls[0]?.[0])).toContain('pool "orders"')
  })

  test('are no warning where a listener heard of it once', async (context) => {
    const seen = warnings(context)
    const { clock, pool, listeners } = world({ leakThresholdMs: 100 })
    pool.off('leak', listeners.leak)
    const heard = vi.fn()
    pool.once('leak', heard)
    await clock.until(pool.acquire())
    await clock.advance(100)
    expect([heard.mock.calls.length, seen.mock.calls.length]).toEqual([1, 0])
  })

  test('0 reports nothing', async () => {
    const { clock, pool } = world()
    await clock.until(pool.acquire())
    await clock.advance(1e7)
    expect(pool.stats().leaked).toBe(0)
  })
})

describe('stats', () => {
  test('are flat, complete, and the caller’s own copy', async () => {
    const { pool } = world({ max: 7 })
    const stats = pool.stats()
    const summary = { count: 0, meanMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 }
    const reasons =
      'idle lifetime uses refresh stale lost invalid dirty destroyed overflow resize close abandoned'.split(
        ' ',
      )
    expect(stats).toEqual({
      connecting: 0,
      validating: 0,
      idle: 0,
      leased: 0,
      resetting: 0,
      closing: 0,
      total: 0,
      waiting: 0,
      max: 7,
      acquired: 0,
      timedOut: 0,
      created: 0,
      connectFailed: 0,
      leaked: 0,
      closed: Object.fromEntries(reasons.map((reason) => [reason, 0])),
      waitTime: summary,
      useTime: summary,
      connectTime: summary,
    })
    stats.closed.idle = 5
    expect(pool.stats().closed.idle).toBe(0)
  })

  test('measure waiting, use and connecting', async () => {
    const { clock, pool } = world({ max: 1 }, { server: { latencyMs: 40 } })
    const hold = () => new Promise<void>((resolve) => clock.after(100, resolve))
    await clock.until(Promise.all([pool.use(hold), pool.use(hold)]))
    const { waitTime, useTime, connectTime } = pool.stats()
    expect(waitTime).toMatchObject({ count: 2, meanMs: 90, maxMs: 140 })
    expect(useTime).toMatchObject({ count: 2, meanMs: 100, maxMs: 100 })
    expect(connectTime).toMatchObject({ count: 1, meanMs: 40, maxMs: 40 })
    expect(useTime.p50Ms).toBeGreaterThan(93)
    expect(useTime.p50Ms).toBeLessThanOrEqual(100)
  })

  test('measure a long use after a rush of short ones, whose lengths are sampled', async () => {
    const { clock, server } = world()
    // Without a listener: whoever listens to releases is told each one's length.
    const pool = createResourcePool(server.resourceDriver(), { clock, validateAfterIdleMs: 1e9 })
    ;(await clock.until(pool.acquire())).release()
    for (let n = 0; n < 3000; n++) pool.tryAcquire()?.release()
    const lease = await clock.until(pool.acquire())
    await clock.advance(5000)
    lease.release()
    expect(pool.stats().useTime).toMatchObject({ count: 3002, maxMs: 5000 })
  })
})
