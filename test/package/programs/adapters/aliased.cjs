// Nobody changed a line: the bundler, or Jest, gives rockpool to whoever asks for pg-pool, and that is pg.
const assert = require('node:assert')
const { drizzle } = require('drizzle-orm/node-postgres')
const pg = require('pg')
const Pool = require('pg-pool')
const ours = require('rockpool/compat/pg-pool')
const { drizzles } = require('./checks.cjs')

async function aliased() {
  assert.strictEqual(Pool, ours)
  for (const Class of [pg.Pool, Pool]) {
    const pool = new Class({ connectionString: process.env.ROCKPOOL_PG_URL, max: 3 })
    assert(pool instanceof ours)
    await drizzles({ packages: { drizzle: { drizzle, sql: require('drizzle-orm').sql } } }, pool)
  }
}

module.exports = { aliased }
