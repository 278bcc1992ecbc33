import { describe, expect, test } from 'vitest'
import { LeaseReleasedError } from '../../../src/contract/errors.ts'
import { fate, sqlWorld } from '../../support/world.ts'

describe('a SQL lease after its release', () => {
  test('starts no statement, not even while its connection is being reset', async () => {
    const { clock, pool, sent, errorOf } = sqlWorld({}, { server: { latencyMs: 10 } })
    const lease = await clock.until(pool.acquire())
    await clock.until(lease.begin())
    lease.release()
    expect(pool.stats().resetting).toBe(1)
    for (const use of [
      () => lease.query('insert into t values (1)'),
      () => lease.begin(),
      () => lease.commit(),
      () => lease.rollback(),
      () => lease.transaction(async () => {}),
      () => lease.stream('select 1')[Symbol.asyncIterator]().next(),
    ]) {
      expect(await errorOf(use())).toBeInstanceOf(LeaseReleasedError)
    }
    await clock.advance(100)
    expect(sent()).toEqual(['begin', 'rollback'])
  })

  test('keeps its promise to statements that were in flight, and to those behind them in the line', async () => {
    const { clock, pool, server } = sqlWorld({}, { server: { latencyMs: 10 } })
    server.answer('a', [{ a: 1 }]).answer('b', [{ b: 2 }])
    const lease = await clock.until(pool.acquire())
    const a = fate(lease.query('a'))
    const b = fate(lease.query('b'))
    lease.release()
    expect(pool.stats()).toMatchObject({ resetting: 1, idle: 0 })
    await clock.advance(50)
    expect(a.value?.rows).toEqual([{ a: 1 }])
    expect(b.value?.rows).toEqual([{ b: 2 }])
    expect(pool.stats()).toMatchObject({ resetting: 0, idle: 1 })
    expect(server.misuse).toEqual([])
  })

  test('waits at most resetTimeoutMs for them; then the connection is destroyed and they fail', async () => {
    const { clock, pool, server } = sqlWorld({ resetTimeoutMs: 100 })
    server.answer('slow', { takesMs: 10_000 })
    const lease = await clock.until(pool.acquire())
    const slow = fate(lease.query('slow'), clock)
    lease.release()
    await clock.advance(99)
    expect(slow.state).toBe('pending')
    await clock.advance(1)
    expect(slow.state).toBe('rejected')
    expect(pool.stats()).toMatchObject({ total: 0, closed: { dirty: 1 } })
  })

  test('is asked again when it is quiet: a statement in flight may leave a transaction open', async () => {
    const { clock, pool, server, sent } = sqlWorld({}, { server: { latencyMs: 10 } })
    const lease = await clock.until(pool.acquire())
    void lease.query('begin')
    lease.release()
    await clock.advance(100)
    expect(sent()).toEqual(['begin', 'rollback'])
    expect(server.connections[0]?.session.transaction).toBe('none')
    expect(pool.stats()).toMatchObject({ idle: 1 })
  })

  for (const reset of ['none', 'rollback'] as const) {
    test(`with reset "${reset}" a clean statement in flight does not cost the connection`, async () => {
      const { clock, pool, server } = sqlWorld({ reset }, { server: { latencyMs: 10 } })
      server.answer('late', [{ n: 1 }])
      const lease = await clock.until(pool.acquire())
      const late = fate(lease.query('late'))
      lease.release()
      await clock.advance(100)
      expect(late.value?.rows).toEqual([{ n: 1 }])
      expect(pool.stats()).toMatchObject({ idle: 1, closed: { dirty: 0 } })
    })
  }

  test('with reset "none" a transaction that is open when it is quiet costs the connection', async () => {
    const { clock, pool } = sqlWorld({ reset: 'none' }, { server: { latencyMs: 10 } })
    const lease = await clock.until(pool.acquire())
    const begun = fate(lease.query('begin'))
    lease.release()
    await clock.advance(100)
    expect(begun.state).toBe('resolved')
    expect(pool.stats()).toMatchObject({ total: 0, closed: { dirty: 1 } })
  })
})

describe('a lease that its transaction’s work releases', () => {
  test('fails the transaction, which is rolled back and not committed', async () => {
    const { clock, pool, sent, errorOf } = sqlWorld({}, { server: { latencyMs: 10 } })
    const lease = await clock.until(pool.acquire())
    const work = async (tx: { query(sql: string): Promise<unknown> }) => {
      await tx.query('select 1')
      lease.release()
    }
    const error = await errorOf(lease.transaction(work))
    expect(error).toBeInstanceOf(LeaseReleasedError)
    await clock.advance(100)
    expect(sent()).toEqual(['begin', 'select 1', 'rollback'])
    expect(pool.stats().idle).toBe(1)
  })
})

describe('statements of one lease', () => {
  test('run one after another, streams included, whatever the holder does at once', async () => {
    const { clock, pool, server } = sqlWorld({}, { server: { latencyMs: 10 } })
    server.answer(
      'numbers',
      Array.from({ length: 5 }, (_, n) => ({ n })),
    )
    const lease = await clock.until(pool.acquire())
    const all = async () => {
      const rows: unknown[] = []
      for await (const row of lease.stream('numbers', [], { batch: 2 })) rows.push(row)
      return rows
    }
    const first = all()
    const query = fate(lease.query('a'), clock)
    const second = all()
    const [rows, more] = await clock.until(Promise.all([first, second]))
    expect([rows.length, more.length]).toEqual([5, 5])
    expect(query.state).toBe('resolved')
    expect(server.misuse).toEqual([])
    lease.release()
    expect(pool.stats().idle).toBe(1)
  })

  test('a stream that is aborted while it waits for its turn sends nothing, and the line goes on', async () => {
    const { clock, pool, server, sent, errorOf } = sqlWorld({}, { server: { latencyMs: 10 } })
    const lease = await clock.until(pool.acquire())
    const controller = new AbortController()
    const first = fate(lease.query('first'), clock)
    const stream = lease.stream('numbers', [], { signal: controller.signal })[Symbol.asyncIterator]()
    const aborted = errorOf(stream.next())
    const last = fate(lease.query('last'))
    controller.abort(new Error('enough'))
    expect(await aborted).toMatchObject({ message: 'enough' })
    expect(first.state).toBe('pending')
    await clock.advance(100)
    expect(sent()).toEqual(['first', 'last'])
    expect(last.state).toBe('resolved')
    expect(server.misuse).toEqual([])
  })
})
