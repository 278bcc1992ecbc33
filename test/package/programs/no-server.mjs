// pg is here, a server is not: found by its URL, and passed by the user.
import assert from 'node:assert'
import pgModule from 'pg'
import { createPool } from 'rockpool'
import { pg } from 'rockpool/drivers/pg'

const url = 'postgres://user:secret@127.0.0.1:1/db'
// Long enough to load a driver and to be refused, also on a busy machine.
const options = { acquireTimeoutMs: 2_500 }
for (const pool of [
  createPool(url, options),
  createPool(pg({ connectionString: url }, { module: pgModule }), options),
]) {
  await assert.rejects(pool.query('select 1'), (error) => {
    assert.strictEqual(error.code, 'ACQUIRE_TIMEOUT')
    assert.match(String(error.cause?.message ?? error.cause), /ECONNREFUSED/)
    assert.doesNotMatch(String(error.stack), /secret/)
    return true
  })
  await pool.close()
}
