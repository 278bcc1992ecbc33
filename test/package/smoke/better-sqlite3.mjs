import assert from 'node:assert'
import Database from 'better-sqlite3'
import { createPool } from 'rockpool'
import { sqlite } from 'rockpool/drivers/sqlite'

const pool = createPool(sqlite('sqlite::memory:', { module: Database }))
await pool.use(({ connection }) => assert(connection.native instanceof Database))
await pool.close()

// The suite of SQLite has run with what the runtime brings along; here it runs with the package.
process.env.ROCKPOOL_SQLITE = 'better-sqlite3'
await import('./sqlite.conformance.mjs')
