import pgModule from 'pg'
import pgPromise, { type IInitOptions, type IMain } from 'pg-promise'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import type { PoolOptions } from '../../../src/index.ts'
import { rockpoolPgPromise } from '../../../src/orm/pg-promise/index.ts'
import { ask, connectionCount, eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf, nextLent, uncaughtIn } from '../support.ts'

const server = await startPostgres()
await ask(
  server,
  `create table person (id serial primary key, name text not null);
   create table pet (owner_id int not null references person deferrable initially deferred)`,
)

function poolFor(pgp: IMain, options: PoolOptions = {}) {
  const pool = createPool(pg(server.url(), { module: pgp.pg }), { max: 3, ...options })
  pool.on('error', () => undefined)
  onTestFinished(() => pool.close({ drainTimeoutMs: 0 }).then(() => undefined))
  return pool
}

function open({ init = {}, ...options }: PoolOptions & { init?: IInitOptions } = {}) {
  const pgp = pgPromise({ noWarnings: false, ...init })
  const pool = poolFor(pgp, options)
  return { pgp, pool, db: rockpoolPgPromise(pgp, pool) }
}

const kill = (pid: number) => ask(server, 'select pg_terminate_backend($1)', [pid])
const isWhole = (pool: ReturnType<typeof poolFor>) =>
  eventually(() => {
    const { leased, waiting } = pool.stats()
    expect({ leased, waiting }).toEqual({ leased: 0, waiting: 0 })
  })

describe('queries', () => {
  test('go to the pool, and their results are as ever', async () => {
    const { db, pool } = open()
    expect(await db.one('select $1::int as n, $2 as name', [1, "O'Neil"])).toEqual({ n: 1, name: "O'Neil" })
    expect(await db.any('select generate_series(1, 3) as n')).toHaveLength(3)
    expect(await db.none('select where false')).toBeNull()
    expect((await db.multi('select 1 as a; select 2 as b')).flat()).toEqual([{ a: 1 }, { b: 2 }])
    expect(pool.stats()).toMatchObject({ total: 1, leased: 0 })
  })

  test('that are wrong fail with the errors of pg and of pg-promise', async () => {
    const { db, pgp, pool } = open()
    const refused = await errorOf(db.any('select * from nowhere'))
    expect(refused).toBeInstanceOf((pgp.pg as unknown as { DatabaseError: typeof Error }).DatabaseError)
    expect(refused.code).toBe('42P01')
    expect(await errorOf(db.one('select where false'))).toBeInstanceOf(pgp.errors.QueryResultError)
    await isWhole(pool)
  })

  test("read values by the parsers of pg-promise's own pg", async () => {
    const { db, pgp } = open()
    const { types } = pgp.pg
    const before = types.getTypeParser(20)
    onTestFinished(() => types.setTypeParser(20, before))
    types.setTypeParser(20, (text) => BigInt(text))
    expect(await db.one('select 7::int8 as n')).toEqual({ n: 7n })
  })

  test('prepared ones keep to the connection that has them', async () => {
    const { db, pgp } = open({ max: 2 })
    const statement = new pgp.PreparedStatement({ name: 'doubled', text: 'select $1::int * 2 as n' })
    const all = await Promise.all([1, 2, 3, 4, 5].map((n) => db.one(statement, [n])))
    expect(all).toEqual([2, 4, 6, 8, 10].map((n) => ({ n })))
  })
})

describe('tasks and transactions', () => {
  test('keep to one connection, twenty at once on three', async () => {
    const { db, pool } = open()
    const pids = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        db[index % 2 === 0 ? 'tx' : 'task'](async (t) => {
          const seen = new Set<number>()
          for (let i = 0; i < 3; i++) seen.add((await t.one('select pg_backend_pid() as pid')).pid)
          return seen.size
        }),
      ),
    )
    expect(new Set(pids)).toEqual(new Set([1]))
    expect(pool.stats().leased).toBe(0)
    expect(pool.stats().total).toBeLessThanOrEqual(3)
  })

  test('nest by savepoints, in modes', async () => {
    const { db, pgp, pool } = open()
    const mode = new pgp.txMode.TransactionMode({ tiLevel: pgp.txMode.isolationLevel.serializable })
    await db.tx({ mode }, async (t) => {
      expect(await t.one('show transaction_isolation')).toEqual({ transaction_isolation: 'serializable' })
      await t.none("insert into person (name) values ('outer')")
      const inner = await errorOf(
        t.tx(async (nested) => {
          await nested.none("insert into person (name) values ('inner')")
          await nested.one('select 1/0')
        }),
      )
      expect(inner.code).toBe('22012')
    })
    expect(
      await db.map("select name from person where name in ('outer', 'inner')", [], (row) => row.name),
    ).toEqual(['outer'])
    await isWhole(pool)
  })

  test.each([
    ['BEGIN', 'begin isolation level nonsense'],
    ['the body', 'select 1/0'],
    ['COMMIT', 'insert into pet values (-1)'],
  ])('that fail in %s leave the pool whole', async (where, text) => {
    const { db, pgp, pool } = open({ max: 1 })
    for (let i = 0; i < 3; i++) {
      const work =
        where === 'BEGIN'
          ? db.tx({ mode: Object.assign(new pgp.txMode.TransactionMode(), { begin: () => text }) }, (t) =>
              t.one('select 1'),
            )
          : db.tx((t) => t.none(text))
      expect((await errorOf(work)).message).not.toBe('')
    }
    expect(await db.one('select pg_current_xact_id_if_assigned() is null as clean')).toEqual({ clean: true })
    await isWhole(pool)
  })

  test('whose ROLLBACK fails, for the connection is gone, leave the pool whole', async () => {
    const { db, pool } = open({ max: 1 })
    const error = await errorOf(
      db.tx(async (t) => {
        const { pid } = await t.one('select pg_backend_pid() as pid')
        await kill(pid)
        await eventually(() => expect(pool.stats().closed.lost).toBe(1))
        throw new Error('of the body')
      }),
    )
    expect(error.message).not.toBe('')
    expect(await db.one('select 1 as n')).toEqual({ n: 1 })
  })

  test('that are begun by hand and forgotten are rolled back before the next use', async () => {
    const { db } = open({ max: 1 })
    await db.task(async (t) => {
      await t.none('begin')
      await t.none("insert into person (name) values ('forgotten')")
    })
    expect(await db.one("select count(*)::int as n from person where name = 'forgotten'")).toEqual({ n: 0 })
  })
})

