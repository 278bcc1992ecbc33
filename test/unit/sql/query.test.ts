import { describe, expect, test } from 'vitest'
import {
  AcquireTimeoutError,
  ConnectionLostError,
  QueryTimeoutError,
  SessionStatementError,
} from '../../../src/contract/errors.ts'
import { sql } from '../../../src/sql/statement.ts'
import { FakeError, fakeErrors } from '../../../src/testing/fake-error.ts'
import { fate, type Options, sqlWorld } from '../../support/world.ts'

const alone: Options = { multiplex: 'off' }

describe('pool.query', () => {
  test('lends a connection for one statement, and gives what the driver gave', async () => {
    const { clock, pool, server } = sqlWorld()
    server.answer('select $1', ({ params }) => ({ rows: [{ value: params[0] }], rowCount: 1 }))
    const result = await clock.until(pool.query<{ value: number }>('select $1', [7]))
    expect(result).toMatchObject({ rows: [{ value: 7 }], rowCount: 1, fields: [{ name: 'value' }] })
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 })
  })

  test('throws the driver’s own error object, untouched, and keeps the connection', async () => {
    const { pool, server, errorOf } = sqlWorld()
    const error = new FakeError('statement', 'no such table', { code: '42P01' })
    server.answer('select', error)
    expect(await errorOf(pool.query('select'))).toBe(error)
    expect(pool.stats()).toMatchObject({ idle: 1, total: 1 })
  })

  test('refuses what is no statement, and options that do not exist', async () => {
    const { pool, server, errorOf } = sqlWorld()
    for (const call of [
      () => pool.query(''),
      () => pool.query(' \n'),
      () => pool.query(null as never),
      () => pool.query({ text: 'select 1' } as never),
      () => pool.query('select $1', { a: 1 } as never),
      () => pool.query(sql`select ${1}`, [1]),
      () => pool.query('select 1', [], { timeout: 5 } as never),
      () => pool.query('select 1', [], { timeoutMs: 0 }),
      () => pool.query('select 1', [], { timeoutMs: '5' as never }),
      () => pool.query('select 1', [], { signal: 1 as never }),
      () => pool.query('select 1', [], { prepare: 'yes' as never }),
    ]) {
      expect(await errorOf(call())).toMatchObject({ code: 'INVALID_OPTION' })
    }
    expect(server.peak).toBe(0)
  })

  test('after close is refused', async () => {
    const { clock, pool, errorOf } = sqlWorld()
    await clock.until(pool.close())
    expect(await errorOf(pool.query('select 1'))).toMatchObject({ code: 'POOL_CLOSED' })
    expect(await errorOf(pool.transaction(async () => {}))).toMatchObject({ code: 'POOL_CLOSED' })
  })

  test('waits like everybody while the pool is suspended', async () => {
    const { clock, pool } = sqlWorld()
    pool.suspend()
    const waiting = fate(pool.query('select 1'))
    await clock.advance(100)
    expect(waiting.state).toBe('pending')
    pool.resume()
    await clock.advance(0)
    expect(waiting.state).toBe('resolved')
  })
})

describe('statements that need a session of their own', () => {
  for (const text of [
    'BEGIN',
    'begin isolation level serializable',
    'start transaction',
    'commit',
    'END',
    'rollback',
    'savepoint a',
    'listen orders',
    'declare c cursor for select 1',
    'lock table t',
    '-- a comment\n  /* and another */ begin',
  ]) {
    test(`are refused through pool.query: ${JSON.stringify(text)}`, async () => {
      const { pool, server, errorOf } = sqlWorld()
      const error = await errorOf(pool.query(text))
      expect(error).toBeInstanceOf(SessionStatementError)
      expect(error).toMatchObject({ code: 'SESSION_STATEMENT' })
      expect((error as Error).message).toMatch(/pool\.(use|transaction)\(\)/)
      expect(server.peak).toBe(0)
    })
  }

  test('are refused through pool.stream as well', async () => {
    const { pool, errorOf } = sqlWorld()
    const first = pool.stream('begin')[Symbol.asyncIterator]().next()
    expect(await errorOf(first)).toBeInstanceOf(SessionStatementError)
  })

  test('look alike, but are none', async () => {
    const { clock, pool } = sqlWorld()
    for (const text of [
      'select begin',
      'beginning',
      'select 1 -- begin',
      'ended',
      'BEGIN DBMS_OUTPUT.ENABLE; END;',
    ])
      await clock.until(pool.query(text))
  })
})

describe('statements that change the session', () => {
  for (const text of [
    "set search_path to 'a'",
    'prepare p as select 1',
    'do $$ begin end $$',
    'call p()',
    'create temporary table t (id int)',
    "select set_config('a', 'b', false)",
    'select pg_advisory_lock(1)',
  ]) {
    test(`cost a full reset before the next one: ${JSON.stringify(text)}`, async () => {
      const { clock, pool, sent } = sqlWorld({}, { server: { latencyMs: 5 } })
      await clock.until(pool.query(text))
      await clock.until(pool.query('select 1'))
      expect(sent()).toEqual([text, 'discard all', 'select 1'])
    })
  }

  test('run onConnect again', async () => {
    let connected = 0
    const { clock, pool } = sqlWorld({ onConnect: () => void connected++ })
    await clock.until(pool.query('set a to 1'))
    await clock.until(pool.query('select 1'))
    expect(connected).toBe(2)
  })

  test('cost a driver without reset the connection', async () => {
    const { clock, pool, server } = sqlWorld({}, { driver: { without: ['reset'] } })
    await clock.until(pool.query('set a to 1'))
    await clock.advance(0)
    expect(server.open).toBe(0)
    expect(pool.stats().closed.dirty).toBe(1)
  })

  test('count through pool.stream too', async () => {
    const { clock, pool, sent } = sqlWorld()
    const read = async () => {
      for await (const _ of pool.stream("select set_config('a', 'b', false)"));
    }
    await clock.until(read())
    await clock.advance(0)
    expect(sent()).toContain('discard all')
  })
})

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

