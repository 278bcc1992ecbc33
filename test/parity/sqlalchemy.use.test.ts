import { describe, expect, test } from 'vitest'
import { LeaseReleasedError } from '../../src/contract/errors.ts'
import { createPool } from '../../src/create-pool.ts'
import { FakeServer } from '../../src/testing/fake-server.ts'
import { VirtualClock } from '../../src/testing/virtual-clock.ts'
import { type Options, sqlWorld, world } from '../support/world.ts'

// How SQLAlchemy's connections are used, given back and watched, its kinds of pools, and its Session's part in it.

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

describe('reset on return', () => {
  test('rolls back where a transaction is open, and otherwise sends nothing', async () => {
    const { clock, pool, until, sent } = sqlWorld()
    await until(pool.use((lease) => lease.query('one')))
    await until(pool.use((lease) => lease.begin()))
    await clock.advance(0)
    expect(sent()).toEqual(['one', 'begin', 'rollback'])
  })

  test('may be a function of yours, which commits', async () => {
    const { clock, pool, until, sent } = sqlWorld({
      reset: async (connection) => void (await connection.query('commit')),
    })
    await until(
      pool.use(async (lease) => {
        await lease.begin()
        await lease.query('insert')
      }),
    )
    await clock.advance(0)
    expect(sent()).toEqual(['begin', 'insert', 'commit'])
    expect(pool.stats().idle).toBe(1)
  })

  test('none sends nothing, and closes what comes back within a transaction', async () => {
    const { clock, pool, until, sent } = sqlWorld({ reset: 'none' })
    await until(pool.use((lease) => lease.query('one')))
    expect(pool.stats().idle).toBe(1)
    await until(pool.use((lease) => lease.begin()))
    await clock.advance(0)
    expect(sent()).toEqual(['one', 'begin'])
    expect(pool.stats()).toMatchObject({ total: 0, closed: { dirty: 1 } })
  })

  test('anything else is refused', () => {
    expect(() => world({ reset: 'bogus' } as unknown as Options)).toThrow(/"reset".*bogus/)
  })

  test('that fails closes the connection, tells of it, and frees the place', async () => {
    const { clock, pool, until, told } = world({
      max: 1,
      reset: () => Promise.reject(new Error('cannot be cleaned')),
    })
    await until(pool.use(() => {}))
    expect((await until(pool.acquire())).connection.id).toBe(2)
    await clock.advance(0)
    expect(told()).toContain('close dirty')
    expect(told()).toContain('error')
  })
})

describe('kinds of pools', () => {
  test('maxIdle 0 keeps nothing: a connection for each use, and still a cap', async () => {
    const { clock, pool, server, until } = world({ max: 2, maxIdle: 0 })
    for (let n = 0; n < 3; n++) {
      await until(pool.use(() => {}))
      await clock.advance(0)
      expect(server.open).toBe(0)
    }
    expect(pool.stats().created).toBe(3)
  })

  test('one key for all is one connection that all share at once', async () => {
    const { pool, server, until } = world({ max: 1, idleTimeoutMs: Number.POSITIVE_INFINITY })
    const leases = await until(Promise.all(times(5, () => pool.acquire({ key: 'shared' }))))
    expect(new Set(leases.map(({ connection }) => connection)).size).toBe(1)
    for (const lease of leases) lease.release()
    expect(server.open).toBe(1)
  })

  test('a key for each flow of calls is a connection for each flow', async () => {
    const { pool, until } = world()
    const [a1, b1, a2] = await until(Promise.all(['a', 'b', 'a'].map((key) => pool.acquire({ key }))))
    expect(a2?.connection).toBe(a1?.connection)
    expect(b1?.connection).not.toBe(a1?.connection)
  })

  test('a second borrower of a pool of one is told where the first one borrowed', async () => {
    const { pool, until, errorOf } = world({ max: 1, leakThresholdMs: 60_000, acquireTimeoutMs: 10 })
    async function theForgetful() {
      return pool.acquire()
    }
    await until(theForgetful())
    expect(String(await errorOf(pool.acquire()))).toMatch(/the oldest lease was taken\n[\s\S]*theForgetful/)
  })

  test('idleOrder fifo lends the one that has been idle longest', async () => {
    const { pool, until } = world({ idleOrder: 'fifo' })
    const [one, two] = await until(Promise.all(times(2, () => pool.acquire())))
    const first = two?.connection
    two?.release()
    one?.release()
    expect((await until(pool.acquire())).connection).toBe(first)
  })

  test('a driver of your own says how to connect', async () => {
    let opened = 0
    const clock = new VirtualClock()
    const server = new FakeServer({ clock })
    const driver = server.driver()
    const connect: typeof driver.connect = (context) => {
      opened++
      return driver.connect(context)
    }
    const pool = createPool({ ...driver, connect }, { clock })
    await clock.until(pool.query('select 1'))
    expect(opened).toBe(1)
  })
})

