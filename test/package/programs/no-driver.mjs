// Nobody installed pg: making the pool is fine, using it says what is missing and how to get it.
import assert from 'node:assert'
import { createPool } from 'rockpool'

const pool = createPool('postgres://localhost/db')
await assert.rejects(pool.query('select 1'), (error) => {
  assert.strictEqual(error.code, 'DRIVER_MISSING')
  assert.match(error.message, /npm (i|install) pg/)
  return true
})
await pool.close()
