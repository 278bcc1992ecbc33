// What TypeScript makes of `require`.
import mysql = require('rockpool/compat/mysql2')
import Pool = require('rockpool/compat/pg-pool')
import tarn = require('rockpool/compat/tarn')

const pool: Pool = new Pool({ max: 2 })
const client: Promise<Pool.PgPoolClient> = pool.connect()
const named: Pool.Pool = new Pool.Pool()

export const made: [Promise<Pool.PgPoolClient>, Pool.Pool, typeof tarn.Pool, typeof mysql.createPool] = [
  client,
  named,
  tarn.Pool,
  mysql.createPool,
]
