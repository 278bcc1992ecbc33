import pgModule from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import type { RowForm } from '../../../src/contract/sql-driver.ts'
import { createPool, type PoolOptions, type SqlText } from '../../../src/index.ts'
import { FormedStatement } from '../../../src/sql/statement.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { ask, startPostgres } from '../../support/postgres.ts'

// What ORMs ask for with a statement of theirs: rows as arrays, values read by parsers of their own.

const server = await startPostgres()

const asTold = { getTypeParser: () => (value: string) => `told ${value}` }
const asPgDoes = { getTypeParser: pgModule.types.getTypeParser }
const FORMS: readonly (readonly [string, RowForm])[] = [
  ['arrays', { rowMode: 'array' }],
  ['types of its own', { types: asTold }],
  ['arrays of its own types', { rowMode: 'array', types: asTold }],
  ['the usual types', { types: asPgDoes as NonNullable<RowForm['types']> }],
  ['no form', {}],
]
const TEXT = `select n, n + $1::int as n, null as a, 'x' as "__proto__", '{1,2}'::int[] as b from generate_series(1, 2) n`

function open(options: PoolOptions<unknown> = {}) {
  const pool = createPool(server.url(), { max: 1, ...options })
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  const formed = (text: string, params: readonly unknown[], form: RowForm) =>
    new FormedStatement(text, params, form) as unknown as SqlText
  return { pool, formed }
}

test.each(FORMS)('%s: rows are those that pg itself would have given, prepared ones too', async (_, form) => {
  const { pool, formed } = open()
  const plain = new pgModule.Client(server.url())
  await plain.connect()
  onTestFinished(() => plain.end())
  const { rows } = await plain.query({ text: TEXT, values: [1], ...form } as pgModule.QueryConfig)
  for (let use = 1; use <= 8; use++) expect((await pool.query(formed(TEXT, [1], form))).rows).toEqual(rows)
})

test('statements that share a connection are each read in the form of their own', async () => {
  // No time goes by: on a busy machine reads may look too slow to share.
  const { pool, formed } = open({ clock: new VirtualClock() })
  const text = 'select $1::int as n'
  for (let use = 0; use < 8; use++) await pool.query(text, [use])
  const crowd = Array.from({ length: 30 }, (_, n) =>
    n % 2 === 0 ? pool.query(text, [n]) : pool.query(formed(text, [n], { rowMode: 'array', types: asTold })),
  )
  const rows = (await Promise.all(crowd)).map((result) => result.rows[0])
  expect(rows).toEqual(Array.from({ length: 30 }, (_, n) => (n % 2 === 0 ? { n } : [`told ${n}`])))
})

test('a plan that is no longer valid is replaced, and the form stays', async () => {
  const { pool, formed } = open()
  await ask(server, 'create table growing (a int); insert into growing values (1)')
  const read = async () => (await pool.query(formed('select * from growing where a = $1', [1], FORM))).rows
  const FORM = { rowMode: 'array', types: asTold }
  for (let use = 0; use < 8; use++) expect(await read()).toEqual([['told 1']])
  await ask(server, 'alter table growing add b int default 2')
  for (let use = 0; use < 8; use++) expect(await read()).toEqual([['told 1', 'told 2']])
})

test('a parser that throws fails its statement, and no other', async () => {
  const { pool, formed } = open()
  const types = {
    getTypeParser: () => () => {
      throw new RangeError('unreadable')
    },
  }
  await expect(pool.query(formed('select 1 as n', [], { types }))).rejects.toThrow(
    new RangeError('unreadable'),
  )
  expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
})

test('a lease reads in a form as well', async () => {
  const { pool, formed } = open()
  const rows = await pool.use(
    async (lease) => (await lease.query(formed(TEXT, [1], { rowMode: 'array' }))).rows,
  )
  expect(rows).toEqual([
    [1, 2, null, 'x', [1, 2]],
    [2, 3, null, 'x', [1, 2]],
  ])
})
