import { describe, expect, test } from 'vitest'
import { createPool } from '../../src/create-pool.ts'
import { sharedPool } from '../../src/pool/shared-pool.ts'
import { FakeError } from '../../src/testing/fake-error.ts'
import { FakeServer } from '../../src/testing/fake-server.ts'
import { VirtualClock } from '../../src/testing/virtual-clock.ts'
import { fate, sqlWorld, world } from '../support/world.ts'

// What pyodbc's pooling, the ODBC driver manager's, promises, and what happens here; docs/coming-from/pyodbc.md names each test.

describe('a pool for each connection string', () => {
  /** As the page has it, with fake servers in the place of drivers. */
  function poolsOf(clock: VirtualClock) {
    const servers: FakeServer[] = []
    const poolFor = (text: string) =>
      sharedPool(`parity: ${text}`, () => {
        const server = new FakeServer({ clock })
        servers.push(server)
        return createPool(server.driver(), { clock })
      })
    return { poolFor, servers }
  }

  test('lends to the same string what it was given back, and to another one never', async () => {
    const clock = new VirtualClock()
    const { poolFor, servers } = poolsOf(clock)
    const first = await clock.until(poolFor('DSN=shop').acquire())
    const { connection } = first
    first.release()
    expect((await clock.until(poolFor('DSN=shop').acquire())).connection).toBe(connection)
    expect((await clock.until(poolFor('DSN=books').acquire())).connection).not.toBe(connection)
    expect(servers.map(({ open }) => open)).toEqual([1, 1])
  })
})

describe('a pool', () => {
  test('closes what has been idle for idleTimeoutMs', async () => {
    const { clock, pool, server, until } = world({ idleTimeoutMs: 60_000 })
    await until(pool.use(() => {}))
    await clock.advance(59_000)
    expect(server.open).toBe(1)
    await clock.advance(1_000)
    expect([server.open, pool.stats().closed.idle]).toEqual([0, 1])
  })

  test('never has more than max, and lets others wait', async () => {
    const { clock, pool, server, until } = world({ max: 2 })
    const leases = await until(Promise.all([pool.acquire(), pool.acquire()]))
    const third = fate(pool.acquire(), clock)
    await clock.advance(100)
    expect([server.open, third.state]).toEqual([2, 'pending'])
    leases[0].release()
    await clock.advance(0)
    expect(third).toMatchObject({ state: 'resolved', at: 100 })
  })

  test('fails who has waited for acquireTimeoutMs', async () => {
    const { clock, pool, until, errorOf } = world({ max: 1, acquireTimeoutMs: 3_000 })
    await until(pool.acquire())
    expect(await errorOf(pool.acquire())).toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
    expect(clock.now()).toBe(3_000)
  })

  test('with maxIdle 0 keeps no connection', async () => {
    const { clock, pool, server, until } = world({ maxIdle: 0 })
    await until(pool.use(() => {}))
    await clock.advance(0)
    expect(server.open).toBe(0)
  })

  test('closes all of its connections when it is closed', async () => {
    const { pool, server, until } = world({ min: 3 })
    await until(pool.ready())
    await until(pool.close())
    expect(server.open).toBe(0)
  })

  test('does not matter to another one', async () => {
    const one = world({ max: 1 })
    const two = world({ max: 1 })
    await one.until(one.pool.acquire())
    await two.until(two.pool.acquire())
    await one.until(one.pool.close({ drainTimeoutMs: 0 }))
    expect([one.server.open, two.server.open]).toEqual([0, 1])
  })
})

describe('a connection', () => {
  test('that died while idle is never lent', async () => {
    const { clock, pool, server, until } = world()
    await until(pool.use(() => {}))
    server.vanish(undefined, 'reset')
    await clock.advance(1_000)
    expect((await until(pool.acquire())).connection.id).toBe(2)
  })

  test('comes without the settings of who had it before, with reset full', async () => {
    const { pool, until, sent } = sqlWorld({ max: 1, reset: 'full' })
    await until(pool.use((lease) => lease.query('set language german')))
    await until(pool.use((lease) => lease.query('select 1')))
    expect(sent().slice(0, 3)).toEqual(['set language german', 'discard all', 'select 1'])
  })

  test('that came back in a transaction is rolled back before it is lent', async () => {
    const { pool, until, sent } = sqlWorld({ max: 1 })
    await until(pool.use((lease) => lease.begin()))
    await until(pool.query('select 1'))
    expect(sent()).toEqual(['begin', 'rollback', 'select 1'])
  })

  test('commits each statement by itself, unless it is within a transaction', async () => {
    const { clock, pool, until, sent } = sqlWorld()
    await until(pool.query('insert 1'))
    await until(pool.transaction((tx) => tx.query('insert 2')))
    await clock.advance(0)
    expect(sent()).toEqual(['insert 1', 'begin', 'insert 2', 'commit'])
  })

  test('may take connectTimeoutMs to be opened, then another attempt is made', async () => {
    const { clock, pool, server, until } = world({ connectTimeoutMs: 5_000 })
    server.next('connect', { never: true })
    await until(pool.acquire())
    expect(clock.now()).toBeGreaterThanOrEqual(5_000)
    expect(pool.stats()).toMatchObject({ connectFailed: 1, created: 1 })
  })

  test('is opened anew by no error of a statement, and replaced after one that lost it', async () => {
    const { clock, pool, server, until, errorOf } = sqlWorld({ max: 1 })
    const wrong = new FakeError('statement', 'no such table')
    server.next('query', { error: wrong })
    expect(await errorOf(pool.use((lease) => lease.query('select * from nothing')))).toBe(wrong)
    expect(pool.stats().created).toBe(1)
    server.next('query', { error: new FakeError('fatal', 'link failure') })
    const lost = await errorOf(pool.use((lease) => lease.query('select 1')))
    expect(lost).toMatchObject({ code: 'CONNECTION_LOST' })
    await clock.advance(0)
    expect((await until(pool.acquire())).connection.id).toBe(2)
  })
})

describe('a statement', () => {
  test('that takes longer than its timeoutMs is stopped', async () => {
    const { pool, server, errorOf } = sqlWorld()
    server.answer('wait', { takesMs: 60_000 })
    const late = pool.query('wait', [], { timeoutMs: 1_000 })
    expect(await errorOf(late)).toMatchObject({ code: 'QUERY_TIMEOUT', timeoutMs: 1_000 })
  })
})
