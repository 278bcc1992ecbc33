import { describe, expect, test } from 'vitest'
import { LeaseReleasedError } from '../../src/contract/errors.ts'
import { createPool } from '../../src/create-pool.ts'
import { sharedPool } from '../../src/pool/shared-pool.ts'
import { FakeError } from '../../src/testing/fake-error.ts'
import { FakeServer } from '../../src/testing/fake-server.ts'
import { VirtualClock } from '../../src/testing/virtual-clock.ts'
import { fate, type Options, sqlWorld, world } from '../support/world.ts'

// What mysql.connector.pooling promises, and what happens here; docs/coming-from/mysql-connector.md names each test.

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

describe('a pool', () => {
  test('with a min as large as its max opens all connections at once', async () => {
    const { pool, server, until } = world({ min: 5, max: 5 }, { server: { latencyMs: 10 } })
    const [lease] = await until(Promise.all([pool.acquire(), pool.ready()]))
    lease.release()
    const server5 = server.open
    expect([server5, pool.stats().total]).toEqual([5, 5])
  })

  test('of no connection is refused, and one of a hundred is not', () => {
    expect(() => world({ max: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(world({ max: 100 }).pool.stats().max).toBe(100)
  })

  test('has a name, which may be any text but an empty one', () => {
    expect(world({ name: 'orders, new' }).pool.name).toBe('orders, new')
    expect(() => world({ name: '' })).toThrow(/"name"/)
  })

  test('without a name has its driver’s, numbered from the second on', () => {
    const server = new FakeServer()
    const names = times(2, () => createPool(server.driver({ name: 'unheard-of' })).name)
    expect(names).toEqual(['unheard-of', 'unheard-of-2'])
  })

  test('is shared by its name where that is wanted', async () => {
    const { pool, until } = world()
    const shop = () => sharedPool('parity: shop', () => pool)
    expect(shop()).toBe(shop())
    await until(shop().use(() => {}))
    expect(pool.stats().created).toBe(1)
    await until(pool.close())
  })

  test('refuses options that it does not know, before it connects', () => {
    expect(() => world({ pool_size: 5 } as unknown as Options)).toThrow(/pool_size/)
  })

  test('grows and shrinks while it runs', async () => {
    const { clock, pool, until } = world({ max: 1 })
    const first = await until(pool.acquire())
    const waiting = fate(pool.acquire())
    pool.resize({ max: 2 })
    await clock.advance(0)
    expect(waiting.state).toBe('resolved')
    pool.resize({ max: 1 })
    first.release()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ total: 1, max: 1 })
  })

  test('refuses a wrong resize as a whole', () => {
    const { pool } = world({ max: 5 })
    expect(() => pool.resize({ max: 7, min: -1 })).toThrow(/"min"/)
    expect(pool.stats().max).toBe(5)
  })

  test('lends nothing older than a refresh, and closes what is idle at once', async () => {
    const { clock, pool, server, until } = world({ max: 3 })
    const [lent, ...idle] = await until(Promise.all(times(3, () => pool.acquire())))
    for (const lease of idle) lease.release()
    pool.refresh()
    await clock.advance(0)
    expect([server.open, pool.stats().closed.refresh]).toEqual([1, 2])
    lent?.release()
    expect((await until(pool.acquire())).connection.id).toBe(4)
  })
})

describe('borrowing', () => {
  test('waits for a return, and fails at its deadline', async () => {
    const { pool, until, errorOf } = world({ max: 1, acquireTimeoutMs: 200 })
    await until(pool.acquire())
    expect(await errorOf(pool.acquire())).toMatchObject({ code: 'ACQUIRE_TIMEOUT', waitedMs: 200 })
  })

  test('with maxWaiting 0 waits for nobody', async () => {
    const { pool, until, errorOf } = world({ max: 1, maxWaiting: 0 })
    await until(pool.acquire())
    expect(await errorOf(pool.acquire())).toMatchObject({ code: 'QUEUE_FULL' })
  })

  test('with idleOrder fifo takes the connection that has been idle longest', async () => {
    const { pool, until } = world({ idleOrder: 'fifo' })
    const [one, two] = await until(Promise.all(times(2, () => pool.acquire())))
    const first = one?.connection
    one?.release()
    two?.release()
    expect((await until(pool.acquire())).connection).toBe(first)
  })

  test('with validateAfterIdleMs 0 asks each connection whether it lives, and replaces a dead one', async () => {
    const { pool, server, until, asked } = world({ validateAfterIdleMs: 0 })
    await until(pool.use(() => {}))
    server.next('isAlive', { says: false })
    expect((await until(pool.acquire())).connection.id).toBe(2)
    expect(asked('connect', 'isAlive')).toEqual(['connect', 'isAlive', 'connect'])
  })

  test('from a server that is down costs no place: the pool is whole when it is back', async () => {
    const { clock, pool, server, until, errorOf } = world({ max: 2 })
    await until(pool.use(() => {}))
    server.down()
    await clock.advance(0)
    expect(await errorOf(pool.acquire({ timeoutMs: 500 }))).toMatchObject({
      code: 'ACQUIRE_TIMEOUT',
      cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
    })
    server.up()
    await until(Promise.all(times(2, () => pool.acquire())))
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ leased: 2, total: 2 })
  })

  test('from a server that refuses it for good fails at once, with the server’s own error', async () => {
    const refusal = new FakeError('permanent', 'access denied')
    const { clock, pool, errorOf } = world({}, { server: { script: { connect: { error: refusal } } } })
    expect(await errorOf(pool.acquire())).toMatchObject({ code: 'CONNECT_FAILED', cause: refusal })
    expect(clock.now()).toBeLessThan(1_000)
  })
})

