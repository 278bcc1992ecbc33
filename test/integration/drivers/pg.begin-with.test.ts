import { expect, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { startPostgres } from '../../support/postgres.ts'

// BEGIN and the first statement of a transaction in one flight.

const server = await startPostgres()
const onePool = () => createPool(pg(server.url()), { max: 1 })

test('a transaction that begins with its first statement gives its rows, and is one', async () => {
  const pool = onePool()
  const work = await pool.transaction(async (tx) => {
    const first = await tx.query('select pg_current_xact_id()::text as id, $1::int as n', [7])
    const second = await tx.query('select pg_current_xact_id()::text as id')
    return { first: first.rows[0], second: second.rows[0], command: first.command, count: first.rowCount }
  })
  expect(work.first).toEqual({ ...work.second, n: 7 })
  expect(work).toMatchObject({ command: 'SELECT', count: 1 })
  await pool.close()
})

test.each([
  ['has a semicolon at its end', 'select 1 as one;', { one: 1 }],
  ['is several in one text', 'select 1; select 2 as two', { two: 2 }],
  ['is a comment alone', '-- nothing', undefined],
])('the first statement may be one that %s', async (_, text, row) => {
  const pool = onePool()
  const { rows } = await pool.transaction((tx) => tx.query(text))
  expect(rows[0]).toEqual(row)
  expect(pool.stats()).toMatchObject({ idle: 1, leased: 0, created: 1 })
  await pool.close()
})

test.each([
  ['cannot be parsed', 'selec 1', '42601'],
  ['cannot be run', 'select 1 / 0', '22012'],
])(
  'a first statement that %s fails as itself; the transaction is undone, the connection is kept',
  async (_, text, code) => {
    const pool = onePool()
    await expect(pool.transaction((tx) => tx.query(text))).rejects.toMatchObject({ code })
    const { rows } = await pool.query('select 1 as one')
    expect(rows).toEqual([{ one: 1 }])
    expect(pool.stats()).toMatchObject({ created: 1, total: 1 })
    await pool.close()
  },
)

test('a first statement whose parse fails under a name can be used again when it is mended', async () => {
  const pool = onePool()
  const look = (prepare: boolean) =>
    pool.transaction((tx) => tx.query('select n from late where n = $1', [1], { prepare }))
  await expect(look(true)).rejects.toMatchObject({ code: '42P01' })
  await pool.query('create table late (n int)')
  await expect(look(true)).resolves.toMatchObject({ rows: [] })
  await expect(look(true)).resolves.toMatchObject({ rows: [] })
  await pool.query('drop table late')
  await pool.close()
})

test('what was asked of BEGIN holds for the first statement', async () => {
  const pool = onePool()
  const write = pool.transaction((tx) => tx.query('create table never (n int)'), { readOnly: true })
  await expect(write).rejects.toMatchObject({ code: '25006' })
  const { rows } = await pool.transaction((tx) => tx.query('show transaction_isolation'), {
    isolation: 'repeatable read',
  })
  expect(rows).toEqual([{ transaction_isolation: 'repeatable read' }])
  await pool.close()
})
