import { describe, expect, test } from 'vitest'
import { SessionStatementError } from '../../../src/contract/errors.ts'
import { sqlWorld } from '../../support/world.ts'

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
