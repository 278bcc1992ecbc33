import { drizzle } from 'drizzle-orm/node-postgres'
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely'
import pg from 'pg'
import type OriginalPool from 'pg-pool'
import Pool, { type PgPoolClient, type PgPoolOptions, pgPool } from '../../src/compat/pg-pool/index.ts'
import { pg as pgDriver } from '../../src/drivers/pg/index.ts'
import { createPool } from '../../src/index.ts'

declare function test(name: string, body: () => unknown): void

const pool = new Pool({ connectionString: 'postgres://localhost/db', max: 3 })

test('it goes where pg.Pool is wanted', () => {
  const asPool: pg.Pool = pool
  const around: pg.Pool = pgPool(createPool(pgDriver(undefined, { module: pg })), { pg, ownsPool: true })
  const untyped: pg.Pool = pgPool(createPool('postgres://localhost/db'))
  return [asPool, around, untyped]
})

test('its client goes where pg.PoolClient is wanted', async () => {
  const client: PgPoolClient = await pool.connect()
  const asPoolClient: pg.PoolClient = client
  const asClient: pg.Client = client
  const asBase: pg.ClientBase = client
  return [asPoolClient, asClient, asBase]
})

test('Kysely and Drizzle take it', () => {
  const kysely: PostgresPool = pool
  const dialect = new PostgresDialect({ pool })
  return [kysely, new Kysely({ dialect }), drizzle(pool), drizzle({ client: pool })]
})

test("pg-pool's own options fit", () => {
  const theirs: OriginalPool.Config<pg.Client> = {
    max: 3,
    idleTimeoutMillis: null,
    Client: pg.Client,
    ssl: { ca: 'x' },
  }
  const poolConfig: pg.PoolConfig = {
    host: 'x',
    password: async () => 'x',
    onConnect: (client) => client.query('x'),
  }
  const ours: PgPoolOptions = {
    ...poolConfig,
    verify: (client, done) => done(client.processID ? undefined : new Error()),
  }
  return [new Pool(theirs), new Pool(poolConfig), new Pool(ours, pg.Client), new Pool({ pg })]
})

test('rows may be typed', async () => {
  const loose = await pool.query('select 1 as a')
  const a: number = loose.rows[0].a
  const typed = await pool.query<{ a: number }>('select 1 as a', [1])
  const b: number | undefined = typed.rows[0]?.a
  const arrays = await pool.query<[number]>({ text: 'select 1', rowMode: 'array' })
  const c: number | undefined = arrays.rows[0]?.[0]
  pool.query('select 1', (error: Error, result: pg.QueryResult) => [error, result.rows])
  pool.query('select $1', [1], (_, result) => result.rowCount)
  pool.connect((error, client, done) => [error, client?.processID, done(true)])
  // @ts-expect-error there is no such option
  new Pool({ maximum: 3 })
  return [a, b, c]
})
