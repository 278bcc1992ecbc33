import { describe, expect, test } from 'vitest'
import { AcquireTimeoutError } from '../../../src/contract/errors.ts'
import { FakeError } from '../../../src/testing/fake-error.ts'
import { fate, world } from '../../support/world.ts'

describe('the deadline of an acquire', () => {
  test('is one for all phases, and is never extended', async () => {
    const { clock, pool, server } = world({ max: 1, acquireTimeoutMs: 100 }, { server: { latencyMs: 40 } })
    // The connect takes 40 ms and fails in its hook, again and again: the waiter keeps its deadline.
    server.always('connect', { latencyMs: 40, error: new FakeError('fatal', 'no') })
    const waiting = fate(pool.acquire(), clock)
    await clock.advance(1000)
    expect(waiting).toMatchObject({ state: 'rejected', at: 100 })
  })

  test('can be the caller’s own, shorter or longer or none', async () => {
    const { clock, pool } = world({ max: 1, acquireTimeoutMs: 100 })
    await clock.until(pool.acquire())
    const shorter = fate(pool.acquire({ timeoutMs: 10 }), clock)
    const longer = fate(pool.acquire({ timeoutMs: 5000 }), clock)
    const never = fate(pool.acquire({ timeoutMs: Number.POSITIVE_INFINITY }), clock)
    const usual = fate(pool.acquire(), clock)
    await clock.advance(100_000)
    expect([shorter.at, longer.at, never.at, usual.at]).toEqual([10, 5000, undefined, 100])
    expect(pool.stats()).toMatchObject({ timedOut: 3, waiting: 1 })
  })

  test('beyond the longest delay of a timer is kept all the same', async () => {
    const { clock, pool } = world({ max: 1, maxLifetimeMs: Number.POSITIVE_INFINITY })
    await clock.until(pool.acquire())
    const waiting = fate(pool.acquire({ timeoutMs: 2 ** 32 }), clock)
    await clock.advance(2 ** 32 - 1)
    expect(waiting.state).toBe('pending')
    await clock.advance(1)
    expect(waiting.state).toBe('rejected')
  })

  test('many deadlines hang on one timer', async () => {
    const { clock, pool } = world({ max: 1 })
    await clock.until(pool.acquire())
    const before = clock.pending
    const waiting = Array.from({ length: 50 }, (_, n) => fate(pool.acquire({ timeoutMs: 100 + n }), clock))
    expect(clock.pending).toBeLessThanOrEqual(before + 1)
    await clock.advance(1000)
    expect(waiting.map(({ at }) => at)).toEqual(Array.from({ length: 50 }, (_, n) => 100 + n))
  })

  test('a timed-out waiter never takes a connection', async () => {
    const { clock, pool } = world({ max: 1 })
    const lease = await clock.until(pool.acquire())
    const late = fate(pool.acquire({ timeoutMs: 10 }))
    const next = fate(pool.acquire())
    await clock.advance(10)
    lease.release()
    await clock.advance(0)
    expect([late.state, next.state]).toEqual(['rejected', 'resolved'])
    expect(pool.stats()).toMatchObject({ leased: 1, idle: 0, acquired: 2 })
  })
})

