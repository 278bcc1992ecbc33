import makeKnex from 'knex'
import pgModule from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { tarnPool } from '../../../src/compat/tarn/index.ts'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf } from '../support.ts'

// What the page says of Knex's own `connectionPool`.

const server = await startPostgres()

function open(config: object = {}) {
  const pool = createPool(pg(server.url(), { module: pgModule }), { max: 2 })
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  const knex = makeKnex({ client: 'pg', connectionPool: tarnPool(pool) as never, ...config })
  return { pool, knex }
}

test('statements and transactions run on the pool, and `destroy` leaves it open', async () => {
  const { pool, knex } = open()
  expect((await knex.raw('select 1 as n')).rows).toEqual([{ n: 1 }])
  expect(await knex.transaction(async (trx) => (await trx.raw('select 2 as n')).rows)).toEqual([{ n: 2 }])
  await knex.destroy()
  await eventually(() => expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 }))
  expect(pool.closed).toBe(false)
})

test('what Knex leaves out: searchPath, afterCreate, the version, the database, and cancels', async () => {
  let created = 0
  const { knex } = open({ searchPath: ['nowhere'], pool: { afterCreate: () => created++ } })
  expect((await knex.raw('show search_path')).rows).toEqual([{ search_path: '"$user", public' }])
  expect([created, knex.client.version, knex.client.database()]).toEqual([0, undefined, undefined])
  const error = await errorOf(knex.raw('select pg_sleep(1)').timeout(20, { cancel: true }))
  expect(error.message).toContain('cancelling of query failed')
})
