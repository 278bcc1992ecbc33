import { describe, expect, test } from 'vitest'
import { InvalidOptionError, SessionStatementError } from '../../../src/contract/errors.ts'
import { sqlWorld } from '../../support/world.ts'

describe('behind a pooler that lends by transaction', () => {
  test('no statement gets a name, however often it runs and whatever the call says', async () => {
    const { clock, pool, server } = sqlWorld({ pooler: 'transaction', max: 1 })
    server.answer('select $1', [{ one: 1 }])
    for (let i = 0; i < 8; i++) await clock.until(pool.query('select $1', [i]))
    await clock.until(pool.query('select $1', [9], { prepare: true }))
    const names = await clock.until(pool.use(({ connection }) => [...connection.prepared]))
    expect(names).toEqual([])
  })

  test('a statement that would change the session is refused before it is sent', async () => {
    const { clock, pool, sent, errorOf } = sqlWorld({ pooler: 'transaction' })
    for (const text of ['set work_mem = 1', 'create temp table t (id int)', 'select pg_advisory_lock(1)']) {
      expect(await errorOf(pool.query(text))).toBeInstanceOf(SessionStatementError)
    }
    await clock.advance(10)
    expect(sent()).toEqual([])
  })

  test('a full reset is impossible and says so at creation', () => {
    expect(() => sqlWorld({ pooler: 'transaction', reset: 'full' })).toThrow(InvalidOptionError)
  })
})
