import { describe, expect, test } from 'vitest'
import type { AcquireHookContext } from '../../src/contract/options.ts'
import { sharedPool } from '../../src/pool/shared-pool.ts'
import { FakeError } from '../../src/testing/fake-error.ts'
import { fate, type Options, sqlWorld, world } from '../support/world.ts'

// What the pools of cx_Oracle and python-oracledb promise, and what happens here; docs/coming-from/cx-oracle.md names each test.

const FOREVER = Number.POSITIVE_INFINITY
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

describe('getmode', () => {
  test('WAIT: with acquireTimeoutMs Infinity a caller waits for as long as it takes', async () => {
    const { clock, pool, until } = world({ max: 1, acquireTimeoutMs: FOREVER, maxLifetimeMs: FOREVER })
    const lease = await until(pool.acquire())
    const waiting = fate(pool.acquire(), clock)
    await clock.advance(24 * 3_600_000)
    expect(waiting.state).toBe('pending')
    lease.release()
    await clock.advance(0)
    expect(waiting.state).toBe('resolved')
  })

  test('NOWAIT: with maxWaiting 0 a caller fails at once', async () => {
    const { clock, pool, until, errorOf } = world({ max: 1, maxWaiting: 0 })
    await until(pool.acquire())
    expect(await errorOf(pool.acquire())).toMatchObject({ code: 'QUEUE_FULL' })
    expect(clock.now()).toBe(0)
  })

  test('TIMEDWAIT: a caller waits for acquireTimeoutMs, or for a timeoutMs of their own', async () => {
    const { clock, pool, until, errorOf } = world({ max: 1, acquireTimeoutMs: 2_000 })
    await until(pool.acquire())
    expect(await errorOf(pool.acquire({ timeoutMs: 500 }))).toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
    expect(clock.now()).toBe(500)
    expect(await errorOf(pool.acquire())).toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
    expect(clock.now()).toBe(2_500)
  })

  test('FORCEGET: with maxOverflow Infinity a caller goes beyond max, and the extra one is closed on return', async () => {
    const { clock, pool, server, until } = world({ max: 1, maxOverflow: FOREVER })
    const leases = await until(Promise.all(times(3, () => pool.acquire())))
    expect(server.open).toBe(3)
    for (const lease of leases) lease.release()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ total: 1, closed: { overflow: 2 } })
  })
})

describe('sizes', () => {
  test('a max below min is refused', () => {
    expect(() => world({ min: 3, max: 2 })).toThrow(/must not be above max/)
  })

  test('as many are opened as there are callers who need one, and min in the background', async () => {
    const { pool, server, until } = world({ min: 1, max: 10 }, { server: { latencyMs: 10 } })
    await until(pool.ready())
    expect(server.open).toBe(1)
    await until(Promise.all(times(4, () => pool.acquire())))
    expect(server.peak).toBe(4)
  })

  test('what is idle for idleTimeoutMs is closed, down to min', async () => {
    const { clock, pool, until } = world({ min: 1, max: 4, idleTimeoutMs: 60_000, maxLifetimeMs: FOREVER })
    const leases = await until(Promise.all(times(4, () => pool.acquire())))
    for (const lease of leases) lease.release()
    await clock.advance(60_000)
    expect(pool.stats()).toMatchObject({ total: 1, closed: { idle: 3 } })
    await clock.advance(3_600_000)
    expect(pool.stats().total).toBe(1)
  })

  test('maxLifetimeMs ends a connection while idle or on return, never while it is lent', async () => {
    const { clock, pool, until } = world({ maxLifetimeMs: 60_000, lifetimeJitter: 0 })
    const [lent, idle] = await until(Promise.all(times(2, () => pool.acquire())))
    idle?.release()
    await clock.advance(60_000)
    expect(pool.stats()).toMatchObject({ idle: 0, leased: 1 })
    lent?.release()
    await clock.advance(0)
    expect(pool.stats().closed.lifetime).toBe(2)
  })

  test('busy and opened are leased and total', async () => {
    const { pool, until } = world()
    const [lease] = await until(Promise.all(times(2, () => pool.acquire())))
    lease?.release()
    expect(pool.stats()).toMatchObject({ leased: 1, total: 2 })
  })

  test('resize changes sizes and times of a running pool, all of them or none', async () => {
    const { clock, pool, until, errorOf } = world({ max: 1, acquireTimeoutMs: 1_000 })
    expect(() => pool.resize({ max: 2, acquireTimeoutMs: -5 })).toThrow(/acquireTimeoutMs/)
    expect(pool.stats().max).toBe(1)
    pool.resize({ max: 2, acquireTimeoutMs: 300 })
    await until(Promise.all(times(2, () => pool.acquire())))
    await errorOf(pool.acquire())
    expect(clock.now()).toBe(300)
  })
})