test('a killed backend is no uncaughtException, and its place is free while it is still held', async () => {
  const { db, pool } = open({ max: 1 })
  const uncaught = await uncaughtIn(async () => {
    const held = await db.connect()
    const { pid } = await held.one('select pg_backend_pid() as pid')
    await kill(pid)
    await eventually(() => expect(pool.stats().leased).toBe(0))
    expect(await db.one('select 1 as n')).toEqual({ n: 1 })
    await errorOf(held.one('select 1'))
    held.done()
  })
  expect(uncaught).toEqual([])
  await isWhole(pool)
})

test('events tell of connections, uses, queries, rows and errors', async () => {
  const told: string[] = []
  const { db } = open({
    max: 1,
    init: {
      connect: ({ useCount }) => void told.push(`connect ${useCount}`),
      disconnect: () => void told.push('disconnect'),
      query: (e) => void told.push(`query ${e.query}`),
      receive: ({ data }) => void told.push(`receive ${data.length}`),
      error: (error) => void told.push(`error ${error.code}`),
    },
  })
  await db.any('select 1')
  await errorOf(db.any('select 1/0'))
  expect(told).toEqual([
    'connect 0',
    'query select 1',
    'receive 1',
    'disconnect',
    'connect 1',
    'query select 1/0',
    'error 22012',
    'disconnect',
  ])
})

describe('connections for longer', () => {
  test('a shared one is what others do not get until it is done', async () => {
    const { db, pool } = open({ max: 1 })
    const sco = await db.connect()
    await sco.none('create temp table mine as select 7 as n')
    const other = db.one('select 1 as n')
    expect(pool.stats()).toMatchObject({ leased: 1, waiting: 1 })
    expect(await sco.one('select n from mine')).toEqual({ n: 7 })
    sco.done()
    expect(await other).toEqual({ n: 1 })
    expect(() => sco.done()).toThrow()
  })

  test('`done(true)` closes it', async () => {
    const { db, pool } = open({ max: 1 })
    const sco = await db.connect()
    sco.done(true)
    await db.one('select 1 as n')
    expect(pool.stats().closed.destroyed).toBe(1)
  })

  test('a direct one is outside of the pool, and needs its own address', async () => {
    const pgp = pgPromise()
    const pool = poolFor(pgp, { max: 1 })
    const db = rockpoolPgPromise(pgp, pool, { direct: server.url() })
    const direct = await db.connect({ direct: true })
    expect(await direct.one('select 1 as n')).toEqual({ n: 1 })
    expect(pool.stats().total).toBe(0)
    await direct.done()
    const without = await errorOf(rockpoolPgPromise(pgp, pool).connect({ direct: true }))
    expect(without).toMatchObject({ code: 'INVALID_OPTION', option: 'direct' })
  })
})

test('nobody waits without end: the error has the numbers', async () => {
  const { db, pool } = open({ max: 1 })
  const sco = await db.connect()
  pool.resize({ acquireTimeoutMs: 100 })
  const error = await errorOf(db.one('select 1'))
  expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
  expect(error.message).toContain('1 leased')
  sco.done()
  await isWhole(pool)
})

