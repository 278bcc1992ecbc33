import { describe, expect, test } from 'vitest'
import { sql } from '../../../src/sql/statement.ts'
import { FakeError } from '../../../src/testing/fake-error.ts'
import { fate, sqlWorld } from '../../support/world.ts'

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