describe('a lost connection', () => {
  test('is CONNECTION_LOST with the driver’s error as cause; whether the statement ran, nobody knows', async () => {
    const { clock, pool, server } = sqlWorld(alone, { server: { latencyMs: 10 } })
    server.answer('slow', { takesMs: 1000 })
    const slow = fate(pool.query('slow'))
    await clock.advance(50)
    const killed = fakeErrors.killed()
    server.kill(undefined, killed)
    await clock.advance(50)
    expect(slow.error).toBeInstanceOf(ConnectionLostError)
    expect(slow.error).toMatchObject({ code: 'CONNECTION_LOST', executed: 'unknown', cause: killed })
    expect(pool.stats()).toMatchObject({ total: 0, closed: { lost: 1 } })
  })

  test('found out by a statement’s error ends the lease, also where the driver did not notice itself', async () => {
    const { clock, pool, server, errorOf } = sqlWorld({}, { driver: { without: ['onLost'] } })
    const lease = await clock.until(pool.acquire())
    server.vanish(undefined, 'reset')
    expect(await errorOf(lease.query('x'))).toMatchObject({ code: 'CONNECTION_LOST', executed: 'unknown' })
    expect(await errorOf(lease.query('y'))).toMatchObject({ code: 'CONNECTION_LOST', executed: 'no' })
    lease.release()
    expect(pool.stats().leased).toBe(0)
  })

  test('lets an idempotent statement run again, until its deadline', async () => {
    const { clock, pool, server, errorOf } = sqlWorld(alone, { server: { latencyMs: 10 } })
    server.answer('slow', { takesMs: 100, rows: [{ n: 1 }] })
    const again = fate(pool.query('slow', [], { idempotent: true }))
    const once = fate(pool.query('slow'))
    await clock.advance(50)
    server.kill()
    await clock.advance(500)
    expect(again.value?.rows).toEqual([{ n: 1 }])
    expect(once.error).toMatchObject({ code: 'CONNECTION_LOST' })
    server.always('query', () => {
      server.kill()
      return undefined
    })
    const error = await errorOf(pool.query('slow', [], { idempotent: true, timeoutMs: 700 }))
    expect(['CONNECTION_LOST', 'ACQUIRE_TIMEOUT', 'QUERY_TIMEOUT']).toContain(
      (error as { code: string }).code,
    )
    expect(clock.now()).toBeLessThan(1500)
  })
})

describe('a server that was demoted', () => {
  test('is asked on that connection; then the generation moves on, at most once a second', async () => {
    const { clock, pool, server, asked } = sqlWorld(alone)
    const leases = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    for (const lease of leases) lease.release()
    server.demote()
    const failed = [
      fate(pool.query('insert into t values (1)')),
      fate(pool.query('insert into t values (2)')),
    ]
    await clock.advance(10)
    expect(failed.map(({ error }) => (error as FakeError).code)).toEqual(['READ_ONLY', 'READ_ONLY'])
    expect(asked('confirmStale').length).toBeGreaterThan(0)
    expect(pool.stats()).toMatchObject({ total: 0, closed: { stale: 2 } })
    await clock.until(pool.query('insert into t values (3)'))
  })

  test('is not believed to be when it says no: a write in the user’s own read-only transaction', async () => {
    const { clock, pool, server, errorOf } = sqlWorld(alone)
    server.always('confirmStale', { says: false })
    const work = pool.transaction((tx) => tx.query('insert into t values (1)'), { readOnly: true })
    expect(await errorOf(work)).toMatchObject({ code: 'READ_ONLY' })
    await clock.advance(10)
    expect(pool.stats()).toMatchObject({ idle: 1, closed: { stale: 0 } })
  })
})

describe('the sql tag', () => {
  test('sends values apart from the text, in the driver’s placeholders, and nests', async () => {
    const { clock, pool, server } = sqlWorld({ multiplex: 'off' })
    const seen: unknown[] = []
    server.answer(/./, ({ sql: text, params }) => {
      seen.push([text, params])
      return []
    })
    const only = sql`where id = ${7} and name = ${"x' or 1=1"}`
    await clock.until(pool.query(sql`select * from t ${only} limit ${3}`))
    await clock.until(pool.query(sql`select 1`))
    expect(seen).toEqual([
      ['select * from t where id = $1 and name = $2 limit $3', [7, "x' or 1=1", 3]],
      ['select 1', []],
    ])
  })

  test('uses ? where the driver says nothing else', async () => {
    const { clock, pool, sent } = sqlWorld({}, { driver: { without: ['placeholder'] } })
    await clock.until(pool.query(sql`a ${1} b ${2}`))
    expect(sent()).toEqual(['a ? b ?'])
  })

  test('on a lease and in a transaction as well', async () => {
    const { clock, pool, sent } = sqlWorld()
    await clock.until(pool.use((lease) => lease.query(sql`a ${1}`)))
    await clock.until(pool.transaction((tx) => tx.query(sql`b ${1}`)))
    expect(sent()).toEqual(['a $1', 'begin', 'b $1', 'commit'])
  })
})
