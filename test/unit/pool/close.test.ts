import { describe, expect, test } from 'vitest'
import { PoolClosedError } from '../../../src/contract/errors.ts'
import { fate, world } from '../../support/world.ts'

describe('close', () => {
  test('rejects waiters, awaits leases, closes everything, and reports', async () => {
    const { clock, pool, server } = world({ max: 2 }, { server: { latencyMs: 10 } })
    const [a, b] = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    const waiting = [fate(pool.acquire()), fate(pool.acquire()), fate(pool.ready({ timeoutMs: 5 }))]
    const closing = fate(pool.close(), clock)
    await clock.advance(100)
    expect(waiting.slice(0, 2).map(({ error }) => error)).toEqual([
      expect.any(PoolClosedError),
      expect.any(PoolClosedError),
    ])
    expect(closing.state).toBe('pending')
    a?.release()
    await clock.advance(50)
    b?.release()
    await clock.advance(50)
    expect(closing.value).toEqual({ closed: 2, destroyed: 0, abandoned: 0, rejected: 2, durationMs: 160 })
    expect(server.open).toBe(0)
    expect(clock.pending).toBe(0)
  })

  test('resolves only when the sockets are closed', async () => {
    const { clock, pool, server } = world({ min: 3 })
    await clock.advance(0)
    server.always('close', { latencyMs: 700 })
    const closing = fate(pool.close(), clock)
    await clock.advance(699)
    expect([closing.state, server.open]).toEqual(['pending', 3])
    await clock.advance(1)
    expect([closing.state, server.open]).toEqual(['resolved', 0])
  })

  test('destroys leases at the deadline, and takes no longer than the drain and a close', async () => {
    const { clock, pool, server } = world({ closeTimeoutMs: 500 })
    const lease = await clock.until(pool.acquire())
    await clock.until(pool.acquire())
    server.always('close', { never: true })
    const closing = fate(pool.close({ drainTimeoutMs: 1000 }), clock)
    await clock.advance(999)
    expect(lease.connection.closed).toBe(false)
    await clock.advance(1)
    expect(() => lease.connection).toThrow(/closed/)
    await clock.advance(499)
    expect(closing.state).toBe('pending')
    await clock.advance(1)
    expect(closing.value).toMatchObject({ closed: 0, abandoned: 2, durationMs: 1500 })
  })

  test('counts leases that were still out as destroyed', async () => {
    const { clock, pool } = world()
    await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    ;(await clock.until(pool.acquire())).release()
    expect(await clock.until(pool.close({ drainTimeoutMs: 50 }))).toMatchObject({
      closed: 1,
      destroyed: 2,
      durationMs: 50,
    })
  })

  test('drains for 10 seconds, also when the pool is disposed', async () => {
    for (const end of ['close', 'dispose'] as const) {
      const { clock, pool } = world()
      await clock.until(pool.acquire())
      const closing = fate<unknown>(
        end === 'close' ? pool.close() : Promise.resolve(pool[Symbol.asyncDispose]()),
        clock,
      )
      await clock.advance(20_000)
      expect(closing.at).toBe(10_000)
    }
  })

  test('a later call joins; it brings the deadline forward, never back', async () => {
    const { clock, pool } = world()
    await clock.until(pool.acquire())
    const first = fate(pool.close({ drainTimeoutMs: 1000 }), clock)
    const later = fate(pool.close({ drainTimeoutMs: 5000 }), clock)
    await clock.advance(10)
    expect(first.state).toBe('pending')
    const sooner = fate(pool.close({ drainTimeoutMs: 90 }), clock)
    await clock.advance(90)
    expect([first.at, later.at, sooner.at]).toEqual([100, 100, 100])
    expect(first.value).toEqual(sooner.value)
    expect(await clock.until(pool.close())).toEqual(first.value)
  })

  test('0 does not wait for leases', async () => {
    const { clock, pool } = world()
    await clock.until(pool.acquire())
    expect(await clock.until(pool.close({ drainTimeoutMs: 0 }))).toMatchObject({
      destroyed: 1,
      durationMs: 0,
    })
  })

  test('aborts connects in flight; a deaf one is waited for at most closeTimeoutMs', async () => {
    const { clock, pool, server } = world({ closeTimeoutMs: 200 })
    server.next('connect', { never: true }, { never: true, deaf: true })
    const waiting = [fate(pool.acquire()), fate(pool.acquire())]
    await clock.advance(0)
    expect(await clock.until(pool.close())).toMatchObject({
      closed: 0,
      abandoned: 1,
      rejected: 2,
      durationMs: 200,
    })
    expect(waiting.map(({ error }) => error)).toEqual([
      expect.any(PoolClosedError),
      expect.any(PoolClosedError),
    ])
    expect(pool.stats().connectFailed).toBe(0)
  })

  test('ends checks, hooks and resets that are under way', async () => {
    const { clock, pool, server } = world(
      { onAcquire: (c) => c.query('hook').then(() => {}), validateTimeoutMs: 9000, resetTimeoutMs: 9000 },
      { server: { latencyMs: 10 } },
    )
    const lease = await clock.until(pool.acquire())
    await clock.until(lease.connection.query('begin'))
    server.always('reset', { never: true })
    lease.release()
    server.always('query', { never: true })
    const prepared = fate(pool.acquire())
    await clock.advance(20)
    const closing = fate(pool.close({ drainTimeoutMs: 100 }), clock)
    await clock.advance(0)
    expect(prepared.error).toBeInstanceOf(PoolClosedError)
    await clock.advance(200)
    expect(closing.value).toMatchObject({ rejected: 1, durationMs: 110 })
    expect(server.open).toBe(0)
  })

  test('of a pool that was never used resolves at once, and again', async () => {
    const { clock, pool } = world()
    expect(await pool.close()).toEqual({ closed: 0, destroyed: 0, abandoned: 0, rejected: 0, durationMs: 0 })
    expect(await pool.close()).toMatchObject({ closed: 0 })
    expect(clock.pending).toBe(0)
    expect(pool.closed).toBe(true)
  })

  test('of a suspended pool ends the suspension', async () => {
    const { clock, pool } = world()
    pool.suspend()
    const waiting = fate(pool.acquire())
    await clock.until(pool.close())
    expect(waiting.error).toBeInstanceOf(PoolClosedError)
    pool.resume()
    pool.suspend()
  })

  test('is asked for what it takes', async () => {
    const { pool, errorOf } = world()
    expect(await errorOf(pool.close({ drainTimeoutMs: -1 }))).toMatchObject({ option: 'drainTimeoutMs' })
    expect(await errorOf(pool.close({ timeout: 5 } as object))).toMatchObject({ code: 'INVALID_OPTION' })
    expect(pool.closed).toBe(false)
  })

  test('a detached connection is nobody’s to wait for', async () => {
    const { clock, pool } = world()
    const lease = await clock.until(pool.acquire())
    const closing = fate(pool.close(), clock)
    await clock.advance(5)
    lease.detach()
    await clock.advance(0)
    expect(closing.value).toMatchObject({ closed: 0, durationMs: 5 })
  })

  test('called by a listener in the middle of anything leaves nothing behind', async () => {
    for (const event of ['connect', 'acquire', 'release', 'reset', 'close', 'error'] as const) {
      const { clock, pool, server } = world({ max: 2, onConnect: (c) => c.query('hello').then(() => {}) })
      if (event === 'error') server.next('query', { error: new Error('not today') })
      pool.on(event, () => void pool.close({ drainTimeoutMs: 100 }))
      const work = fate(
        pool.use(async ({ connection }) => {
          await connection.query('begin')
        }),
      )
      await clock.advance(10)
      void pool.close({ drainTimeoutMs: 100 })
      await clock.advance(1000)
      expect(work.state, event).not.toBe('pending')
      expect(server.open, event).toBe(0)
      expect(server.misuse, event).toEqual([])
      expect(pool.stats(), event).toMatchObject({ total: 0, waiting: 0 })
      expect(clock.pending, event).toBe(0)
    }
  })
})

describe('a closed pool', () => {
  test('refuses acquire, use, query-like calls and ready, and can still be asked', async () => {
    const { clock, pool, errorOf } = world()
    await clock.until(pool.close())
    for (const call of [() => pool.acquire(), () => pool.use(() => {}), () => pool.ready()]) {
      expect(await errorOf(call())).toMatchObject({ code: 'POOL_CLOSED', name: 'PoolClosedError' })
    }
    pool.refresh()
    pool.resize({ max: 3 })
    await clock.advance(1000)
    expect(pool.stats()).toMatchObject({ total: 0, max: 3 })
    expect(clock.pending).toBe(0)
  })
})
