import assert from 'node:assert'
import pgModule from 'pg'
import { createPool } from 'rockpool'
import { pg } from 'rockpool/drivers/pg'

const url = process.env.ROCKPOOL_PG_URL
const found = createPool(url, { max: 3 })
const given = createPool(pg(url, { module: pgModule }), { max: 3 })

for (const pool of [found, given]) {
  const sums = await Promise.all(
    Array.from({ length: 20 }, (_, n) => pool.query('select $1::int + 1 as n', [n])),
  )
  assert.deepStrictEqual(
    sums.map(({ rows }) => rows[0].n),
    Array.from({ length: 20 }, (_, n) => n + 1),
  )
  assert(pool.stats().created <= 3)

  await assert.rejects(
    pool.transaction((tx) => tx.query('select 1 / 0')),
    /division by zero/,
  )
  const late = pool.query('select pg_sleep(5)', [], { timeoutMs: 100 })
  await assert.rejects(late, (error) => error.code === 'QUERY_TIMEOUT')

  let rows = 0
  for await (const row of pool.stream('select n from generate_series(1, 250) as n', [], { batch: 100 }))
    rows += row.n > 0
  assert.strictEqual(rows, 250)

  await pool.use(async (lease) => {
    const { rows: own } = await lease.query('select pg_backend_pid() as pid')
    await pool.query('select pg_terminate_backend($1)', [own[0].pid])
    await assert.rejects(lease.query('select 1'))
  })
  assert.strictEqual((await pool.query('select 1 as one')).rows[0].one, 1)
  const report = await pool.close()
  assert.strictEqual(report.destroyed, 0)
}
