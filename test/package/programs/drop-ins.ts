// A drop-in has the types of its original, in every module system.
import pgModule from 'pg'
import PgPool, {
  type Config,
  type PgPoolClient,
  type PgPoolOptions,
  Pool,
  pgPool,
} from 'rockpool/compat/pg-pool'

const options: PgPoolOptions = { max: 2, idleTimeoutMillis: null }
const pool: PgPool = new PgPool(options, pgModule.Client)
const named: Pool = new Pool()

export const taken: pgModule.Pool[] = [pool, named]

class Tagged extends pgModule.Client {
  readonly tag = 'mine'
}

const config: PgPool.Config<Tagged> = { max: 2, Client: Tagged }
const tagged: Pool<Tagged> = new PgPool(config)
const same: Config<Tagged> = config

export async function tag(): Promise<'mine'> {
  const client: Tagged & pgModule.PoolClient = await tagged.connect()
  client.release()
  const wider: Pool<pgModule.Client> = tagged
  return (await new Pool<Tagged>(same).connect()).tag ?? wider.ended
}

export async function counted(): Promise<number> {
  const client: PgPoolClient = await pool.connect()
  const same: pgModule.PoolClient = client
  same.release()
  const { rows } = await pool.query<{ n: number }>('select 1 as n')
  return rows[0]?.n ?? pgPool.length
}
