import { expect, test } from 'vitest'
import { read } from '../../house/files.ts'
import { startPostgres } from '../../support/postgres.ts'
import { cast, performed } from './stage.ts'
import { type Row, tableOf, withoutRates } from './table.ts'

// Each ORM on its own pool and on rockpool, each in a process of its own: what crashes or hangs there is a result.

const DOCUMENT = 'docs/orm/README.md'
const server = await startPostgres()
// By title: whoever has a second try has one row.
const rows = new Map<string, Row>()

test.each(cast.map((one) => [one.title, one] as const))(
  '%s',
  async (title, one) => {
    const [theirs, ours] = await Promise.all([
      performed(server, one, 'theirs'),
      performed(server, one, 'ours'),
    ])
    rows.set(title, { title, theirs, ours })
    expect(ours.get('end')).toBeUndefined()
    const told = [...ours.values()].join('\n')
    expect(told).not.toMatch(/crashes|hangs|of 5 connections lost|spread|\d left open|for ever/)
    expect(told).toContain('an error with numbers')
  },
  300_000,
)

test(`the table in ${DOCUMENT} is what was seen`, () => {
  const [, table = ''] = /<!-- scenario -->\s*([\s\S]*?)\s*<!-- \/scenario -->/.exec(read(DOCUMENT)) ?? []
  expect(withoutRates(table)).toBe(withoutRates(tableOf([...rows.values()])))
})
