import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { type OdbcConnection, type OdbcModule, odbc } from '../../../src/drivers/odbc/index.ts'
import { startTdsServer } from '../../../src/testing/index.ts'
import { loadOdbc, problemWith } from '../../support/odbc.ts'
import { needs } from '../../support/skip.ts'

const problem = problemWith('FreeTDS')
needs(problem === undefined, problem ?? '')

const LEVEL = 'select transaction_isolation_level as n from sys.dm_exec_sessions where session_id = @@spid'

const server = problem === undefined ? await startTdsServer() : undefined
let module: OdbcModule<OdbcConnection>
beforeAll(async () => {
  if (problem === undefined) module = await loadOdbc()
}, 120_000)
afterAll(() => server?.close())

function open() {
  const connectionString = `Driver={FreeTDS};Server=${server?.host};Port=${server?.port};Uid=sa;Pwd=secret;TDS_Version=7.4;Encryption=off`
  return createPool(odbc({ connectionString, family: 'sqlserver' }, { module }), { max: 1 })
}

test('the isolation of a transaction does not outlive it', async () => {
  await using pool = open()
  const level = async () => Number((await pool.query(LEVEL)).rows[0]?.n)
  expect(await level()).toBe(2)
  await pool.transaction((tx) => tx.query('select 1 as a'), { isolation: 'serializable' })
  expect(await level()).toBe(2)
  await pool
    .transaction(() => Promise.reject(new Error('no')), { isolation: 'serializable' })
    .catch(() => undefined)
  expect(await level()).toBe(2)
  expect(pool.stats().created).toBe(1)
})
