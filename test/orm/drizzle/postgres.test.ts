import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { build } from 'esbuild'
import { Kysely } from 'kysely'
import pgModule from 'pg'
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest'
import {
  AcquireTimeoutError,
  InvalidOptionError,
  PoolBypassedError,
  QueueFullError,
} from '../../../src/contract/errors.ts'
import type { PoolOptions } from '../../../src/contract/options.ts'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { sqlite } from '../../../src/drivers/sqlite/index.ts'
import { rockpoolDrizzle } from '../../../src/orm/drizzle/index.ts'
import { rockpoolDialect } from '../../../src/orm/kysely/index.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf, nextLent } from '../support.ts'

const server = await startPostgres()
await ask(
  server,
  `create table person (id serial primary key, name text not null);
   create table pet (owner_id int not null references person deferrable initially deferred)`,
)

function open(options: PoolOptions<pgModule.Client> = {}) {
  const pool = createPool(pg(server.url(), { module: pgModule }), { max: 3, ...options })
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  const db = drizzle(rockpoolDrizzle(pool))
  const expectWhole = () =>
    eventually(() => {
      const { total, idle, leased, waiting } = pool.stats()
      expect({ idle, leased, waiting }).toEqual({ idle: total, leased: 0, waiting: 0 })
    })
  return { pool, db, expectWhole }
}

type Executor = { execute: ReturnType<typeof open>['db']['execute'] }
const pidOf = async (db: Executor) =>
  (await db.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)).rows[0]?.pid
const kill = (pid: unknown) => ask(server, 'select pg_terminate_backend($1)', [pid])

/** How many of 20 transactions at once have kept to one connection. */
async function pinned(db: ReturnType<typeof open>['db']): Promise<number> {
  const one = () =>
    db.transaction(async (tx) => {
      const first = await pidOf(tx)
      await tx.execute(sql`select pg_sleep(0.005)`)
      return first === (await pidOf(tx))
    })
  return (await Promise.all(Array.from({ length: 20 }, one))).filter(Boolean).length
}

describe('a transaction that fails leaves the pool whole', () => {
  test('in BEGIN, as often as it may happen', async () => {
    const { pool, db, expectWhole } = open({ max: 2 })
    const imaginary = { isolationLevel: 'imaginary' as 'serializable' }
    for (let i = 0; i < 5; i++) await errorOf(db.transaction(async () => undefined, imaginary))
    await expectWhole()
    expect(await pinned(db)).toBe(20)
    expect(pool.stats().leased).toBe(0)
  })

  test('in BEGIN, because the connection dies', async () => {
    let deaths = 1
    class Dying extends pgModule.Client {
      constructor(config?: string | pgModule.ClientConfig) {
        super(config)
        const query = this.query.bind(this) as (...args: unknown[]) => unknown
        this.query = ((asked: { text?: string }, ...rest: unknown[]) => {
          const { stream } = (this as unknown as { connection: { stream: { destroy(): void } } }).connection
          if (asked.text === 'begin' && deaths-- > 0) stream.destroy()
          return query(asked, ...rest)
        }) as typeof this.query
      }
    }
    const pool = createPool(pg(server.url(), { module: { Client: Dying } }), { max: 1 })
    onTestFinished(async () => {
      await pool.close()
    })
    const db = drizzle(rockpoolDrizzle(pool))
    await errorOf(db.transaction(async () => undefined))
    await eventually(() => expect(pool.stats().leased).toBe(0))
    expect(await db.transaction(async () => 'served')).toBe('served')
  })

  test('in its body, in COMMIT, and nested', async () => {
    const { db, expectWhole } = open()
    await errorOf(db.transaction((tx) => tx.execute(sql`select 1/0`)))
    await errorOf(db.transaction((tx) => tx.execute(sql`insert into pet values (-1)`)))
    await errorOf(db.transaction((tx) => tx.transaction((inner) => inner.execute(sql`select 1/0`))))
    await expectWhole()
    expect(await ask(server, 'select * from pet')).toEqual([])
  })

  test('when its backend is killed, and then it throws, commits or is rolled back', async () => {
    const { pool, db, expectWhole } = open({ max: 1 })
    for (const after of ['throws', 'queries', 'commits']) {
      await errorOf(
        db.transaction(async (tx) => {
          await kill(await pidOf(tx))
          await eventually(() => expect(pool.stats().leased).toBe(0))
          if (after === 'throws') throw new Error('its error')
          if (after === 'queries') await pidOf(tx)
        }),
      )
      await expectWhole()
      expect(await pidOf(db)).toBeTypeOf('number')
    }
  })
})

