// A drop-in has the types of its original, in every module system.
import pgModule from 'pg'
import PgPool, { type PgPoolClient, type PgPoolOptions, Pool, pgPool } from 'rockpool/compat/pg-pool'

const options: PgPoolOptions = { max: 2, idleTimeoutMillis: null }
const pool: PgPool = new PgPool(options, pgModule.Client)
const named: Pool = new Pool()

export const taken: pgModule.Pool[] = [pool, named]

export async function counted(): Promise<number> {
  const client: PgPoolClient = await pool.connect()
  const same: pgModule.PoolClient = client
  same.release()
  const { rows } = await pool.query<{ n: number }>('select 1 as n')
  return rows[0]?.n ?? pgPool.length
}
