import { createRequire } from 'node:module'
import pgModule from 'pg'
import { DataTypes, type Options, QueryTypes, Sequelize } from 'sequelize'
import { describe, expect, onTestFinished, test } from 'vitest'
import { pg } from '../../../src/drivers/pg/index.ts'
import { createPool, InvalidOptionError, type SqlPool } from '../../../src/index.ts'
import { poolsOf, rockpoolSequelize } from '../../../src/orm/sequelize/index.ts'
import { FaultProxy } from '../../../src/testing/index.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { closedAtEnd, hushed, isWhole, type Lab, openOn, ping, plainOn, sessionOf, statsOf } from './lab.ts'

const server = await startPostgres()

const lab: Lab = {
  url: () => server.url(),
  options: {},
  whoami: 'select pg_backend_pid() as id',
  kill: (session) => ask(server, 'select pg_terminate_backend($1, 10000)', [session]),
  sessions: async () => Number.NaN,
}

async function one<R extends object>(sequelize: Sequelize, sql: string): Promise<R> {
  const [row] = await sequelize.query<R>(sql, { type: QueryTypes.SELECT })
  return row as R
}

describe('transactions', () => {
  test('statements of one transaction see one transaction of the server', async () => {
    const sequelize = openOn(lab, { pool: { max: 3 } })
    const seen = await Promise.all(
      Array.from({ length: 12 }, () =>
        sequelize.transaction(async (transaction) => {
          const ids = []
          for (let i = 0; i < 4; i++) {
            const sql = 'select txid_current()::text as id'
            const [row] = await sequelize.query<{ id: string }>(sql, { type: QueryTypes.SELECT, transaction })
            ids.push(row?.id)
          }
          expect(new Set(ids).size).toBe(1)
          return ids[0]
        }),
      ),
    )
    expect(new Set(seen).size).toBe(12)
  })

  test('a COMMIT that the server refuses fails, and the pool is whole', async () => {
    hushed()
    const sequelize = openOn(lab, { pool: { max: 1 } })
    await ask(
      server,
      `drop table if exists child; drop table if exists parent;
       create table parent (id int primary key);
       create table child (parent int references parent deferrable initially deferred)`,
    )
    const late = sequelize.transaction((transaction) =>
      sequelize.query('insert into child values (7)', { transaction }),
    )
    await expect(late).rejects.toMatchObject({ name: 'SequelizeForeignKeyConstraintError' })
    await isWhole(sequelize, 1)
    expect(await one(sequelize, 'select count(*)::int as n from child')).toEqual({ n: 0 })
  })
})

test('a connection that answers no more is not lent: it is asked after it was idle, and within a limit', async () => {
  const proxy = await new FaultProxy({ host: '127.0.0.1', port: server.port }).listen()
  onTestFinished(() => proxy[Symbol.asyncDispose]())
  const made = new Sequelize(proxy.url(server.url()), { logging: false, pool: { max: 1 } })
  const sequelize = closedAtEnd(
    rockpoolSequelize(made, { validateAfterIdleMs: 0, validateTimeoutMs: 30_000 }),
  )
  const first = await sessionOf(sequelize, lab)
  poolsOf(sequelize).write.resize({ validateTimeoutMs: 200 })
  proxy.set({ silent: true })
  const next = sessionOf(sequelize, lab)
  await eventually(() => expect(statsOf(sequelize).closed.invalid).toBe(1))
  proxy.heal()
  expect(await next).not.toBe(first)
})

