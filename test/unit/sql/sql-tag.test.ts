import { describe, expect, test } from 'vitest'
import { sql } from '../../../src/sql/statement.ts'
import { sqlWorld } from '../../support/world.ts'

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