describe('leases', () => {
  test('detach takes the connection out of the count, and it is yours', async () => {
    const { pool, server, until, told } = world({ max: 1 })
    const mine = (await until(pool.acquire())).detach()
    await until(pool.acquire())
    expect(server.open).toBe(2)
    await until(pool.close({ drainTimeoutMs: 0 }))
    expect(mine.closed).toBe(false)
    expect(told()).toContain('detach')
  })

  test('disposal may come any number of times, release once', async () => {
    const { pool, until } = world()
    const lease = await until(pool.acquire())
    lease[Symbol.dispose]()
    lease[Symbol.dispose]()
    expect(() => lease.release()).toThrow(LeaseReleasedError)
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 })
  })

  test('one that is forgotten is reported with the place that took it', async () => {
    const { clock, pool, until, events } = world({ leakThresholdMs: 1_000 })
    async function theForgetful() {
      return pool.acquire()
    }
    await until(theForgetful())
    await clock.advance(1_000)
    expect(events.find(({ event }) => event === 'leak')?.stack).toContain('theForgetful')
    expect(pool.stats()).toMatchObject({ leased: 1, leaked: 1 })
  })

  test('what you know of a connection is gone when the connection is', async () => {
    const info = new WeakMap<object, { user: string }>()
    const { pool, until } = world({
      max: 1,
      onConnect: (connection) => void info.set(connection, { user: 'a' }),
    })
    const lease = await until(pool.acquire())
    const known = info.get(lease.connection)
    lease.release()
    const again = await until(pool.acquire())
    expect(info.get(again.connection)).toBe(known)
    again.destroy()
    expect(info.get((await until(pool.acquire())).connection)).not.toBe(known)
  })

  test('refresh renews all without a second pool: idle ones at once, lent ones when they come back', async () => {
    const { clock, pool, server, until } = world()
    const [lent, idle] = await until(Promise.all(times(2, () => pool.acquire())))
    idle?.release()
    pool.refresh()
    await clock.advance(0)
    expect(server.open).toBe(1)
    lent?.release()
    await clock.advance(0)
    expect(server.open).toBe(0)
    expect((await until(pool.acquire())).connection.id).toBe(3)
  })
})

describe('events', () => {
  test('come in the order of a connection’s life', async () => {
    const { clock, pool, until, told } = sqlWorld({ maxLifetimeMs: 60_000, lifetimeJitter: 0 })
    await until(pool.use((lease) => lease.begin()))
    await clock.advance(60_000)
    ;(await until(pool.acquire())).destroy()
    ;(await until(pool.acquire())).detach()
    await clock.advance(0)
    expect(told()).toEqual([
      ...['connect', 'acquire', 'release', 'reset', 'close lifetime'],
      ...['connect', 'acquire', 'release', 'close destroyed'],
      ...['connect', 'acquire', 'release', 'detach'],
    ])
  })

  test('once hears of the first connection only', async () => {
    const { pool, until } = world()
    const heard: number[] = []
    pool.once('connect', ({ id }) => heard.push(id))
    await until(Promise.all(times(3, () => pool.acquire())))
    expect(heard).toEqual([1])
  })

  test('carry the name of their pool', async () => {
    const { pool, until, events } = world({ name: 'orders' })
    await until(pool.use(() => {}))
    expect(new Set(events.map((event) => event.pool))).toEqual(new Set(['orders']))
  })
})

describe('a session', () => {
  test('takes a connection with its first statement, not before', async () => {
    const { clock, pool, server, until } = sqlWorld()
    const session = pool.session()
    await clock.advance(1_000)
    expect(server.peak).toBe(0)
    await until(session.query('select 1'))
    expect(server.peak).toBe(1)
  })

  test('gives the connection back at commit, rollback and close', async () => {
    const { clock, pool, until } = sqlWorld()
    for (const end of ['commit', 'rollback', 'close'] as const) {
      const session = pool.session()
      await until(session.begin())
      await until(session.query('insert'))
      expect(pool.stats().leased).toBe(1)
      await until(session[end]())
      await clock.advance(0)
      expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
    }
  })

  test('outside a transaction gives it back after each statement', async () => {
    const { pool, until, sent } = sqlWorld()
    const session = pool.session()
    await until(session.query('select 1'))
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
    expect(sent()).toEqual(['select 1'])
  })

  test('with release close holds its connection from the first statement to its end', async () => {
    const { pool, until } = sqlWorld()
    const session = pool.session({ release: 'close' })
    await until(session.query('select 1'))
    expect(pool.stats().leased).toBe(1)
    await until(session.close())
    expect(pool.stats().leased).toBe(0)
  })

  test('closed in a transaction rolls it back', async () => {
    const { clock, pool, until, sent } = sqlWorld()
    const session = pool.session()
    await until(session.begin())
    await until(session.query('insert'))
    await until(session.close())
    await clock.advance(0)
    expect(sent()).toEqual(['begin', 'insert', 'rollback'])
  })

  test('may be used again after a commit', async () => {
    const { clock, pool, until } = sqlWorld()
    const session = pool.session()
    for (let n = 0; n < 2; n++) await until(session.transaction((tx) => tx.query('insert')))
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ leased: 0, created: 1 })
  })

  test('a transaction within a transaction is a savepoint on the same connection', async () => {
    const { pool, server, until, sent } = sqlWorld({ max: 1 })
    await until(pool.transaction((tx) => tx.transaction((inner) => inner.query('insert'))))
    expect(server.peak).toBe(1)
    expect(sent()[1]).toMatch(/^savepoint /)
  })
})
