import type { EventEmitter } from 'node:events'
import { inspect } from 'node:util'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import pgPromise from 'pg-promise'
import { expect, onTestFinished, test } from 'vitest'
import Pool, { type AroundOptions, pgPool } from '../../../src/compat/pg-pool/index.ts'
import { pg as pgDriver } from '../../../src/drivers/pg/index.ts'
import { createPool } from '../../../src/index.ts'
import { ask, eventually, startPostgres, startSilentServer } from '../../support/postgres.ts'

const server = await startPostgres()

function around(options: AroundOptions = {}, max = 3) {
  const pool = createPool(pgDriver(server.url(), { module: pg }), { max })
  onTestFinished(() => void pool.close({ drainTimeoutMs: 0 }))
  return { pool, shaped: pgPool(pool, options) }
}

test('around a pool it lets go of it at its end, and refuses further use', async () => {
  const { pool, shaped } = around()
  expect((await shaped.query('select 1 as a')).rows).toEqual([{ a: 1 }])
  await shaped.end()
  await shaped.end()
  expect(shaped.ended).toBe(true)
  expect(pool.closed).toBe(false)
  await expect(shaped.query('select 1')).rejects.toThrow('Cannot use a pool after calling end on the pool')
  expect((await pool.query('select 2 as a')).rows).toEqual([{ a: 2 }])
})

test('around a pool it closes it where it owns it', async () => {
  const { pool, shaped } = around({ ownsPool: true })
  await shaped.query('select 1')
  await shaped.end()
  expect(pool.closed).toBe(true)
})

test('two stand around one pool, and each ends by itself', async () => {
  const { pool, shaped } = around()
  const other = pgPool(pool)
  const client = await other.connect()
  await shaped.end()
  expect((await client.query('select 1 as a')).rows).toEqual([{ a: 1 }])
  const end = other.end()
  expect(other.ended).toBe(false)
  client.release()
  await end
  expect(pool.stats()).toMatchObject({ leased: 0 })
})

test('who is next keeps his place when the connection that comes to him dies on the way', async () => {
  const { pool, shaped } = around({}, 1)
  pool.on('error', () => undefined)
  let raw: EventEmitter | undefined
  shaped.once('connect', (client) => {
    raw = client
  })
  const holder = await shaped.connect()
  const next = shaped.connect()
  const query = shaped.query('select 3 as a')
  // In a turn of its own: the waiting promise is settled, and its continuation has not run, when the client fails.
  setImmediate(() => {
    holder.release()
    raw?.emit('error', new Error('the socket broke'))
  })
  const client = await next
  expect((await client.query('select 2 as a')).rows).toEqual([{ a: 2 }])
  client.release()
  expect((await query).rows).toEqual([{ a: 3 }])
  expect(pool.stats().created).toBe(2)
})

test('it has a name with "Pool" in it, and with the pg of the user it is an instance of its Pool', async () => {
  const { shaped } = around()
  expect(Object.getPrototypeOf(shaped).constructor.name).toBe('PgPool')
  expect(shaped).not.toBeInstanceOf(pg.Pool)
  expect(around({ pg }).shaped).toBeInstanceOf(pg.Pool)
  const own = new Pool({ connectionString: server.url(), pg })
  expect(own).toBeInstanceOf(pg.Pool)
  expect(own).toBeInstanceOf(Pool)
  expect(shaped).toBeInstanceOf(Pool)
  expect(own).not.toBeInstanceOf(class Mine extends Pool {})
  expect((await own.query('select 1 as a')).rows).toEqual([{ a: 1 }])
  await own.end()
  expect(() => pgPool({} as never)).toThrow('pgPool takes a pool')
  expect(() => around({ pg: {} as never })).toThrow('it must be the "pg" package')
})

test('each checkout is an object of its own, or the same one where that is asked for', async () => {
  const fresh = around({}, 1).shaped
  const first = await fresh.connect()
  first.release()
  const second = await fresh.connect()
  second.release()
  expect(second).not.toBe(first)
  const stable = around({ identity: 'connection' }, 1).shaped
  const one = await stable.connect()
  one.release()
  const two = await stable.connect()
  two.release()
  expect(two).toBe(one)
  expect(() => two.release()).toThrow('already been released')
})

test('a holder who wraps query and release wraps them for himself', async () => {
  const { shaped } = around({}, 1)
  const client = await shaped.connect()
  const { query, release } = client
  const log: unknown[] = []
  client.query = ((...args: unknown[]) => {
    log.push(args[0])
    return (query as (...all: unknown[]) => unknown).apply(client, args)
  }) as typeof query
  client.release = (error) => {
    log.push('released')
    release.call(client, error)
  }
  await client.query('select 1')
  client.release()
  const next = await shaped.connect()
  await next.query('select 2')
  next.release()
  expect(log).toEqual(['select 1', 'released'])
})

