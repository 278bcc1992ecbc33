import { describe, expect, test } from 'vitest'
import { LeaseReleasedError, PoolError } from '../../src/contract/errors.ts'
import { FakeError } from '../../src/testing/fake-error.ts'
import { fate, sqlWorld, world } from '../support/world.ts'

// What psycopg2.pool promises, and what happens here; docs/coming-from/psycopg2.md names each test.

describe('a pool', () => {
  test('opens min connections by itself, and ready tells when they are open', async () => {
    const { pool, server, until } = world({ min: 3, max: 5 }, { server: { latencyMs: 10 } })
    await until(pool.ready())
    expect(server.open).toBe(3)
    expect(pool.stats()).toMatchObject({ idle: 3, max: 5 })
  })

  test('whose server refuses it for good says so by ready, with the server’s own error', async () => {
    const refusal = new FakeError('permanent', 'no such user')
    const { pool, errorOf } = world({ min: 1 }, { server: { script: { connect: { error: refusal } } } })
    const error = await errorOf(pool.ready())
    expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: refusal })
    expect(error).toBeInstanceOf(PoolError)
  })

  test('refuses sizes that are no whole numbers instead of rounding them', () => {
    expect(() => world({ min: 1.5 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(() => world({ max: '5' as unknown as number })).toThrow(/"max"/)
  })

  test('refuses a min above its max, so that the cap always holds', () => {
    expect(() => world({ min: 3, max: 2 })).toThrow(/must not be above max \(2\)/)
  })

  test('tells its sizes and whether it is closed', async () => {
    const { pool, until } = world({ min: 1, max: 4 })
    await until(pool.ready())
    expect([pool.closed, pool.stats().total, pool.stats().max]).toEqual([false, 1, 4])
    await until(pool.close())
    expect([pool.closed, pool.stats().total]).toEqual([true, 0])
  })
})

describe('borrowing', () => {
  test('with the key of a lease that is out gives the same connection, counted once', async () => {
    const { pool, until } = world({ max: 1 })
    const first = await until(pool.acquire({ key: 'request 7' }))
    const second = await until(pool.acquire({ key: 'request 7' }))
    expect(second.connection).toBe(first.connection)
    expect(pool.stats()).toMatchObject({ leased: 1, total: 1 })
  })

  test('without a key gives each caller a connection of their own', async () => {
    const { pool, until } = world({ max: 2 })
    const [one, two] = await until(Promise.all([pool.acquire(), pool.acquire()]))
    expect(one.connection).not.toBe(two.connection)
  })

  test('takes the connection that was given back last', async () => {
    const { pool, until } = world()
    const [one, two] = await until(Promise.all([pool.acquire(), pool.acquire()]))
    const last = one.connection
    two.release()
    one.release()
    expect((await until(pool.acquire())).connection).toBe(last)
  })

  test('from an exhausted pool waits for a return', async () => {
    const { clock, pool, until } = world({ max: 1 })
    const lease = await until(pool.acquire())
    const waiting = fate(pool.acquire(), clock)
    await clock.advance(500)
    lease.release()
    await clock.advance(0)
    expect(waiting).toMatchObject({ state: 'resolved', at: 500 })
  })

  test('with maxWaiting 0 fails at once when all connections are out, and only then', async () => {
    const { clock, pool, until, errorOf } = world({ max: 2, maxWaiting: 0 }, { server: { latencyMs: 10 } })
    await until(Promise.all([pool.acquire(), pool.acquire()]))
    const before = clock.now()
    expect(await errorOf(pool.acquire())).toMatchObject({ code: 'QUEUE_FULL' })
    expect(clock.now()).toBe(before)
  })

  test('never gives a connection that the server closed while it was idle', async () => {
    const { clock, pool, server, until } = world()
    await until(pool.use(() => {}))
    server.kill()
    await clock.advance(0)
    const lease = await until(pool.acquire())
    expect(lease.connection.id).toBe(2)
    expect(lease.connection.usable).toBe(true)
  })

  test('never gives a connection that died in silence: after a second of idleness it must answer first', async () => {
    const { clock, pool, server, until } = world({ validateTimeoutMs: 100 })
    await until(pool.use(() => {}))
    server.vanish()
    await clock.advance(1_000)
    expect((await until(pool.acquire())).connection.id).toBe(2)
  })

  test('goes on while another caller’s connect hangs', async () => {
    const { clock, pool, server, until } = world({ max: 2 })
    const lease = await until(pool.acquire())
    server.next('connect', { never: true })
    const behind = fate(pool.acquire())
    lease.release()
    await clock.advance(0)
    expect(behind.state).toBe('resolved')
  })

  test('from a closed pool is refused', async () => {
    const { pool, until, errorOf } = world()
    await until(pool.close())
    expect(await errorOf(pool.acquire())).toMatchObject({ code: 'POOL_CLOSED' })
  })
})

describe('giving back', () => {
  test('a second time is refused, and does no harm to the next borrower', async () => {
    const { pool, until } = world({ max: 1 })
    const stale = await until(pool.acquire())
    stale.release()
    const next = await until(pool.acquire())
    expect(() => stale.release()).toThrow(LeaseReleasedError)
    expect(next.connection.usable).toBe(true)
    expect(pool.stats().leased).toBe(1)
  })

  test('keeps every connection up to max, until it has been idle for idleTimeoutMs', async () => {
    const { clock, pool, until } = world({ min: 1, max: 4, idleTimeoutMs: 60_000 })
    const leases = await until(Promise.all([1, 2, 3, 4].map(() => pool.acquire())))
    for (const lease of leases) lease.release()
    expect(pool.stats().idle).toBe(4)
    await clock.advance(61_000)
    expect(pool.stats().idle).toBe(1)
  })

  test('with maxIdle as small as min closes at once what is above', async () => {
    const { clock, pool, until } = world({ min: 1, max: 4, maxIdle: 1 })
    const leases = await until(Promise.all([1, 2, 3, 4].map(() => pool.acquire())))
    for (const lease of leases) lease.release()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ idle: 1, total: 1 })
  })

  test('by destroy closes the connection, and the pool opens another one up to min', async () => {
    const { clock, pool, server, until } = world({ min: 1 })
    const lease = await until(pool.acquire())
    lease.destroy()
    await clock.advance(1_000)
    expect(pool.stats()).toMatchObject({ idle: 1, total: 1, closed: { destroyed: 1 } })
    expect(server.connections.map(({ id }) => id)).toEqual([2])
  })

  test('a connection that died meanwhile drops it', async () => {
    const { clock, pool, server, until } = world()
    const lease = await until(pool.acquire())
    server.kill()
    await clock.advance(0)
    lease.release()
    expect(pool.stats()).toMatchObject({ total: 0, closed: { lost: 1 } })
  })

  test('rolls back a transaction that was left open, before anybody else gets the connection', async () => {
    const { clock, pool, until, sent } = sqlWorld({ max: 1 })
    const lease = await until(pool.acquire())
    await until(lease.begin())
    await until(lease.query('update accounts'))
    lease.release()
    await until(pool.query('select 1'))
    await clock.advance(0)
    expect(sent()).toEqual(['begin', 'update accounts', 'rollback', 'select 1'])
  })

  test('sends nothing where no transaction is open', async () => {
    const { pool, until, sent } = sqlWorld()
    await until(pool.use((lease) => lease.query('select 1')))
    expect(sent()).toEqual(['select 1'])
  })

  test('closes a connection that cannot be rolled back', async () => {
    const { clock, pool, server, until } = sqlWorld()
    const lease = await until(pool.acquire())
    await until(lease.begin())
    server.next('reset', { error: new Error('no answer that makes sense') })
    lease.release()
    await clock.advance(100)
    expect(pool.stats()).toMatchObject({ idle: 0, closed: { dirty: 1 } })
  })

  test('happens by itself at the end of use, whatever was thrown', async () => {
    const { pool, until, errorOf } = world({ max: 1 })
    const problem = new Error('mine')
    const work = pool.use(() => {
      throw problem
    })
    expect(await errorOf(work)).toBe(problem)
    expect((await until(pool.acquire())).connection.id).toBe(1)
  })
})