test('a server that takes connections and says nothing is given up in time', async () => {
  const proxy = await new FaultProxy({ host: '127.0.0.1', port: server.port }).listen()
  onTestFinished(() => proxy[Symbol.asyncDispose]())
  proxy.set({ silent: true })
  const made = new Sequelize(proxy.url(server.url()), { logging: false })
  const sequelize = closedAtEnd(rockpoolSequelize(made, { connectTimeoutMs: 150 }))
  const error: unknown = await sequelize.authenticate().catch((reason: unknown) => reason)
  expect((error as Error).name).toMatch(/^Sequelize(ConnectionTimedOut|Connection)Error$/)
  expect((error as Error).message).toMatch(/connectTimeoutMs|timeout expired/)
  // It may be given up before the proxy has looked.
  await eventually(() => expect(proxy.counts.accepted).toBe(1))
  // A silent network does not tell the proxy of the end either.
  proxy.heal()
  await eventually(() => expect(proxy.counts.open).toBe(0))
})

test('when the server has no connection left to give, callers wait for one', async () => {
  await ask(server, `create role few login password 'few' connection limit 1`)
  const url = server.url().replace(/\/\/[^@]*@/, '//few:few@')
  const first = closedAtEnd(rockpoolSequelize(new Sequelize(url, { logging: false })))
  const second = closedAtEnd(rockpoolSequelize(new Sequelize(url, { logging: false })))
  await first.authenticate()
  const waiting = second.authenticate()
  await eventually(() => expect(statsOf(second).connectFailed).toBeGreaterThan(0))
  await first.close()
  await waiting
})

test('a database that does not exist is told in the words of Sequelize, with the error of the driver', async () => {
  const url = new URL(server.url())
  url.pathname = '/nowhere'
  const sequelize = closedAtEnd(
    rockpoolSequelize(new Sequelize(url.href, { logging: false }), { unreachable: 'wait' }),
  )
  await expect(sequelize.authenticate()).rejects.toMatchObject({
    name: 'SequelizeConnectionError',
    parent: { code: '3D000' },
  })
})

test('values are what they are without rockpool: dates, decimals, big numbers, JSON, enums, arrays, ranges', async () => {
  const read = async (sequelize: Sequelize) => {
    const Sample = sequelize.define(
      'sample',
      {
        at: DataTypes.DATE(6),
        day: DataTypes.DATEONLY,
        money: DataTypes.DECIMAL(20, 4),
        big: DataTypes.BIGINT,
        real: DataTypes.DOUBLE,
        json: DataTypes.JSONB,
        mood: DataTypes.ENUM('glad', 'sad'),
        words: DataTypes.ARRAY(DataTypes.TEXT),
        span: DataTypes.RANGE(DataTypes.INTEGER),
        bytes: DataTypes.BLOB,
        uuid: DataTypes.UUID,
      },
      { timestamps: false },
    )
    await sequelize.sync({ force: true })
    await Sample.create({
      at: new Date('2024-02-29T12:34:56.789Z'),
      day: '2024-02-29',
      money: '1234567890123456.7891',
      big: '9007199254740993',
      real: 0.1,
      json: { deep: [1, { er: null }] },
      mood: 'glad',
      words: ['a', 'b,"c'],
      span: [1, 9],
      bytes: Buffer.from('bytes'),
      uuid: '0b0a0908-0706-4504-8302-010000000000',
    })
    const sample = await Sample.findOne()
    const raw = await one(sequelize, `select now()::date as day, 1.50::numeric as money, array[1,2] as list`)
    return { sample: sample?.get(), raw: { ...raw, day: typeof (raw as { day: unknown }).day } }
  }
  const theirs = await read(closedAtEnd(plainOn(lab)))
  expect(await read(openOn(lab))).toEqual(theirs)
  const pool = createPool(pg(server.url(), { module: pgModule }))
  onTestFinished(async () => void (await pool.close()))
  expect(await read(closedAtEnd(rockpoolSequelize(plainOn(lab), pool)))).toEqual(theirs)
})

test('works with what require gives', async () => {
  const required = createRequire(import.meta.url)('sequelize') as typeof import('sequelize')
  const sequelize = closedAtEnd(
    rockpoolSequelize(new required.Sequelize(server.url(), { logging: false, pool: { max: 1 } })),
  )
  const held = await sequelize.transaction()
  poolsOf(sequelize).write.resize({ acquireTimeoutMs: 50 })
  await expect(ping(sequelize)).rejects.toBeInstanceOf(required.ConnectionAcquireTimeoutError)
  await held.rollback()
})