test('a field that somebody adds stays with the connection', async () => {
  const { shaped } = around({}, 1)
  const client = await shaped.connect()
  Object.defineProperty(client, '$useCount', { value: 0, writable: true, configurable: false })
  client.release()
  const next = (await shaped.connect()) as unknown as { $useCount: number; release(): void }
  expect('$useCount' in next).toBe(true)
  expect(next.$useCount).toBe(0)
  next.release()
})

test('a client serves what ORMs touch', async () => {
  const { shaped } = around()
  const client = await shaped.connect()
  expect(client).toBeInstanceOf(pg.Client)
  expect(client.processID).toBeGreaterThan(0)
  expect(client.escapeLiteral("it's")).toBe("'it''s'")
  expect(client.getTransactionStatus()).toBe('I')
  expect(client.listeners('error').length).toBeGreaterThan(0)
  const listener = () => undefined
  expect(client.on('error', listener)).toBe(client)
  client.release()
  expect(client.removeListener('error', listener)).toBe(client)
})

test('the password is nowhere to be seen', async () => {
  const pool = new Pool({ connectionString: server.url(), password: 'hunter2' })
  await pool.query('select 1')
  const client = await pool.connect()
  expect(inspect([pool, pool.options, client, pool.pool], { depth: 9, showProxy: true })).not.toContain(
    'hunter2',
  )
  client.release()
  await pool.end()
})

test('Drizzle keeps a transaction on one connection, and a failed BEGIN loses none', async () => {
  const { shaped, pool } = around()
  const db = drizzle(shaped)
  const pids = await Promise.all(
    [1, 2, 3, 4].map(() =>
      db.transaction(async (tx) => {
        const pid = async () =>
          (await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)).rows[0]?.pid
        const before = await pid()
        await tx.execute(sql`select pg_sleep(0.01)`)
        return before === (await pid())
      }),
    ),
  )
  expect(pids).toEqual([true, true, true, true])
  await eventually(() => expect(pool.stats()).toMatchObject({ leased: 0 }))
})

test('Kysely runs transactions on it and ends it', async () => {
  const { shaped, pool } = around()
  const db = new Kysely<Record<string, never>>({ dialect: new PostgresDialect({ pool: shaped }) })
  await expect(
    db.transaction().execute(async () => {
      throw new Error('mine')
    }),
  ).rejects.toThrow('mine')
  await db.destroy()
  expect(pool.stats()).toMatchObject({ leased: 0 })
})

test('pg-promise runs tasks on it, and puts its own end in the place of ours', async () => {
  const pgp = pgPromise({ noWarnings: true })
  const { shaped, pool } = around()
  function OnePool() {
    return shaped
  }
  Object.assign(pgp, { pg: { ...pgp.pg, Pool: OnePool } })
  const db = pgp({ connectionString: server.url() })
  expect(await db.tx(async (t) => [await t.one('select 1 as a'), await t.one('select 2 as a')])).toEqual([
    { a: 1 },
    { a: 2 },
  ])
  for (let i = 0; i < 5; i++) await db.one('select 1')
  await db.$pool.end()
  await eventually(() => expect(pool.stats()).toMatchObject({ leased: 0 }))
  await expect(db.one('select 1')).rejects.toThrow('pool')
})

test('a connection whose backend is killed under its holder frees its place, and the late release does nothing', async () => {
  const { shaped, pool } = around({}, 1)
  const client = await shaped.connect()
  await ask(server, 'select pg_terminate_backend($1)', [client.processID])
  await eventually(() => expect(pool.stats()).toMatchObject({ leased: 0 }))
  expect((await shaped.query('select 1 as a')).rows).toEqual([{ a: 1 }])
  client.release()
  expect(() => client.release()).toThrow('already been released')
})

test('a connectionTimeoutMillis that is Infinity means never, and no timer of pg at once', async () => {
  const { port, sockets } = await startSilentServer()
  const limitless = { connectionTimeoutMillis: Number.POSITIVE_INFINITY, drainTimeoutMillis: 1 }
  const pool = new Pool({ host: '127.0.0.1', port, ssl: false, ...limitless })
  const fates: string[] = []
  pool.connect().then(
    () => fates.push('connected'),
    (error) => fates.push(error.message),
  )
  await eventually(() => expect(sockets.size).toBe(1))
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(fates).toEqual([])
  for (const socket of sockets) socket.destroy()
  await eventually(() => expect(fates).toEqual([expect.stringContaining('Connection terminated')]))
})