describe('the end', () => {
  test('lets go of the pool: its other users go on', async () => {
    const { db, pgp, pool } = open()
    const other = rockpoolPgPromise(pgp, pool)
    await db.one('select 1')
    await db.$pool.end()
    expect((await errorOf(db.one('select 1'))).message).toBe(
      'Connection pool of the database object has been destroyed.',
    )
    expect(await other.one('select 1 as n')).toEqual({ n: 1 })
    pgp.end()
    expect(pool.closed).toBe(false)
  })

  test('closes a pool that it owns, when what runs has ended', async () => {
    const pgp = pgPromise()
    const pool = poolFor(pgp)
    const db = rockpoolPgPromise(pgp, pool, { ownsPool: true })
    const lent = nextLent(pool)
    const slow = db.one('select pg_sleep(0.5), 1 as n')
    await lent
    const end = db.$pool.end()
    expect(await slow).toMatchObject({ n: 1 })
    await end
    expect(pool.closed).toBe(true)
    await eventually(async () => expect(await connectionCount(server)).toBe(0))
  })

  test('of the pool itself is told to whoever asks', async () => {
    const { db, pool } = open()
    await pool.close()
    expect(await errorOf(db.one('select 1'))).toMatchObject({ code: 'POOL_CLOSED' })
  })
})

describe('what is silently wrong elsewhere is refused', () => {
  test('clients of another copy of pg, whose parsers would not apply', async () => {
    const pgp = pgPromise()
    const pool = createPool(pg(server.url(), { module: pgModule }))
    onTestFinished(() => pool.close().then(() => undefined))
    const error = await errorOf(rockpoolPgPromise(pgp, pool).one('select 1'))
    expect(error).toMatchObject({ code: 'INVALID_OPTION', option: 'pool' })
    expect(error.message).toContain('module: pgp.pg')
    expect(pool.stats().leased).toBe(0)
  })

  test('what is no pool, no library, or an option that does not exist', () => {
    const { pgp, pool } = open()
    expect(() => rockpoolPgPromise(pgp, {} as never)).toThrow('createPool')
    expect(() => rockpoolPgPromise(pgPromise as never, pool)).toThrow('pgPromise(options)')
    expect(() => rockpoolPgPromise(pgp, pool, { ownPool: true } as never)).toThrow('ownPool')
  })

  test('a pg-promise that makes its pool itself', () => {
    const { pgp, pool } = open()
    const its = pgp.pg
    const stubborn = Object.assign(
      (...given: Parameters<typeof pgp>) => {
        ;(pgp as { pg: unknown }).pg = its
        return pgp(...given)
      },
      { pg: its },
    ) as unknown as typeof pgp
    expect(() => rockpoolPgPromise(stubborn, pool)).toThrow(
      expect.objectContaining({ code: 'POOL_BYPASSED' }),
    )
  })
})

test('what `connect` has shown refuses after `done`, and reaches nobody else', async () => {
  const released = expect.objectContaining({ code: 'LEASE_RELEASED' })
  const { db, pool, pgp } = open({ max: 1 })
  const connected = await db.connect()
  const { client } = connected
  expect(client).toBeInstanceOf(pgp.pg.Client)
  const { rows } = await client.query('select pg_backend_pid() as pid')
  const noted: unknown[] = []
  client.on('notification', ({ channel }) => noted.push(channel))
  await connected.none('listen news')
  await connected.none('notify news')
  await eventually(() => expect(noted).toEqual(['news']))
  expect(client.listenerCount('notification')).toBe(1)
  const hearsErrors = client.listenerCount('error')
  expect(client.removeAllListeners()).toBe(client)
  expect(client.listenerCount('notification')).toBe(0)
  expect(client.listenerCount('error')).toBe(hearsErrors)
  connected.done()
  await isWhole(pool)

  const next = await db.connect()
  expect(await next.one('select pg_backend_pid() as pid')).toEqual(rows[0])
  await expect(client.query('select 1')).rejects.toEqual(released)
  expect(() => client.on('notification', () => undefined)).toThrow(released)
  await expect(connected.one('select 1')).rejects.toThrow('disconnected client')
  expect(() => connected.done()).toThrow()
  next.done(true)
  await eventually(() => expect(pool.stats().total).toBe(0))
})

test("one pool serves many databases without a warning, and pgp's other databases keep their own", async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  onTestFinished(() => void vi.restoreAllMocks())
  const { db, pgp, pool } = open({ max: 2 })
  const second = rockpoolPgPromise(pgp, pool)
  const own = pgp(server.url())
  const pids = await Promise.all([db, second].map((one) => one.one('select pg_backend_pid() as pid')))
  const { pid } = await own.one('select pg_backend_pid() as pid')
  expect(pids.map((row) => row.pid)).not.toContain(pid)
  expect(pool.stats().acquired).toBe(2)
  await own.$pool.end()
  expect([...warned.mock.calls, ...printed.mock.calls]).toEqual([])
})

test('an error event shows no password', async () => {
  const told: string[] = []
  const pgp = pgPromise({ error: (_, e) => void told.push(JSON.stringify(e.cn)) })
  const pool = poolFor(pgp, { max: 1 })
  const db = rockpoolPgPromise(pgp, pool, { direct: 'postgres://me:swordfish@localhost/shop' })
  const sco = await db.connect()
  pool.resize({ acquireTimeoutMs: 100 })
  await errorOf(db.one('select 1'))
  sco.done()
  expect(told).toHaveLength(1)
  expect(told[0]).not.toContain('swordfish')
})
