// Pools something that is no database, as the contract alone describes it.
import assert from 'node:assert'
import {
  AcquireTimeoutError,
  createResourcePool,
  LeaseReleasedError,
  PoolClosedError,
  PoolError,
} from 'rockpool'

let opened = 0
let closed = 0
const driver = {
  name: 'thing',
  connect: async () => ({ id: ++opened }),
  close: () => {
    closed++
  },
}

const pool = createResourcePool(driver, { max: 2, acquireTimeoutMs: 50 })
assert.strictEqual(await pool.use((lease) => lease.connection.id), 1)

const first = await pool.acquire()
const second = await pool.acquire()
await assert.rejects(pool.acquire(), (error) => {
  assert(error instanceof AcquireTimeoutError && error instanceof PoolError)
  assert.strictEqual(error.code, 'ACQUIRE_TIMEOUT')
  return true
})
assert.strictEqual(pool.stats().leased, 2)
first.release()
assert.throws(() => first.release(), LeaseReleasedError)
second.release()

const report = await pool.close()
assert.strictEqual(report.closed, 2)
assert.strictEqual(closed, 2)
await assert.rejects(pool.acquire(), PoolClosedError)
