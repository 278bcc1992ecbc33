// The same from CommonJS, and beside the ESM copy: errors of one are known to the other.
const assert = require('node:assert')
const { AcquireTimeoutError, createResourcePool } = require('rockpool')

const driver = { name: 'thing', connect: async () => ({}), close() {} }

async function main() {
  const pool = createResourcePool(driver, { max: 1, acquireTimeoutMs: 20 })
  const lease = await pool.acquire()
  const error = await pool.acquire().catch((reason) => reason)
  assert(error instanceof AcquireTimeoutError)
  assert(error instanceof (await import('rockpool')).AcquireTimeoutError)
  lease.release()
  assert.strictEqual((await pool.close()).closed, 1)
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
