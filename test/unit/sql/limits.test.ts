import { describe, expect, test } from 'vitest'
import { AcquireTimeoutError, QueryTimeoutError } from '../../../src/contract/errors.ts'
import { fate, type Options, sqlWorld } from '../../support/world.ts'

const alone: Options = { multiplex: 'off' }

describe('timeoutMs', () => {
  test('bounds running: QUERY_TIMEOUT at once, the server is told, and the connection is quiet before it is lent again', async () => {
    const { clock, pool, server, errorOf } = sqlWorld({ ...alone, max: 1 }, { server: { latencyMs: 10 } })
    server.answer('slow', { takesMs: 10_000 })
    await clock.until(pool.query('warm'))
    const since = clock.now()
    const slow = fate(pool.query('slow', [], { timeoutMs: 100 }), clock)
    const next = fate(pool.query('next'), clock)
    await clock.advance(1000)
    expect(slow).toMatchObject({ state: 'rejected', at: since + 100 })
    expect(slow.error).toBeInstanceOf(QueryTimeoutError)
    expect(slow.error).toMatchObject({ code: 'QUERY_TIMEOUT', timeoutMs: 100 })
    expect(next.state).toBe('resolved')
    expect(next.at).toBeGreaterThanOrEqual(since + 110)
    expect(server.misuse).toEqual([])
    await errorOf(Promise.reject(slow.error))
  })

  test('bounds waiting as well, and then it is ACQUIRE_TIMEOUT', async () => {
    const { clock, pool, errorOf } = sqlWorld({ ...alone, max: 1 })
    await clock.until(pool.acquire())
    expect(await errorOf(pool.query('x', [], { timeoutMs: 50 }))).toBeInstanceOf(AcquireTimeoutError)
    expect(clock.now()).toBe(50)
  })

  test('longer than acquireTimeoutMs does not lengthen the waiting', async () => {
    const { clock, pool, errorOf } = sqlWorld({ ...alone, max: 1, acquireTimeoutMs: 30 })
    await clock.until(pool.acquire())
    expect(await errorOf(pool.query('x', [], { timeoutMs: 5000 }))).toBeInstanceOf(AcquireTimeoutError)
    expect(clock.now()).toBe(30)
  })

  test('counts the waiting against the running', async () => {
    const { clock, pool, server } = sqlWorld({ ...alone, max: 1 })
    server.answer('slow', { takesMs: 1000 })
    const lease = await clock.until(pool.acquire())
    const slow = fate(pool.query('slow', [], { timeoutMs: 100 }), clock)
    await clock.advance(60)
    lease.release()
    await clock.advance(100)
    expect(slow).toMatchObject({ state: 'rejected', at: 100 })
    expect(slow.error).toBeInstanceOf(QueryTimeoutError)
  })

  test('does not reject what has been answered while the loop was blocked', async () => {
    const { clock, pool, server } = sqlWorld(alone)
    server.answer('slow', { takesMs: 90 })
    await clock.until(pool.query('warm'))
    const slow = fate(pool.query('slow', [], { timeoutMs: 100 }))
    await clock.advance(0)
    clock.block(500)
    await clock.advance(10)
    expect(slow.state).toBe('resolved')
  })
})

