import { describe, expect, test } from 'vitest'
import { LeaseReleasedError } from '../../src/contract/errors.ts'
import { createPool } from '../../src/create-pool.ts'
import { FakeError } from '../../src/testing/fake-error.ts'
import { FakeServer } from '../../src/testing/fake-server.ts'
import { VirtualClock } from '../../src/testing/virtual-clock.ts'
import { fate, type Options, sqlWorld, world } from '../support/world.ts'

// What SQLAlchemy's engine and QueuePool promise, and what happens here; docs/coming-from/sqlalchemy.md names each test.

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

describe('sizes', () => {
  test('nothing is opened before the first caller', async () => {
    const { clock, pool, server, until } = world()
    await clock.advance(10_000)
    expect(server.peak).toBe(0)
    await until(pool.use(() => {}))
    expect(server.peak).toBe(1)
  })

  test('max and maxOverflow together are the cap, and what is above max is closed on return', async () => {
    const { clock, pool, server, until } = world({ max: 2, maxOverflow: 1 })
    const leases = await until(Promise.all(times(3, () => pool.acquire())))
    const waiting = fate(pool.acquire())
    await clock.advance(1_000)
    expect([server.open, waiting.state]).toEqual([3, 'pending'])
    for (const lease of leases) lease.release()
    await clock.advance(0)
    waiting.value?.release()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ idle: 2, total: 2, closed: { overflow: 1 } })
  })

  test('maxOverflow Infinity lets nobody wait', async () => {
    const { pool, until } = world({ max: 2, maxOverflow: Number.POSITIVE_INFINITY })
    await until(Promise.all(times(50, () => pool.acquire())))
    expect(pool.stats()).toMatchObject({ leased: 50, waiting: 0 })
  })

  test('a max of 0 is refused: without a bound it is maxOverflow, without a pool it is maxIdle', () => {
    expect(() => world({ max: 0 })).toThrow(/"max"/)
  })

  test('what is free and what is lent can be counted at any time', async () => {
    const { pool, until } = world({ max: 5 })
    const [lease] = await until(Promise.all([pool.acquire(), pool.acquire()]))
    lease.release()
    expect(pool.stats()).toMatchObject({ max: 5, idle: 1, leased: 1, total: 2, waiting: 0 })
  })

  test('an option that is unknown is refused, and the nearest that is known is named', () => {
    expect(() => world({ maxOverfow: 3 } as Options)).toThrow(/maxOverflow/)
  })
})

describe('waiting', () => {
  test('who waits too long is told who holds what', async () => {
    const { pool, until, errorOf } = world({ max: 1, maxOverflow: 1, acquireTimeoutMs: 50 })
    await until(Promise.all(times(2, () => pool.acquire())))
    const error = await errorOf(pool.acquire())
    expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT', phase: 'queue', waitedMs: 50 })
    expect(String(error)).toMatch(/no connection after 50 ms.*2 leased, 0 idle/)
  })

  test('a connect that fails frees its place, and those who wait are served', async () => {
    const { clock, pool, server, until } = world({ max: 1, maxOverflow: 1 })
    const first = await until(pool.acquire())
    server.next('connect', { error: new FakeError('fatal', 'connection refused') })
    const waiting = times(2, () => fate(pool.acquire()))
    await clock.advance(5_000)
    first.release()
    await clock.advance(5_000)
    expect(waiting.map(({ state }) => state)).toEqual(['resolved', 'resolved'])
    expect(pool.stats()).toMatchObject({ connectFailed: 1, total: 2 })
  })

  test('a connect that hangs within the overflow keeps nobody from what comes back', async () => {
    const { clock, pool, server, until } = world({ max: 1, maxOverflow: 1 })
    const first = await until(pool.acquire())
    server.next('connect', { never: true })
    const waiting = fate(pool.acquire())
    await clock.advance(100)
    first.release()
    await clock.advance(0)
    expect(waiting.state).toBe('resolved')
  })
})