describe('giving back', () => {
  test('with reset full makes the session new before anybody else has it', async () => {
    const { pool, until, sent } = sqlWorld({ max: 1, reset: 'full' })
    await until(pool.use((lease) => lease.query('set @a = 1')))
    await until(pool.use((lease) => lease.query('select @a')))
    expect(sent().slice(0, 3)).toEqual(['set @a = 1', 'discard all', 'select @a'])
  })

  test('a connection whose reset fails closes it instead of lending it', async () => {
    const { pool, server, until } = sqlWorld({ max: 1, reset: 'full' })
    server.next('reset', { error: new Error('no') })
    await until(pool.use((lease) => lease.query('set @a = 1')))
    expect((await until(pool.acquire())).connection.id).toBe(2)
    expect(pool.stats()).toMatchObject({ total: 1, closed: { dirty: 1 } })
  })

  test('happens at the end of a block, by disposal', async () => {
    const { pool, until } = world()
    const lease = await until(pool.acquire())
    await lease[Symbol.asyncDispose]()
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 })
  })

  test('twice, and use afterwards, are refused by name', async () => {
    const { pool, until } = world()
    const lease = await until(pool.acquire())
    lease.release()
    expect(() => lease.release()).toThrow(LeaseReleasedError)
    expect(() => lease.connection).toThrow(/already been released/)
  })

  test('is never refused for want of room', async () => {
    const { clock, pool, until } = world({ max: 2 })
    const leases = await until(Promise.all(times(2, () => pool.acquire())))
    pool.resize({ max: 1 })
    for (const lease of leases) lease.release()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ idle: 1, total: 1, closed: { resize: 1 } })
  })
})

describe('another server', () => {
  /** As the page has it: whoever refuses or says nothing is followed by the next. */
  function two() {
    const clock = new VirtualClock()
    const servers = [new FakeServer({ clock }), new FakeServer({ clock })] as const
    const hosts = servers.map((server) => server.driver())
    let current = 0
    const connect: (typeof hosts)[0]['connect'] = (context) => {
      const host = hosts[current % hosts.length] as (typeof hosts)[0]
      return host.connect(context).catch((error) => {
        current++
        throw error
      })
    }
    return { clock, servers, pool: createPool({ ...servers[0].driver(), connect }, { clock }) }
  }

  test('is reached when the first one refuses', async () => {
    const { clock, servers, pool } = two()
    await clock.until(pool.query('select 1'))
    expect(servers.map(({ open }) => open)).toEqual([1, 0])
    servers[0].down()
    await clock.advance(0)
    await clock.until(pool.query('select 1'))
    expect(servers.map(({ open }) => open)).toEqual([0, 1])
  })

  test('is reached when the first one says nothing, after connectTimeoutMs', async () => {
    const { clock, servers, pool } = two()
    servers[0].always('connect', { never: true })
    await clock.until(pool.query('select 1'))
    expect(servers.map(({ open }) => open)).toEqual([0, 1])
    expect(clock.now()).toBeGreaterThanOrEqual(10_000)
  })

  test('has taken over: connections to the one that takes no more writes are renewed', async () => {
    const { clock, pool, server, until, errorOf } = sqlWorld()
    const lease = await until(pool.acquire())
    server.always('confirmStale', { says: true })
    server.next('query', { error: new FakeError('stale', 'this server is read-only') })
    await errorOf(lease.query('insert'))
    lease.release()
    await clock.advance(1_000)
    expect(pool.stats().closed.stale).toBe(1)
  })
})