describe('an aborted statement', () => {
  const reason = new Error('enough')

  test('that was aborted before it began sends nothing', async () => {
    const { pool, server, errorOf } = sqlWorld()
    expect(await errorOf(pool.query('x', [], { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(server.peak).toBe(0)
  })

  test('rejects at once with the reason, and the server is told', async () => {
    const { clock, pool, server, asked } = sqlWorld({ ...alone, max: 1 }, { server: { latencyMs: 10 } })
    server.answer('slow', { takesMs: 10_000 })
    await clock.until(pool.query('warm'))
    const controller = new AbortController()
    const slow = fate(pool.query('slow', [], { signal: controller.signal }), clock)
    await clock.advance(50)
    controller.abort(reason)
    await clock.advance(0)
    expect(slow.error).toBe(reason)
    expect(pool.stats().resetting).toBe(1)
    await clock.advance(100)
    expect(asked('cancel')).toEqual(['cancel'])
    expect(pool.stats().idle).toBe(1)
  })

  test('never lets a late cancel hit the next statement', async () => {
    const { clock, pool, server } = sqlWorld({ ...alone, max: 1 }, { server: { latencyMs: 10 } })
    server.always('cancel', { latencyMs: 400 })
    server.answer('slow', { takesMs: 100 })
    server.answer('next', { takesMs: 300 })
    await clock.until(pool.query('warm'))
    const controller = new AbortController()
    const slow = fate(pool.query('slow', [], { signal: controller.signal }))
    await clock.advance(50)
    controller.abort(reason)
    // The statement ends long before its cancel arrives.
    const next = fate(pool.query('next'))
    await clock.advance(2000)
    expect([slow.state, next.state]).toEqual(['rejected', 'resolved'])
  })

  test('whose cancel hangs costs the connection after resetTimeoutMs', async () => {
    const { clock, pool, server } = sqlWorld({ ...alone, max: 1, resetTimeoutMs: 500 })
    server.always('cancel', { never: true })
    server.answer('slow', { takesMs: 10_000 })
    await clock.until(pool.query('warm'))
    const controller = new AbortController()
    void pool.query('slow', [], { signal: controller.signal }).catch(() => {})
    await clock.advance(50)
    controller.abort(reason)
    await clock.advance(500)
    expect(pool.stats()).toMatchObject({ total: 0, closed: { dirty: 1 } })
  })

  test('on a lease leaves the line to those behind it', async () => {
    const { clock, pool, server } = sqlWorld({}, { server: { latencyMs: 10 } })
    server.answer('slow', { takesMs: 1000 })
    const lease = await clock.until(pool.acquire())
    const controller = new AbortController()
    const slow = fate(lease.query('slow', [], { signal: controller.signal }))
    const waiting = fate(lease.query('waiting', [], { signal: controller.signal }))
    const last = fate(lease.query('last'))
    await clock.advance(5)
    controller.abort(reason)
    await clock.advance(100)
    expect([slow.error, waiting.error, last.state]).toEqual([reason, reason, 'resolved'])
    expect(server.log.map(({ sql }) => sql)).not.toContain('waiting')
    expect(server.misuse).toEqual([])
  })

  test('by the lease itself hits what runs, and what comes next waits until it can hit nothing more', async () => {
    const { clock, pool, server } = sqlWorld({}, { server: { latencyMs: 10 } })
    server.always('cancel', { latencyMs: 400 })
    server.answer('slow', { takesMs: 10_000 })
    const lease = await clock.until(pool.acquire())
    const slow = fate(lease.query('slow'))
    await clock.advance(50)
    const cancelled = fate(lease.cancel())
    const next = fate(lease.query('next'))
    await clock.advance(399)
    expect([slow.state, cancelled.state, next.state]).toEqual(['rejected', 'pending', 'pending'])
    await clock.advance(100)
    expect([slow.state, cancelled.state, next.state]).toEqual(['rejected', 'resolved', 'resolved'])
    expect(server.misuse).toEqual([])
    lease.release()
    await expect(lease.cancel()).rejects.toThrow(/already been released/)
  })

  test('by the lease itself is refused where the driver cannot', async () => {
    const { clock, pool } = sqlWorld({}, { driver: { without: ['cancel'] } })
    const lease = await clock.until(pool.acquire())
    await expect(lease.cancel()).rejects.toThrow(/cannot ask the server to stop/)
  })

  test('on joined leases: a cancel of one never hits the other’s statement', async () => {
    const { clock, pool, server } = sqlWorld({}, { server: { latencyMs: 10 } })
    server.always('cancel', { latencyMs: 400 })
    server.answer('slow', { takesMs: 50 }).answer('next', { takesMs: 500 })
    const one = await clock.until(pool.acquire({ key: 'k' }))
    const other = await clock.until(pool.acquire({ key: 'k' }))
    const slow = fate(one.query('slow', [], { timeoutMs: 20 }))
    await clock.advance(30)
    expect(slow.state).toBe('rejected')
    one.release()
    const next = fate(other.query('next'))
    await clock.advance(2000)
    expect(next.state).toBe('resolved')
    other.release()
    await clock.advance(100)
    expect(pool.stats().idle).toBe(1)
  })
})