describe('closing', () => {
  test('waits for what is lent; with drainTimeoutMs 0 it closes that at once', async () => {
    const { clock, pool, server, until } = world()
    await until(pool.use(() => {}))
    const lease = await until(pool.acquire())
    const report = await until(pool.close({ drainTimeoutMs: 0 }))
    expect(report).toMatchObject({ destroyed: 1 })
    expect(server.open).toBe(0)
    expect(() => lease.connection).toThrow(LeaseReleasedError)

    const patient = world()
    const late = await patient.until(patient.pool.acquire())
    const closing = fate(patient.pool.close())
    await patient.clock.advance(1_000)
    expect(closing.state).toBe('pending')
    late.release()
    await patient.clock.advance(0)
    expect(closing.value).toMatchObject({ destroyed: 0, closed: 1 })
    expect(clock.pending).toBe(0)
  })

  test('never fails, not even where a connection does not close', async () => {
    const { pool, server, until } = world()
    await until(pool.use(() => {}))
    server.next('close', { error: new Error('already gone') })
    await until(pool.close())
    expect(pool.stats().total).toBe(0)
  })

  test('a second time joins the first', async () => {
    const { pool, until } = world()
    await until(pool.use(() => {}))
    const [first, second] = await until(Promise.all([pool.close(), pool.close()]))
    expect(second).toBe(first)
  })

  test('excuses who gives back afterwards', async () => {
    const { pool, until } = world()
    const lease = await until(pool.acquire())
    await until(pool.close({ drainTimeoutMs: 0 }))
    expect(() => lease.release()).not.toThrow()
  })
})
