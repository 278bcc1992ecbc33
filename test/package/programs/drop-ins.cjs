// A drop-in has under require the form that its original has, and a name that survives minifying.
const assert = require('node:assert')
const Pool = require('rockpool/compat/pg-pool')

assert.strictEqual(typeof Pool, 'function')
assert.strictEqual(Pool.default, Pool)
assert.strictEqual(Pool.Pool, Pool)
assert.deepStrictEqual(Object.keys(Pool), [])

async function main() {
  const pool = new Pool({ port: 1, max: 3, connectionTimeoutMillis: 10_000 })
  assert(Object.getPrototypeOf(pool).constructor.name.includes('Pool'))
  assert.strictEqual((await pool.query('select 1').catch((reason) => reason)).code, 'ECONNREFUSED')
  await pool.end()
  // ESM has the same names.
  const esm = await import('rockpool/compat/pg-pool')
  const names = ['PgPool', 'Pool', 'default', 'pgPool']
  assert.deepStrictEqual(
    Object.keys(esm)
      .filter((name) => names.includes(name))
      .sort(),
    names,
  )
  assert(names.every((name) => typeof Pool[name] === 'function'))
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