describe('liveness', () => {
  test('a connection must answer before it is lent once it was idle for validateAfterIdleMs', async () => {
    const { clock, pool, until, asked } = world({ validateAfterIdleMs: 60_000 })
    await until(pool.use(() => {}))
    await clock.advance(59_000)
    await until(pool.use(() => {}))
    expect(asked('isAlive')).toEqual([])
    await clock.advance(60_000)
    await until(pool.use(() => {}))
    expect(asked('isAlive')).toEqual(['isAlive'])
  })

  test('validateAfterIdleMs 0 asks always, and Infinity never', async () => {
    const always = world({ validateAfterIdleMs: 0 })
    for (let n = 0; n < 2; n++) await always.until(always.pool.use(() => {}))
    expect(always.asked('isAlive').length).toBe(1)
    const never = world({ validateAfterIdleMs: FOREVER })
    await never.until(never.pool.use(() => {}))
    await never.clock.advance(300_000)
    await never.until(never.pool.use(() => {}))
    expect(never.asked('isAlive')).toEqual([])
  })

  test('one that does not answer within validateTimeoutMs is replaced', async () => {
    const { clock, pool, server, until } = world({
      max: 1,
      validateAfterIdleMs: 0,
      validateTimeoutMs: 5_000,
    })
    await until(pool.use(() => {}))
    server.next('isAlive', { never: true })
    expect((await until(pool.acquire())).connection.id).toBe(2)
    expect(clock.now()).toBe(5_000)
  })

  test('one that the server has ended is known at once, without a ping', async () => {
    const { clock, pool, server, until, asked } = world({ validateAfterIdleMs: FOREVER })
    await until(pool.use(() => {}))
    server.kill()
    await clock.advance(0)
    expect((await until(pool.acquire())).connection.id).toBe(2)
    expect(asked('isAlive')).toEqual([])
  })

  test('keepaliveMs asks in the background', async () => {
    const { clock, pool, until, asked } = world({ keepaliveMs: 30_000, lifetimeJitter: 0 })
    await until(pool.use(() => {}))
    await clock.advance(100_000)
    expect(asked('isAlive').length).toBeGreaterThanOrEqual(2)
  })
})

describe('sessions and tags', () => {
  const wants = ({ label, lastLabel, fresh }: AcquireHookContext) => ({ label, lastLabel, fresh })

  test('onAcquire is told the tag that is wanted, the one that is there, and whether the session is new', async () => {
    const seen: unknown[] = []
    const { pool, until } = world({ max: 1, onAcquire: (_, context) => void seen.push(wants(context)) })
    await until(pool.use(() => {}, { label: 'TIME_ZONE=UTC' }))
    await until(pool.use(() => {}, { label: 'TIME_ZONE=UTC' }))
    await until(pool.use(() => {}, { label: 'TIME_ZONE=CET' }))
    expect(seen).toEqual([
      { label: 'TIME_ZONE=UTC', lastLabel: undefined, fresh: true },
      { label: 'TIME_ZONE=UTC', lastLabel: 'TIME_ZONE=UTC', fresh: false },
      { label: 'TIME_ZONE=CET', lastLabel: 'TIME_ZONE=UTC', fresh: false },
    ])
  })

  test('affinity prefers the session that had the tag, and is content with any other', async () => {
    const { pool, until } = world({ max: 2 })
    const utc = await until(pool.acquire({ affinity: 'UTC' }))
    const cet = await until(pool.acquire({ affinity: 'CET' }))
    const { id } = utc.connection
    utc.release()
    cet.release()
    const again = await until(pool.acquire({ affinity: 'UTC' }))
    expect(again.connection.id).toBe(id)
    expect((await until(pool.acquire({ affinity: 'UTC' }))).connection.id).not.toBe(id)
  })

  test('onConnect prepares each new session once', async () => {
    const { pool, until, sent } = sqlWorld({
      onConnect: async (connection) => void (await connection.query('alter session')),
    })
    for (let n = 0; n < 2; n++) await until(pool.use((lease) => lease.query('select 1')))
    expect(sent()).toEqual(['alter session', 'select 1', 'select 1'])
  })

  test('a tag may be told by a function that fails: the session is closed, and another one prepared', async () => {
    let calls = 0
    const { pool, until } = world({
      onAcquire: () => {
        if (++calls === 1) throw new Error('no such time zone')
      },
    })
    expect((await until(pool.acquire({ label: 'TIME_ZONE=X' }))).connection.id).toBe(2)
  })

  test('the session that was used last is lent first, and a new one only when none is idle', async () => {
    const { pool, server, until } = world()
    const [one, two] = await until(Promise.all(times(2, () => pool.acquire())))
    const last = one?.connection
    two?.release()
    one?.release()
    expect((await until(pool.acquire())).connection).toBe(last)
    expect(server.peak).toBe(2)
  })

  test('with reset full nothing of a session reaches the next borrower', async () => {
    const { pool, until, sent } = sqlWorld({ max: 1, reset: 'full' })
    await until(pool.use((lease) => lease.query('set role admin')))
    await until(pool.use((lease) => lease.query('select 1')))
    expect(sent().slice(0, 3)).toEqual(['set role admin', 'discard all', 'select 1'])
  })
})