describe('liveness', () => {
  test('with validateAfterIdleMs 0 each idle connection must answer before it is lent', async () => {
    const { pool, asked, until } = world({ validateAfterIdleMs: 0 })
    for (let n = 0; n < 3; n++) await until(pool.use(() => {}))
    expect(asked('connect', 'isAlive')).toEqual(['connect', 'isAlive', 'isAlive'])
  })

  test('a fresh connection is not asked whether it lives', async () => {
    const { pool, asked, until } = world({ validateAfterIdleMs: 0 })
    await until(pool.use(() => {}))
    expect(asked('isAlive')).toEqual([])
  })

  test('dead ones are replaced while the caller waits, who is told nothing', async () => {
    const { clock, pool, server, until } = world({ max: 5 })
    const leases = await until(Promise.all(times(5, () => pool.acquire())))
    for (const lease of leases) lease.release()
    server.vanish(undefined, 'reset')
    await clock.advance(2_000)
    const alive = await until(Promise.all(times(5, () => pool.acquire())))
    expect(alive.map(({ connection }) => connection.id).every((id) => id > 5)).toBe(true)
    expect(server.open).toBe(5)
  })

  test('an idle connection is closed when its time has come, a lent one when it comes back', async () => {
    const { clock, pool, until } = world({ maxLifetimeMs: 60_000, lifetimeJitter: 0 })
    const [lent, idle] = await until(Promise.all(times(2, () => pool.acquire())))
    idle?.release()
    await clock.advance(60_000)
    expect(pool.stats()).toMatchObject({ idle: 0, leased: 1 })
    expect(lent?.connection.usable).toBe(true)
    lent?.release()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ total: 0, closed: { lifetime: 2 } })
  })

  test('destroy closes now and frees the place', async () => {
    const { clock, pool, server, until } = world({ max: 1 })
    const lease = await until(pool.acquire())
    lease.destroy(new Error('it answers nonsense'))
    await clock.advance(0)
    expect(server.open).toBe(0)
    expect((await until(pool.acquire())).connection.id).toBe(2)
  })

  test('retire lets the holder go on, and closes on return', async () => {
    const { clock, pool, server, until } = world({ max: 1 })
    const lease = await until(pool.acquire())
    lease.retire()
    lease.retire()
    expect(lease.connection.usable).toBe(true)
    lease.release()
    await clock.advance(0)
    expect(server.open).toBe(0)
  })

  test('destroy after destroy is refused', async () => {
    const { pool, until } = world()
    const lease = await until(pool.acquire())
    lease.destroy()
    expect(() => lease.destroy()).toThrow(LeaseReleasedError)
  })

  test('a statement that loses its connection costs that one, and the others must answer first', async () => {
    const { clock, pool, server, until, errorOf } = sqlWorld({ max: 2 })
    const [one, two] = await until(Promise.all(times(2, () => pool.acquire())))
    two?.release()
    server.vanish(undefined, 'reset')
    expect(await errorOf(one?.query('select 1') ?? Promise.resolve())).toMatchObject({
      code: 'CONNECTION_LOST',
    })
    await clock.advance(1_000)
    expect((await until(pool.acquire())).connection.id).toBe(3)
  })

  test('a server that takes no more writes renews all connections', async () => {
    const { clock, pool, server, until, errorOf } = sqlWorld({ max: 2 })
    const [one, two] = await until(Promise.all(times(2, () => pool.acquire())))
    two?.release()
    server.always('confirmStale', { says: true })
    server.next('query', { error: new FakeError('stale', 'this server is read-only') })
    await errorOf(one?.query('insert') ?? Promise.resolve())
    one?.release()
    await clock.advance(1_000)
    expect(pool.stats()).toMatchObject({ idle: 0, closed: { stale: 2 } })
  })

  test('a driver’s judgement of errors can be replaced', async () => {
    const clock = new VirtualClock()
    const server = new FakeServer({ clock })
    const classify = (error: unknown) => (/shutdown/.test(String(error)) ? 'fatal' : 'statement')
    const pool = createPool({ ...server.driver(), classify }, { clock })
    server.next('query', { error: new Error('shutdown in progress') })
    const query = pool.use((lease) => lease.query('select 1')).catch((error) => error)
    expect(await clock.until(query)).toMatchObject({ code: 'CONNECTION_LOST' })
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ idle: 0, closed: { lost: 1 } })
  })

  test('an onAcquire that throws costs the connection, and the caller gets another', async () => {
    let unfit = true
    const { clock, pool, until } = world({
      onAcquire: () => {
        if (!unfit) return
        unfit = false
        throw new Error('of another process')
      },
    })
    expect((await until(pool.acquire())).connection.id).toBe(2)
    await clock.advance(0)
    expect(pool.stats().closed.invalid).toBe(1)
  })

  test('an onAcquire that refreshes the pool and throws costs all connections', async () => {
    let moved = false
    const { clock, pool, until } = world({
      max: 3,
      onAcquire: (connection) => {
        if (!moved || connection.id > 3) return
        pool.refresh()
        throw new Error('the server has moved')
      },
    })
    const leases = await until(Promise.all(times(3, () => pool.acquire())))
    for (const lease of leases) lease.release()
    moved = true
    expect((await until(pool.acquire())).connection.id).toBe(4)
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ total: 1, leased: 1 })
  })
})
