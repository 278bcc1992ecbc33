import assert from 'node:assert'

// The suite of SQLite has run with what the runtime brings along; here it runs with the package.
if (globalThis.process.versions.bun) {
  console.log('skipped: better-sqlite3 - Bun does not load it')
} else {
  process.env.ROCKPOOL_SQLITE = 'better-sqlite3'
  const { default: Database } = await import('better-sqlite3')
  const { createPool } = await import('rockpool')
  const { sqlite } = await import('rockpool/drivers/sqlite')
  const pool = createPool(sqlite('sqlite::memory:', { module: Database }))
  await pool.use(({ connection }) => assert(connection.native instanceof Database))
  await pool.close()
  await import('./sqlite.conformance.mjs')
}
