import { describe, expect, test } from 'vitest'
import { FakeError } from '../../../src/testing/fake-error.ts'
import { fate, type Options, world } from '../../support/world.ts'

async function idle(options: Options, count: number, around = {}) {
  const scene = world(options, around)
  const leases = await scene.clock.until(
    Promise.all(Array.from({ length: count }, () => scene.pool.acquire())),
  )
  for (const lease of leases) lease.release()
  return scene
}

describe('validateAfterIdleMs', () => {
  test('checks on borrow what has been idle for longer, and only that', async () => {
    const { clock, pool, asked } = await idle({ validateAfterIdleMs: 1000 }, 1)
    await clock.advance(999)
    ;(await clock.until(pool.acquire())).release()
    expect(asked('isAlive')).toEqual([])
    await clock.advance(1000)
    ;(await clock.until(pool.acquire())).release()
    expect(asked('isAlive')).toEqual(['isAlive'])
  })

  test('0 checks always, hand-overs too', async () => {
    const { clock, pool, asked } = world({ max: 1, validateAfterIdleMs: 0 })
    const lease = await clock.until(pool.acquire())
    const waiting = fate(pool.acquire())
    lease.release()
    await clock.advance(0)
    expect(waiting.state).toBe('resolved')
    expect(asked('isAlive')).toEqual(['isAlive'])
    expect(pool.tryAcquire()).toBeUndefined()
  })

  test('Infinity never checks', async () => {
    const { clock, pool, asked } = await idle(
      { validateAfterIdleMs: Number.POSITIVE_INFINITY, idleTimeoutMs: 1e9 },
      1,
    )
    await clock.advance(1e6)
    await clock.until(pool.acquire())
    expect(asked('isAlive')).toEqual([])
  })

  test('a driver without isAlive is never asked', async () => {
    const { clock, pool } = await idle({ validateAfterIdleMs: 0 }, 1, { driver: { without: ['isAlive'] } })
    await clock.advance(5000)
    expect(pool.tryAcquire()).toBeDefined()
  })
})

describe('the check', () => {
  test('that says no, fails or never ends costs the connection, and the waiter gets another', async () => {
    for (const behaviour of [{ says: false }, { error: new FakeError('fatal', 'gone') }, { never: true }]) {
      const { clock, pool, server } = await idle({ validateTimeoutMs: 50, max: 1 }, 1)
      await clock.advance(2000)
      server.next('isAlive', behaviour)
      const lease = await clock.until(pool.acquire())
      expect(lease.connection.id).toBe(2)
      expect(pool.stats().closed.invalid).toBe(1)
      expect(clock.now()).toBe(2000 + ('never' in behaviour ? 50 : 0))
    }
  })

  test('of one is enough for one waiter: the others stay as they are', async () => {
    const { clock, pool, asked } = await idle({}, 5)
    await clock.advance(2000)
    await clock.until(pool.acquire())
    expect(asked('isAlive').length).toBe(1)
    expect(pool.stats()).toMatchObject({ idle: 4, leased: 1 })
  })

  test('of several goes on for several waiters at once', async () => {
    const { clock, pool, asked } = await idle({}, 5, { server: { latencyMs: 10 } })
    await clock.advance(2000)
    const since = clock.now()
    await clock.until(Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]))
    expect(asked('isAlive').length).toBe(3)
    expect(clock.now() - since).toBe(10)
  })

  test('that hangs is not waited for while other idle connections may be alive', async () => {
    const { clock, pool, server } = await idle({ max: 3 }, 3)
    await clock.advance(2000)
    server.next('isAlive', { never: true })
    const since = clock.now()
    const lease = await clock.until(pool.acquire())
    expect(clock.now() - since).toBeLessThanOrEqual(100)
    expect(lease.connection.closed).toBe(false)
    expect(server.peak).toBe(3)
  })

  test('of a silent network finds one dead connection after the other quickly, not one in each validateTimeoutMs', async () => {
    const { clock, pool, server } = await idle({ max: 3, closeTimeoutMs: 1000 }, 3)
    await clock.advance(2000)
    server.vanish()
    const since = clock.now()
    await clock.until(pool.acquire())
    // All three are given up within one validation and one close timeout.
    expect(clock.now() - since).toBeLessThanOrEqual(6200)
  })

  test('that ends after its time has passed is ignored', async () => {
    const { clock, pool, server } = await idle({ max: 1, validateTimeoutMs: 50 }, 1)
    await clock.advance(2000)
    server.next('isAlive', { latencyMs: 80 })
    server.next('close', { latencyMs: 100 })
    const waiting = fate(pool.acquire(), clock)
    await clock.advance(500)
    expect(waiting.value?.connection.id).toBe(2)
    expect(waiting.at).toBe(2150)
  })

  test('is asked with a signal that ends it', async () => {
    const { clock, server } = world()
    const signals: AbortSignal[] = []
    const driver = server.resourceDriver()
    const isAlive = (_: unknown, { signal }: { signal: AbortSignal }) => {
      signals.push(signal)
      return new Promise<boolean>(() => {})
    }
    const { createResourcePool } = await import('../../../src/pool/create-resource-pool.ts')
    const pool = createResourcePool({ ...driver, isAlive }, { clock, validateTimeoutMs: 50 })
    ;(await clock.until(pool.acquire())).release()
    await clock.advance(2000)
    void pool.acquire()
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    await clock.advance(50)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })
})