describe('replication', () => {
  function replicated(options: Options = {}): Sequelize {
    const { hostname: host, port, pathname, username, password } = new URL(server.url())
    const common = { host, port: Number(port), database: pathname.slice(1) }
    const reader = (name: string) => ({
      ...common,
      username,
      password,
      dialectOptions: { application_name: name },
    })
    const made = new Sequelize({
      dialect: 'postgres',
      logging: false,
      replication: { write: { ...common, username, password }, read: [reader('one'), reader('two')] },
      ...options,
    } as Options)
    return closedAtEnd(rockpoolSequelize(made))
  }

  test('reads go to the readers in turn, writes and transactions to the writer', async () => {
    const sequelize = replicated({ pool: { max: 2 } })
    const name = `select current_setting('application_name') as name`
    const select = (useMaster: boolean) =>
      sequelize.query<{ name: string }>(name, { type: QueryTypes.SELECT, useMaster })
    const held = await Promise.all([select(false), select(false)])
    expect(held.flat().every((row) => ['one', 'two'].includes(row.name))).toBe(true)
    expect((await select(true))[0]?.name).toBe('')
    const { read, write } = poolsOf(sequelize)
    expect([read?.name, write.name]).toEqual([
      expect.stringMatching(/:read/),
      expect.stringMatching(/:write/),
    ])
    expect(write.stats()).toMatchObject({ created: 1, max: 2 })
    expect(read?.stats()).toMatchObject({ max: 2, leased: 0 })
    await sequelize.transaction({ readOnly: true }, async (transaction) => {
      expect(read?.stats().leased).toBe(1)
      await sequelize.query('select 1', { transaction })
    })
    await sequelize.transaction(async () => expect(write.stats().leased).toBe(1))
    const { pool } = sequelize.connectionManager as unknown as { pool: Record<string, unknown> }
    expect(pool.size).toBe(write.stats().total + (read?.stats().total ?? 0))
    expect(pool).toMatchObject({ using: 0, waiting: 0, maxSize: 4, read: { using: 0 }, write: { using: 0 } })
  })

  test('close ends both', async () => {
    const sequelize = replicated()
    await ping(sequelize)
    await sequelize.close()
    const { read, write } = poolsOf(sequelize)
    expect([read?.closed, write.closed]).toEqual([true, true])
  })
})