describe('giving back', () => {
  test('rolls back what was not committed', async () => {
    const { pool, until, sent } = sqlWorld({ max: 1 })
    await until(pool.use((lease) => lease.begin()))
    await until(pool.query('select 1'))
    expect(sent()).toEqual(['begin', 'rollback', 'select 1'])
  })

  test('destroy drops the session, and its place is free', async () => {
    const { clock, pool, server, until } = world({ max: 1 })
    ;(await until(pool.acquire())).destroy()
    await clock.advance(0)
    expect(server.open).toBe(0)
    expect((await until(pool.acquire())).connection.id).toBe(2)
  })
})

describe('closing', () => {
  test('waits for what is busy, for drainTimeoutMs', async () => {
    const { clock, pool, until } = world()
    await until(pool.acquire())
    const report = await until(pool.close({ drainTimeoutMs: 2_000 }))
    expect(report).toMatchObject({ destroyed: 1 })
    expect(clock.now()).toBe(2_000)
  })

  test('with drainTimeoutMs 0 waits for nothing', async () => {
    const { clock, pool, server, until } = world()
    await until(pool.acquire())
    await until(pool.close({ drainTimeoutMs: 0 }))
    expect([clock.now(), server.open]).toEqual([0, 0])
  })

  test('turns away who waits, and everybody afterwards', async () => {
    const { pool, until, errorOf } = world({ max: 1 })
    await until(pool.acquire())
    const waiting = errorOf(pool.acquire())
    void pool.close({ drainTimeoutMs: 0 })
    expect(pool.closed).toBe(true)
    expect(await waiting).toMatchObject({ code: 'POOL_CLOSED' })
    expect(await errorOf(pool.acquire())).toMatchObject({ code: 'POOL_CLOSED' })
  })
})

describe('what node-oracledb adds', () => {
  test('maxWaiting bounds the queue', async () => {
    const { clock, pool, until, errorOf } = world({ max: 1, maxWaiting: 1 })
    await until(pool.acquire())
    const waiting = fate(pool.acquire())
    await clock.advance(0)
    expect(await errorOf(pool.acquire())).toMatchObject({ code: 'QUEUE_FULL', waiting: 1 })
    expect(waiting.state).toBe('pending')
  })

  test('the statistics are always on', async () => {
    const { clock, pool, until } = world({ max: 1 })
    const lease = await until(pool.acquire())
    const next = pool.acquire()
    await clock.advance(250)
    lease.release()
    await until(next)
    expect(pool.stats()).toMatchObject({ acquired: 2, waitTime: { count: 2, maxMs: 250 } })
  })
})

describe('a pool', () => {
  test('is shared by its name where that is wanted', async () => {
    const { pool, until } = world()
    const alias = (name: string) => sharedPool(`parity: ${name}`, () => (name === 'x' ? pool : world().pool))
    expect(alias('x')).toBe(alias('x'))
    expect(alias('y')).not.toBe(pool)
    await until(pool.close())
    expect(sharedPool('parity: x', () => world().pool)).not.toBe(pool)
  })
})

describe('errors', () => {
  test('a wrong password fails those who wait, with the server’s own error as the cause', async () => {
    const denied = new FakeError('permanent', 'ORA-01017: invalid credential')
    const { pool, errorOf } = world({}, { server: { script: { connect: { error: denied } } } })
    expect(await errorOf(pool.acquire())).toMatchObject({ code: 'CONNECT_FAILED', cause: denied })
  })

  test('an option of theirs is refused by name', () => {
    expect(() => world({ getmode: 1 } as unknown as Options)).toThrow(/getmode/)
  })
})