describe('the error of a timeout', () => {
  test('says pool, phase, who holds what, and since when', async () => {
    const { clock, pool, errorOf } = world({ name: 'orders', max: 2, leakThresholdMs: 60_000 })
    async function reportOfTheYear() {
      return pool.acquire()
    }
    await clock.until(reportOfTheYear())
    await clock.advance(500)
    await clock.until(pool.acquire())
    const error = (await errorOf(pool.acquire({ timeoutMs: 100 }))) as AcquireTimeoutError
    expect(error).toBeInstanceOf(AcquireTimeoutError)
    expect(error).toMatchObject({ name: 'AcquireTimeoutError', code: 'ACQUIRE_TIMEOUT', phase: 'queue' })
    expect(error.waitedMs).toBe(100)
    expect(error.snapshot).toMatchObject({
      leased: 2,
      idle: 0,
      connecting: 0,
      validating: 0,
      resetting: 0,
      closing: 0,
      total: 2,
      waiting: 1,
      max: 2,
      oldestLeaseMs: 600,
      lateByMs: 0,
    })
    expect(error.snapshot.oldestLeaseStack).toContain('reportOfTheYear')
    expect(error.message).toContain('pool "orders"')
    expect(error.message).toContain('2 leased, 0 idle, 0 connecting, 1 waiting, max 2')
    expect(error.message).toContain('600 ms')
    expect(error.message).toContain('reportOfTheYear')
    expect('cause' in error).toBe(false)
  })

  test('knows no stack while leaks are not looked for', async () => {
    const { clock, pool, errorOf } = world({ max: 1 })
    await clock.until(pool.acquire())
    const error = (await errorOf(pool.acquire({ timeoutMs: 1 }))) as AcquireTimeoutError
    expect('oldestLeaseStack' in error.snapshot).toBe(false)
    expect('lastConnectError' in error.snapshot).toBe(false)
  })

  test('phase connect: the connect took too long, or failed; its error is the cause', async () => {
    const slow = world({}, { server: { script: { connect: { never: true } } } })
    expect(await slow.errorOf(slow.pool.acquire({ timeoutMs: 50 }))).toMatchObject({ phase: 'connect' })
    const refused = new FakeError('fatal', 'connection refused')
    const failing = world({}, { server: { script: { connect: { error: refused } } } })
    const error = await failing.errorOf(failing.pool.acquire({ timeoutMs: 500 }))
    expect(error).toMatchObject({ phase: 'connect', cause: refused, snapshot: { lastConnectError: refused } })
    expect((error as Error).message).toContain('connection refused')
  })

  test('phase validate: the check or the hook did not end', async () => {
    const { clock, pool, server, errorOf } = world({ max: 1, validateAfterIdleMs: 0 })
    ;(await clock.until(pool.acquire())).release()
    server.always('isAlive', { never: true })
    expect(await errorOf(pool.acquire({ timeoutMs: 50 }))).toMatchObject({ phase: 'validate' })
    const hooked = world({ onAcquire: () => new Promise(() => {}) })
    expect(await hooked.errorOf(hooked.pool.acquire({ timeoutMs: 50 }))).toMatchObject({ phase: 'validate' })
  })

  test('phase suspended', async () => {
    const { pool, errorOf } = world()
    pool.suspend()
    const error = await errorOf(pool.acquire({ timeoutMs: 50 }))
    expect(error).toMatchObject({ phase: 'suspended' })
    expect((error as Error).message).toContain('suspended')
  })

  test('a later success ends the blame: the connect error is no longer the cause', async () => {
    const { clock, pool, server, errorOf } = world({ max: 1 })
    server.next('connect', { error: new FakeError('fatal', 'flaky') })
    await clock.until(pool.acquire())
    expect(await errorOf(pool.acquire({ timeoutMs: 10 }))).not.toHaveProperty('cause')
  })
})

describe('a blocked event loop', () => {
  test('does not reject a waiter whose connection has already come back', async () => {
    const { clock, pool } = world({ max: 1 })
    const lease = await clock.until(pool.acquire())
    const waiting = fate(pool.acquire({ timeoutMs: 100 }))
    clock.io(50, () => lease.release())
    clock.block(300)
    await clock.advance(0)
    expect(waiting.state).toBe('resolved')
  })

  test('rejects after exactly one poll for I/O, and says how late it is', async () => {
    const { clock, pool } = world({ max: 1 })
    await clock.until(pool.acquire())
    const waiting = fate(pool.acquire({ timeoutMs: 100 }), clock)
    clock.block(350)
    await clock.advance(0)
    expect(waiting).toMatchObject({ state: 'rejected', at: 350 })
    const error = waiting.error as AcquireTimeoutError
    expect(error.waitedMs).toBe(350)
    expect(error.snapshot.lateByMs).toBe(250)
    expect(error.message).toContain('250 ms')
  })

  test('of 20 ms or less is no reason to wait', async () => {
    const { clock, pool } = world({ max: 1 })
    await clock.until(pool.acquire())
    await clock.advance(0)
    const waiting = fate(pool.acquire({ timeoutMs: 100 }))
    clock.block(120)
    let polled = false
    clock.afterPoll(() => {
      polled = true
      expect(waiting.state).toBe('rejected')
    })
    await clock.advance(0)
    expect(polled).toBe(true)
    expect((waiting.error as AcquireTimeoutError).snapshot.lateByMs).toBe(0)
  })

  test('does not fail connects, checks and resets whose answers have already arrived', async () => {
    const { clock, pool, server } = world({ connectTimeoutMs: 100 }, { server: { latencyMs: 50 } })
    const waiting = fate(pool.acquire())
    clock.block(500)
    await clock.advance(0)
    expect(waiting.state).toBe('resolved')
    expect(pool.stats()).toMatchObject({ connectFailed: 0, created: 1 })
    expect(server.peak).toBe(1)
  })
})