describe('one pool for two', () => {
  async function shared(
    options: { ownsPool?: boolean } = {},
  ): Promise<[Sequelize, SqlPool<pgModule.Client>]> {
    const pool = createPool(pg(server.url(), { module: pgModule }), { max: 1, acquireTimeoutMs: 20_000 })
    onTestFinished(async () => void (await pool.close()))
    const sequelize = rockpoolSequelize(plainOn(lab, { timezone: '+03:00' }), pool, options)
    onTestFinished(() => sequelize.close().catch(() => undefined))
    return [sequelize, pool]
  }

  test('they take turns on one connection, each reads values in its own way', async () => {
    const [sequelize, pool] = await shared()
    const sql = `select '2024-01-01'::date as day, 12::int8 as n`
    const before = (await pool.query(sql)).rows
    const theirs = await one(sequelize, sql)
    expect((await pool.query(sql)).rows).toEqual(before)
    expect(theirs).toEqual(await one(closedAtEnd(plainOn(lab)), sql))
    expect(await sessionOf(sequelize, lab)).toBe((await pool.query(lab.whoami)).rows[0]?.id)
    expect(pool.stats().created).toBe(1)
  })

  test("the session is prepared once for Sequelize; the others see its settings, and may have the session's own back", async () => {
    const [sequelize, pool] = await shared()
    const zone = async () => (await pool.query('show timezone')).rows[0]?.TimeZone
    const own = await zone()
    expect(await one(sequelize, 'show timezone')).not.toEqual({ TimeZone: own })
    expect(await zone()).not.toBe(own)
    await ping(sequelize)
    await pool.use(({ connection }) => connection.query('DISCARD ALL'))
    expect(await zone()).toBe(own)
    expect(await one(sequelize, 'show timezone')).not.toEqual({ TimeZone: own })
  })

  test('however often a session is prepared anew, its client has no more listeners', async () => {
    const [sequelize, pool] = await shared()
    const listeners = () => pool.use(({ connection }) => connection.listenerCount('error'))
    await ping(sequelize)
    const before = await listeners()
    for (let i = 0; i < 12; i++) {
      await pool.use(({ connection }) => connection.query('DISCARD ALL'))
      await ping(sequelize)
    }
    expect(await listeners()).toBe(before)
  })

  test('transactions of both, at a time', async () => {
    const [sequelize, pool] = await shared()
    pool.resize({ max: 3 })
    const ours = Array.from({ length: 6 }, () =>
      pool.transaction(
        async (tx) => (await tx.query('select txid_current() as id, pg_sleep(0.01)')).rows[0]?.id,
      ),
    )
    const theirs = Array.from({ length: 6 }, () =>
      sequelize.transaction(async (transaction) => {
        const [a, b] = [
          await sessionOf(sequelize, lab, transaction),
          await sessionOf(sequelize, lab, transaction),
        ]
        expect(a).toBe(b)
      }),
    )
    await Promise.all([...ours, ...theirs])
    expect(pool.stats().leased).toBe(0)
    expect(pool.stats().total).toBeLessThanOrEqual(3)
  })

  test('a session that dies in the hands of Sequelize costs nobody a slot', async () => {
    hushed()
    const [sequelize, pool] = await shared()
    const transaction = await sequelize.transaction()
    await lab.kill(await sessionOf(sequelize, lab, transaction))
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await expect(transaction.rollback()).rejects.toThrow()
    await ping(sequelize)
    expect(pool.stats()).toMatchObject({ leased: 0, total: 1 })
  })

  test('close lets go of a pool that is not its own', async () => {
    const [sequelize, pool] = await shared()
    await ping(sequelize)
    await sequelize.close()
    await expect(ping(sequelize)).rejects.toThrow(/closed/)
    expect(pool.closed).toBe(false)
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('and closes one that is', async () => {
    const [sequelize, pool] = await shared({ ownsPool: true })
    await ping(sequelize)
    await sequelize.close()
    expect(pool.closed).toBe(true)
  })
})

describe('what cannot be', () => {
  const refused = (make: () => unknown, message: RegExp) => {
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(message)
  }

  test('is refused at once, with the reason', () => {
    refused(() => rockpoolSequelize({} as never), /takes a Sequelize of version 6 or 7/)
    refused(() => rockpoolSequelize(plainOn(lab), { unreachable: 'perhaps' as never }), /unreachable/)
    refused(() => rockpoolSequelize(plainOn(lab), { reset: 'full' }), /what Sequelize has set in the session/)
    refused(() => rockpoolSequelize(plainOn(lab), { maxx: 3 } as never), /maxx/)
    refused(() => rockpoolSequelize(plainOn(lab), { max: 0 }), /max/)
    refused(() => poolsOf(plainOn(lab)), /stands on its own pool/)
  })

  test('twice on one Sequelize', () => {
    const sequelize = openOn(lab)
    refused(() => rockpoolSequelize(sequelize), /already/)
  })

  test('a shared pool with replication, or of another database', () => {
    const mysql = { name: 'other', dialect: 'mysql', acquire: () => undefined, stats: () => ({ max: 1 }) }
    refused(() => rockpoolSequelize(plainOn(lab), mysql as never), /must be one of pg/)
    refused(() => rockpoolSequelize(plainOn(lab), createPool(pg(server.url())), { owns: 1 } as never), /owns/)
  })
})
