import { describe, expect, test } from 'vitest'
import { LeaseReleasedError } from '../../../src/contract/errors.ts'
import { FakeError } from '../../../src/testing/fake-error.ts'
import { fate, sqlWorld } from '../../support/world.ts'

describe('a session', () => {
  test('borrows nothing before its first statement', async () => {
    const { clock, pool, server } = sqlWorld()
    const session = pool.session()
    await clock.advance(100)
    expect(server.peak).toBe(0)
    await clock.until(session.close())
    expect(server.peak).toBe(0)
  })

  test('by default gives back after each statement outside a transaction, and at the end of a transaction', async () => {
    const { clock, pool, sent } = sqlWorld()
    const session = pool.session()
    await clock.until(session.query('a'))
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
    await clock.until(session.begin())
    await clock.until(session.query('b'))
    expect(pool.stats().leased).toBe(1)
    await clock.until(session.commit())
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
    expect(sent()).toEqual(['a', 'begin', 'b', 'commit'])
  })

  test('with release "close" keeps its connection until it is closed', async () => {
    const { clock, pool } = sqlWorld()
    const session = pool.session({ release: 'close' })
    await clock.until(session.query('a'))
    await clock.until(session.transaction((tx) => tx.query('b')))
    expect(pool.stats().leased).toBe(1)
    await clock.until(session.close())
    await clock.until(session.close())
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
  })

  test('with release "statement" has no begin, which would be lost, but transaction', async () => {
    const { clock, pool, errorOf } = sqlWorld()
    const session = pool.session({ release: 'statement' })
    expect(await errorOf(session.begin())).toMatchObject({ code: 'INVALID_OPTION' })
    await clock.until(session.transaction((tx) => tx.query('b')))
    await clock.advance(0)
    expect(pool.stats().leased).toBe(0)
  })

  test('closed in a transaction rolls it back', async () => {
    const { clock, pool, sent } = sqlWorld()
    const session = pool.session()
    await clock.until(session.begin())
    await clock.until(Promise.resolve(session[Symbol.asyncDispose]()))
    await clock.advance(0)
    expect(sent()).toEqual(['begin', 'rollback'])
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
  })

  test('refuses everything after its end', async () => {
    const { clock, pool, errorOf } = sqlWorld()
    const session = pool.session()
    await clock.until(session.close())
    for (const use of [
      () => session.query('x'),
      () => session.begin(),
      () => session.commit(),
      () => session.rollback(),
      () => session.transaction(async () => {}),
      () => session.stream('x')[Symbol.asyncIterator]().next(),
    ]) {
      expect(await errorOf(use())).toBeInstanceOf(LeaseReleasedError)
    }
    expect(pool.stats().acquired).toBe(0)
  })

  test('refuses a second transaction while one is open', async () => {
    const { clock, pool, errorOf } = sqlWorld()
    const session = pool.session()
    await clock.until(session.begin())
    expect(await errorOf(session.begin())).toMatchObject({ code: 'INVALID_OPTION' })
    expect(await errorOf(session.transaction(async () => {}))).toMatchObject({ code: 'INVALID_OPTION' })
    await clock.until(session.rollback())
    await clock.until(session.rollback())
    await clock.until(session.begin())
    await clock.until(session.close())
  })

  test('whose begin or commit fails gives the connection back', async () => {
    const { clock, pool, server, errorOf } = sqlWorld()
    const session = pool.session()
    server.next('begin', { error: new FakeError('statement', 'no') })
    await errorOf(session.begin())
    await clock.advance(0)
    expect(pool.stats().leased).toBe(0)
    await clock.until(session.begin())
    server.next('commit', { error: new FakeError('statement', 'deferred constraint') })
    await errorOf(session.commit())
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
  })

  test('shares one connection among statements that run at once, and gives it back with the last', async () => {
    const { clock, pool, server } = sqlWorld({}, { server: { latencyMs: 10 } })
    const session = pool.session()
    const all = ['a', 'b', 'c'].map((text) => fate(session.query(text)))
    await clock.advance(25)
    expect(all.map(({ state }) => state)).toEqual(['resolved', 'pending', 'pending'])
    expect(pool.stats().leased).toBe(1)
    await clock.advance(50)
    expect(all.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved'])
    expect(pool.stats()).toMatchObject({ leased: 0, total: 1 })
    expect(server.misuse).toEqual([])
  })

  test('that could not borrow tries again with the next statement', async () => {
    const { clock, pool, errorOf } = sqlWorld({ max: 1, acquireTimeoutMs: 10 })
    const lease = await clock.until(pool.acquire())
    const session = pool.session()
    const both = [session.query('a'), session.query('b')].map((query) => errorOf(query))
    expect((await Promise.all(both)).map((error) => (error as { code: string }).code)).toEqual(
      Array(2).fill('ACQUIRE_TIMEOUT'),
    )
    lease.release()
    await clock.until(session.query('c'))
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
  })

  test('streams, and gives back after the last row or an early end', async () => {
    const { clock, pool, server } = sqlWorld()
    server.answer('rows', [{ n: 1 }, { n: 2 }, { n: 3 }])
    const session = pool.session()
    const read = async (most: number) => {
      const rows: unknown[] = []
      for await (const row of session.stream('rows', [], { batch: 1 })) if (rows.push(row) === most) break
      return rows.length
    }
    expect(await clock.until(read(10))).toBe(3)
    expect(await clock.until(read(1))).toBe(1)
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
  })

  test('asks for what exists', () => {
    const { pool } = sqlWorld()
    expect(() => pool.session({ release: 'never' as never })).toThrow(/release/)
  })
})

describe('statements of a session that gives back early', () => {
  test('may not open a transaction behind its back', async () => {
    const { clock, pool, errorOf, sent } = sqlWorld()
    const session = pool.session()
    expect(await errorOf(session.query('begin'))).toMatchObject({ code: 'SESSION_STATEMENT' })
    await clock.until(session.begin())
    await clock.until(session.query('savepoint a'))
    await clock.until(session.rollback())
    expect(sent()).toEqual(['begin', 'savepoint a', 'rollback'])
    const own = pool.session({ release: 'close' })
    await clock.until(own.query('begin'))
    await clock.until(own.close())
  })

  test('may not leave a changed session to others', async () => {
    const { clock, pool, sent } = sqlWorld()
    await clock.until(pool.session().query("set search_path to 'a'"))
    await clock.advance(0)
    expect(sent()).toContain('discard all')
  })
})