describe('what would go past the pool', () => {
  test('a Drizzle that does not take the client for a pool is stopped at its first transaction', async () => {
    const { pool } = open()
    class Nameless {}
    const client = new Proxy(rockpoolDrizzle(pool), {
      getPrototypeOf: () => Nameless.prototype,
      get: (target, key) => Reflect.get(target, key, target),
    })
    const error = await errorOf(drizzle(client).transaction((tx) => tx.execute(sql`select 1`)))
    expect(error.cause ?? error).toBeInstanceOf(PoolBypassedError)
    expect(pool.stats().acquired).toBe(0)
  })

  test.each(['begin', ' BEGIN work', 'start transaction', 'set transaction read only'])(
    '%s by hand is stopped',
    async (text) => {
      const { db } = open()
      const error = await errorOf(db.execute(sql.raw(text)))
      expect(error.cause).toBeInstanceOf(PoolBypassedError)
    },
  )

  test('what only looks like it is not', async () => {
    const { db } = open()
    const { rows } = await db.execute(sql`select 'begin' as beginning`)
    expect(rows).toEqual([{ beginning: 'begin' }])
    await db.execute(sql`set application_name = 'x'`)
  })

  test.each(['esm', 'cjs'] as const)(
    'a bundle with minified names (%s) keeps transactions pinned',
    async (format) => {
      const folder = mkdtempSync(join(tmpdir(), 'rockpool-drizzle-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const outfile = join(folder, format === 'esm' ? 'bundle.mjs' : 'bundle.cjs')
      const contents = `export { createPool } from './src/create-pool.ts'; export { pg } from './src/drivers/pg/index.ts'; export { rockpoolDrizzle } from './src/orm/drizzle/index.ts'`
      await build({
        stdin: { contents, resolveDir: process.cwd(), loader: 'ts' },
        outfile,
        format,
        bundle: true,
        minify: true,
        platform: 'node',
        logLevel: 'silent',
      })
      const loaded =
        format === 'esm' ? await import(pathToFileURL(outfile).href) : createRequire(outfile)(outfile)
      const bundled = loaded as {
        createPool: typeof createPool
        pg: typeof pg
        rockpoolDrizzle: typeof rockpoolDrizzle
      }
      const pool = bundled.createPool(bundled.pg(server.url(), { module: pgModule }), { max: 3 })
      onTestFinished(async () => {
        await pool.close()
      })
      const client = bundled.rockpoolDrizzle(pool)
      expect(Object.getPrototypeOf(client).constructor.name).toBe('DrizzlePgPool')
      expect(await pinned(drizzle(client))).toBe(20)
    },
  )
})

describe('the pool', () => {
  test('pins 20 transactions on 3 connections, and lends no more', async () => {
    const { pool, db, expectWhole } = open()
    expect(await pinned(db)).toBe(20)
    expect(pool.stats().total).toBeLessThanOrEqual(3)
    await expectWhole()
  })

  test('says why nobody is served', async () => {
    const { pool, db, expectWhole } = open({ max: 1, maxWaiting: 1 })
    await db.transaction(async () => {
      pool.resize({ acquireTimeoutMs: 100 })
      const [late, refused] = await Promise.all([errorOf(pidOf(db)), errorOf(pidOf(db))])
      expect(late.cause).toBeInstanceOf(AcquireTimeoutError)
      expect(refused.cause).toBeInstanceOf(QueueFullError)
    })
    await expectWhole()
  })

  test('waits for a transaction when it is closed, and serves nobody afterwards', async () => {
    const { pool, db } = open()
    let isDone = false
    const lent = nextLent(pool)
    const running = db.transaction(async (tx) => {
      await tx.execute(sql`select pg_sleep(0.5)`)
      isDone = true
    })
    await lent
    await pool.close()
    expect(isDone).toBe(true)
    await running
    await errorOf(pidOf(db))
  })

  test('serves two at once, and one of them may end', async () => {
    const { pool, db } = open()
    const kysely = new Kysely<{ person: { id: number } }>({ dialect: rockpoolDialect(pool) })
    const [one] = await Promise.all([pinned(db), kysely.selectFrom('person').select('id').execute()])
    expect(one).toBe(20)
    await db.$client.end()
    await errorOf(pidOf(db))
    expect(await kysely.selectFrom('person').select('id').execute()).toEqual([])
    expect(pool.closed).toBe(false)
  })

  test('is closed by `$client.end()` if it is owned', async () => {
    const pool = createPool(pg(server.url(), { module: pgModule }))
    const db = drizzle({ client: rockpoolDrizzle(pool, { ownsPool: true }) })
    await pidOf(db)
    await db.$client.end()
    expect(pool.closed).toBe(true)
  })
})

test('a client that is borrowed by hand may be given back late where its BEGIN has failed, and not twice otherwise', async () => {
  const { db, expectWhole } = open({ max: 1 })
  const client = await db.$client.connect()
  await errorOf(client.query('begin isolation level imaginary'))
  client.release()
  await expectWhole()
  const second = await db.$client.connect()
  second.release()
  expect(() => second.release()).toThrow('already been released')
})

test('what is no such pool is refused at once', async () => {
  const { pool } = open()
  const none = {} as typeof pool
  expect(() => rockpoolDrizzle(none)).toThrow(InvalidOptionError)
  expect(() => rockpoolDrizzle(pool, { ownPool: true } as object)).toThrow('did you mean "ownsPool"')
  expect(() => rockpoolDrizzle(pool, { ownsPool: 1 as unknown as boolean })).toThrow('ownsPool')
  const files = createPool(sqlite({ file: ':memory:' }))
  expect(() => rockpoolDrizzle(files)).toThrow('with SQLite Drizzle uses no pool')
  await files.close()
})

test('rows keep the types of the schema, and `$client` is the pool', () => {
  const { db } = open()
  expectTypeOf(db.$client.totalCount).toEqualTypeOf<number>()
  expectTypeOf(db.execute<{ n: number }>(sql`select 1 as n`)).resolves.toHaveProperty('rows')
})
