import pg, { type Client, type PoolClient, type QueryResult } from 'pg'
import OriginalPool from 'pg-pool'
import Pool, { Pool as Named, type PgPoolClient } from '../../src/compat/pg-pool/index.ts'

declare function test(name: string, body: () => unknown): void

class Tagged extends pg.Client {
  readonly tag = 'mine'
}

interface Row {
  a: number
}

const config: Pool.Config<Client> = { max: 2, Client: pg.Client }

test('the class of the clients is a parameter of the pool, as with pg-pool', async () => {
  const pool: Pool<Client> = new Pool<Client>(config)
  const client: Client & PoolClient = await pool.connect()
  pool.connect((error, lent, done) => [error, lent?.escapeLiteral('x'), done(true)])
  const named: Named<Client> = new Named<Client>({ max: 2 }, pg.Client)
  const untold: Pool<Client> = new Pool()
  return [client, named, untold]
})

test('what the clients are is known from their class', async () => {
  const byOption = await new Pool({ Client: Tagged }).connect()
  const byArgument = await new Pool({ max: 1 }, Tagged).connect()
  const tags: 'mine'[] = [byOption.tag, byArgument.tag]
  // @ts-expect-error clients of pg have none
  const none = (await new Pool({ Client: pg.Client }).connect()).tag
  // @ts-expect-error nothing is known of them
  const unknown = (await new Pool().connect()).tag
  return [tags, none, unknown]
})

test('a pool of whatever clients goes where a pool is wanted', () => {
  const pool = new Pool<Tagged>()
  const wider: Pool<Client> = pool
  const any: Pool = pool
  const ofPg: pg.Pool = pool
  const original: OriginalPool<Client> = pool
  // @ts-expect-error the clients of any pool are not tagged
  const narrower: Pool<Tagged> = any
  return [wider, ofPg, original, narrower]
})

test("types of pg-pool's are found in the class", () => {
  const theirs: OriginalPool.Config<Client> = { max: 2, Client: pg.Client }
  const ours: Pool.Config<Client> = theirs
  const Class: Pool.ClientLikeCtr<Client> = pg.Client
  const ofPg: pg.PoolConfig = { host: 'x', Client: pg.Client }
  return [new Pool(ours, Class), new Pool<Client>(theirs), new Named(ofPg), new OriginalPool(theirs)]
})

test('a subclass keeps the parameter', async () => {
  class Mine<T extends Client> extends Pool<T> {
    override connect(): Promise<T & PgPoolClient>
    override connect(callback: (error?: Error, client?: T & PgPoolClient, done?: () => void) => void): void
    override connect(callback?: (error?: Error) => void): Promise<T & PgPoolClient> | undefined {
      if (callback === undefined) return super.connect()
      super.connect(callback)
      return undefined
    }
  }
  return (await new Mine<Tagged>().connect()).tag
})

test('the types of a row and of its values are given as to pg', async () => {
  const pool = new Pool<Client>()
  const found: QueryResult<Row> = await pool.query<Row, [number]>('select $1 as a', [1])
  const prepared = await pool.query<Row, number[]>({ name: 'x', text: 'select $1 as a', values: [1] })
  const client = await pool.connect()
  const again: QueryResult<Row> = await client.query<Row, [number]>('select $1 as a', [1])
  pool.query<Row, [number]>('select $1 as a', [1], (_, result) => result.rows[0]?.a)
  // @ts-expect-error one value alone
  pool.query('select $1 as a', 1)
  return [found, prepared.rows[0]?.a, again]
})

test('listeners are those of pg-pool', () =>
  new Pool<Client>()
    .on('error', (error: Error, client: PoolClient) => [error, client.host])
    .on('connect', (client: PoolClient) => client.query('select 1')))