describe('a suspect', () => {
  test('must answer before it is lent, whatever validateAfterIdleMs says: after a loss that was not ours', async () => {
    const { clock, pool, server, asked } = await idle({ validateAfterIdleMs: Number.POSITIVE_INFINITY }, 3)
    server.kill(server.connections[0])
    await clock.advance(1)
    await clock.until(pool.acquire())
    expect(asked('isAlive')).toEqual(['isAlive'])
  })

  test('is no longer one once it has answered; younger ones never were', async () => {
    const { clock, pool, server, asked } = await idle({ validateAfterIdleMs: Number.POSITIVE_INFINITY }, 2)
    server.kill(server.connections[0])
    await clock.advance(1)
    const old = await clock.until(pool.acquire())
    await clock.until(pool.acquire())
    old.release()
    await clock.until(pool.acquire())
    expect(asked('isAlive')).toEqual(['isAlive'])
  })

  test('is not made by what the pool itself closed', async () => {
    const { clock, pool, asked } = await idle({ validateAfterIdleMs: Number.POSITIVE_INFINITY }, 2)
    ;(await clock.until(pool.acquire())).destroy()
    await clock.advance(1)
    await clock.until(pool.acquire())
    expect(asked('isAlive')).toEqual([])
  })

  test('is every connection after the process or the machine has slept', async () => {
    for (const what of ['process', 'machine'] as const) {
      const { clock, pool, asked } = await idle({ validateAfterIdleMs: Number.POSITIVE_INFINITY }, 2)
      // The pool has looked at the clocks before.
      await clock.advance(10)
      ;(await clock.until(pool.acquire())).release()
      await clock.advance(10)
      clock.suspend(60_000, what)
      await clock.advance(0)
      await clock.until(pool.acquire())
      expect(asked('isAlive'), what).toEqual(['isAlive'])
    }
  })

  test('after a sleep that lost all connections: the next caller gets a live one', async () => {
    const { clock, pool, server } = await idle({ validateAfterIdleMs: Number.POSITIVE_INFINITY }, 3)
    await clock.advance(10)
    server.vanish(undefined, 'reset')
    clock.suspend(120_000, 'machine')
    const lease = await clock.until(pool.acquire())
    expect(server.connections).toContain(lease.connection)
  })
})

describe('keepaliveMs', () => {
  test('checks idle connections in the background, one after the other, and never those in use', async () => {
    const { clock, pool, server } = await idle({ keepaliveMs: 1000, idleTimeoutMs: 1e9 }, 3, {
      server: { latencyMs: 10 },
    })
    const lease = await clock.until(pool.acquire())
    await clock.advance(5500)
    const checks = server.log.filter(({ operation }) => operation === 'isAlive')
    expect(new Set(checks.map(({ connection }) => connection))).not.toContain(lease.connection.id)
    expect(checks.length).toBe(10)
    expect(new Set(checks.map(({ at }) => at)).size).toBe(10)
  })

  test('asks whoever has been silent for longest, also where the checks of all take longer than the period', async () => {
    const { clock, server } = await idle({ keepaliveMs: 30, idleTimeoutMs: 1e9 }, 3, {
      server: { latencyMs: 40 },
    })
    await clock.advance(500)
    const checked = server.log.filter(({ operation }) => operation === 'isAlive')
    expect(checked.slice(0, 9).map(({ connection }) => connection)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3])
  })

  test('finds the dead before a caller does, and min is refilled', async () => {
    const { clock, pool, server } = world({
      min: 2,
      keepaliveMs: 1000,
      closeTimeoutMs: 100,
      validateTimeoutMs: 100,
    })
    await clock.advance(0)
    server.vanish()
    await clock.advance(2000)
    expect(pool.stats()).toMatchObject({ idle: 2, created: 4 })
    expect(server.open).toBe(2)
  })

  test('0 is off', async () => {
    const { clock, asked } = await idle({ idleTimeoutMs: 1e9 }, 2)
    await clock.advance(1e6)
    expect(asked('isAlive')).toEqual([])
  })
})
