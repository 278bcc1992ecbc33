const assert = require('node:assert')
const pgModule = require('pg')
const { createPool } = require('rockpool')
const { pg } = require('rockpool/drivers/pg')

async function main() {
  const url = 'postgres://user:secret@127.0.0.1:1/db'
  const options = { acquireTimeoutMs: 200 }
  for (const pool of [createPool(url, options), createPool(pg(url, { module: pgModule }), options)]) {
    const error = await pool.query('select 1').catch((reason) => reason)
    assert.strictEqual(error.code, 'ACQUIRE_TIMEOUT')
    await pool.close()
  }
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
