import { describe, expect, test } from 'vitest'
import { InvalidOptionError, LeaseReleasedError } from '../../../src/contract/errors.ts'
import { fate, world } from '../../support/world.ts'

describe('a key', () => {
  test('joins: the same connection at once, counted once, past queue and suspension', async () => {
    const { clock, pool } = world({ max: 1, maxWaiting: 1 })
    const first = await clock.until(pool.acquire({ key: 'order 1' }))
    const waiting = fate(pool.acquire())
    pool.suspend()
    const second = await pool.acquire({ key: 'order 1', timeoutMs: 0 })
    expect(second).not.toBe(first)
    expect(second.connection).toBe(first.connection)
    expect(pool.stats()).toMatchObject({ leased: 1, total: 1, waiting: 1 })
    expect(waiting.state).toBe('pending')
  })

  test('the connection goes back with the last release', async () => {
    const { clock, pool } = world({ max: 1 })
    const first = await clock.until(pool.acquire({ key: 7 }))
    const second = await clock.until(pool.acquire({ key: 7 }))
    first.release()
    expect(pool.stats().leased).toBe(1)
    expect(() => first.connection).toThrow(LeaseReleasedError)
    const third = await clock.until(pool.acquire({ key: 7 }))
    second.release()
    expect(pool.stats().leased).toBe(1)
    third.release()
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
    expect(pool.tryAcquire()).toBeDefined()
  })

  test('destroy by one ends it for all, without a reproach to the others', async () => {
    const { clock, pool } = world({ max: 2 })
    const first = await clock.until(pool.acquire({ key: 'k' }))
    const second = await clock.until(pool.acquire({ key: 'k' }))
    const third = await clock.until(pool.acquire({ key: 'k' }))
    first.destroy(new Error('broken'))
    expect(() => first.release()).toThrow(LeaseReleasedError)
    expect(() => second.connection).toThrow(LeaseReleasedError)
    second.release()
    expect(() => second.release()).toThrow(LeaseReleasedError)
    third[Symbol.dispose]()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ leased: 0, total: 0, closed: { destroyed: 1 } })
    const fresh = await clock.until(pool.acquire({ key: 'k' }))
    expect(fresh.connection.id).toBe(2)
  })

  test('detach of a joined one throws, of the last one works', async () => {
    const { clock, pool } = world()
    const first = await clock.until(pool.acquire({ key: 'k' }))
    const second = await clock.until(pool.acquire({ key: 'k' }))
    expect(() => first.detach()).toThrow(InvalidOptionError)
    first.release()
    const connection = second.detach()
    expect(connection.closed).toBe(false)
    expect(pool.stats().total).toBe(0)
    expect((await clock.until(pool.acquire({ key: 'k' }))).connection).not.toBe(connection)
  })

  test('waiters with the same key are served together', async () => {
    const { clock, pool } = world({ max: 1 }, { server: { latencyMs: 10 } })
    const three = await clock.until(Promise.all([1, 2, 3].map(() => pool.acquire({ key: 'k' }))))
    expect(new Set(three.map(({ connection }) => connection)).size).toBe(1)
    expect(pool.stats()).toMatchObject({ leased: 1, waiting: 0, acquired: 3 })
    for (const lease of three) lease.release()
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
  })

  test('waiters with the same key are served together even while hooks prepare them', async () => {
    const { clock, pool } = world(
      { max: 3, onAcquire: (connection) => connection.query('hook').then(() => {}) },
      { server: { latencyMs: 10 } },
    )
    const three = await clock.until(Promise.all([1, 2, 3].map(() => pool.acquire({ key: 'k' }))))
    await clock.advance(100)
    expect(new Set(three.map(({ connection }) => connection)).size).toBe(1)
    for (const lease of three) lease.release()
    expect(pool.stats()).toMatchObject({ leased: 0, idle: pool.stats().total, waiting: 0 })
  })

  test('a lost connection ends all leases of its key', async () => {
    const { clock, pool, server } = world()
    const first = await clock.until(pool.acquire({ key: 'k' }))
    const second = await clock.until(pool.acquire({ key: 'k' }))
    server.kill()
    await clock.advance(0)
    first.release()
    second.destroy()
    expect(pool.stats()).toMatchObject({ leased: 0, total: 0, closed: { lost: 1, destroyed: 0 } })
    expect((await clock.until(pool.acquire({ key: 'k' }))).connection.id).toBe(2)
  })

  test('keys are compared by identity, and null is one', async () => {
    const { clock, pool } = world()
    const [a, b, c] = await clock.until(
      Promise.all([pool.acquire({ key: {} }), pool.acquire({ key: {} }), pool.acquire({ key: null })]),
    )
    expect(new Set([a?.connection, b?.connection, c?.connection]).size).toBe(3)
    expect((await pool.acquire({ key: null })).connection).toBe(c?.connection)
  })

  test('is refused after close like everything else', async () => {
    const { clock, pool, errorOf } = world()
    await clock.until(pool.acquire({ key: 'k' }))
    void pool.close()
    expect(await errorOf(pool.acquire({ key: 'k' }))).toMatchObject({ code: 'POOL_CLOSED' })
  })
})

describe('affinity', () => {
  test('prefers the idle connection last used with this value', async () => {
    const { clock, pool } = world()
    const [a, b] = await clock.until(
      Promise.all([pool.acquire({ affinity: 'a' }), pool.acquire({ affinity: 'b' })]),
    )
    const ids = { a: a?.connection.id, b: b?.connection.id }
    a?.release()
    b?.release()
    const again = await clock.until(pool.acquire({ affinity: 'a' }))
    expect(again.connection.id).toBe(ids.a)
    expect((await clock.until(pool.acquire({ affinity: 'a' }))).connection.id).toBe(ids.b)
  })

  test('never waits for its connection and never shares it', async () => {
    const { clock, pool, server } = world({ max: 2 })
    const first = await clock.until(pool.acquire({ affinity: 'a' }))
    const second = await clock.until(pool.acquire({ affinity: 'a' }))
    expect(second.connection).not.toBe(first.connection)
    expect(server.open).toBe(2)
  })

  test('never waits for the check of its connection while another one is ready to go', async () => {
    const { clock, pool, server } = world({ max: 2, validateAfterIdleMs: 1000 })
    const [a, b] = await clock.until(
      Promise.all([pool.acquire({ affinity: 'a' }), pool.acquire({ affinity: 'b' })]),
    )
    a?.release()
    await clock.advance(900)
    b?.release()
    await clock.advance(200)
    server.always('isAlive', { never: true })
    const lease = fate(pool.acquire({ affinity: 'a' }), clock)
    await clock.advance(200)
    expect(lease.state).toBe('resolved')
  })
})
