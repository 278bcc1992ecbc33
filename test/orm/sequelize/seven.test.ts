import {
  ConnectionAcquireTimeoutError,
  ConnectionRefusedError,
  DataTypes,
  type Options,
  QueryTypes,
  Sequelize,
} from '@sequelize/core'
import { MariaDbDialect } from '@sequelize/mariadb'
import { PostgresDialect } from '@sequelize/postgres'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { pg } from '../../../src/drivers/pg/index.ts'
import { AcquireTimeoutError, createPool, InvalidOptionError, PoolBypassedError } from '../../../src/index.ts'
import { poolsOf, rockpoolSequelize, type SequelizePoolOptions } from '../../../src/orm/sequelize/index.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from '../../support/mariadb.ts'
import { Overseer } from '../../support/mysql-server.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { needs } from '../../support/skip.ts'
import { hushed } from './lab.ts'

const postgres = await startPostgres()
const mariadb = hasMariadb ? await startMariadb() : undefined
const overseer = mariadb === undefined ? undefined : await Overseer.of(mariadb)
afterAll(async () => {
  await overseer?.close()
  await mariadb?.close()
})

interface Place {
  readonly dialect: unknown
  readonly address: () => Record<string, unknown>
  readonly whoami: string
  readonly kill: (session: number) => Promise<unknown>
  readonly isHere: boolean
}

const places: Record<string, Place> = {
  PostgreSQL: {
    dialect: PostgresDialect,
    address: () => ({ url: postgres.url() }),
    whoami: 'select pg_backend_pid() as id',
    kill: (session) => ask(postgres, 'select pg_terminate_backend($1, 10000)', [session]),
    isHere: true,
  },
  MariaDB: {
    dialect: MariaDbDialect,
    address: () => ({
      host: mariadb?.host,
      port: mariadb?.port,
      user: 'app',
      password: 'S3cret#',
      database: 'app',
    }),
    whoami: 'select connection_id() as id',
    kill: async (session) => overseer?.kill(session),
    isHere: hasMariadb,
  },
}

type AnyOptions = Options<never>

function plainOn(place: Place, options: object = {}): Sequelize {
  const given = { dialect: place.dialect, logging: false, ...place.address(), ...options }
  return new Sequelize(given as unknown as AnyOptions) as unknown as Sequelize
}

function openOn(place: Place, options: object = {}, poolOptions: SequelizePoolOptions = {}): Sequelize {
  const sequelize = rockpoolSequelize(plainOn(place, options), poolOptions)
  onTestFinished(() => sequelize.close().catch(() => undefined))
  return sequelize
}

async function sessionOf(sequelize: Sequelize, place: Place, transaction?: unknown): Promise<number> {
  const options = { type: QueryTypes.SELECT, ...(transaction !== undefined && { transaction }) }
  const [row] = (await sequelize.query(place.whoami, options as never)) as unknown as { id: unknown }[]
  return Number(row?.id)
}

describe.each(Object.entries(places))('Sequelize 7 on %s', (name, place) => {
  if (name === 'MariaDB') needs(place.isHere, NO_MARIADB)

  test('models, relations, transactions that are undone, and twelve of them at a time', async () => {
    const sequelize = openOn(place, { pool: { max: 3 } })
    const Author = sequelize.define('author', { name: DataTypes.STRING(80) }, { timestamps: false })
    const Book = sequelize.define('book', { title: DataTypes.STRING(80) }, { timestamps: false })
    Author.hasMany(Book, { as: 'books', foreignKey: 'authorId' })
    await sequelize.sync({ force: true })
    const ada = await Author.create({ name: 'Ada' } as never)
    await Book.create({ title: 'Notes', authorId: ada.get('id') } as never)
    const found = await Author.findOne({ include: ['books'] })
    expect(found?.toJSON()).toMatchObject({ name: 'Ada', books: [{ title: 'Notes' }] })
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, (_, i) =>
        sequelize.transaction(async (transaction) => {
          const session = await sessionOf(sequelize, place, transaction)
          await Author.create({ name: `author ${i}` } as never)
          // Without being told: CLS is on by default here.
          expect(await sessionOf(sequelize, place)).toBe(session)
          if (i % 2 === 0) throw new Error('undo')
        }),
      ),
    )
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(6)
    expect(await Author.count()).toBe(7)
    // Growth that was started for a demand that is gone goes on until it is there.
    await eventually(() => {
      const { leased, waiting, total, idle } = poolsOf(sequelize).write.stats()
      expect({ leased, waiting, idle }).toEqual({ leased: 0, waiting: 0, idle: total })
    })
    const { size, available, using, waiting } = sequelize.pool
    expect(size).toBeLessThanOrEqual(3)
    expect({ available, using, waiting }).toEqual({ available: size, using: 0, waiting: 0 })
  })

  test('a session that dies in a transaction costs no slot, and ends in errors that are caught', async () => {
    hushed()
    const sequelize = openOn(place, { pool: { max: 1 } })
    const transaction = await sequelize.startUnmanagedTransaction()
    await place.kill(await sessionOf(sequelize, place, transaction))
    expect(await sessionOf(sequelize, place)).toBeGreaterThan(0)
    await expect(transaction.rollback()).rejects.toThrow()
    await sequelize.authenticate()
    expect(poolsOf(sequelize).write.stats()).toMatchObject({ leased: 0, total: 1 })
  })

  test('a transaction that was left open is rolled back', async () => {
    const sequelize = openOn(place, { pool: { max: 1 } })
    await sequelize.query('start transaction')
    const stats = poolsOf(sequelize).write.stats
    await eventually(() => expect(stats.call(poolsOf(sequelize).write).resetting).toBe(0))
    const session = await sessionOf(sequelize, place)
    expect(await sequelize.withConnection(async (connection) => typeof connection)).toBe('object')
    expect(await sessionOf(sequelize, place)).toBe(session)
  })

  test("its own errors: no connection free, with the pool's state; no server there", async () => {
    const sequelize = openOn(place, { pool: { max: 1 } })
    const held = await sequelize.startUnmanagedTransaction()
    poolsOf(sequelize).write.resize({ acquireTimeoutMs: 100 })
    const error: unknown = await sequelize.query('select 1').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConnectionAcquireTimeoutError)
    expect((error as Error).cause).toBeInstanceOf(AcquireTimeoutError)
    expect((error as Error).message).toMatch(/1 leased, 0 idle, 0 connecting, 1 waiting, max 1/)
    await held.rollback()
    const away =
      name === 'MariaDB' ? { port: 1 } : { url: new URL(postgres.url()).href.replace(/:\d+\//, ':1/') }
    await expect(openOn(place, away).authenticate()).rejects.toBeInstanceOf(ConnectionRefusedError)
  })

  test('the hooks are run, those of the pool as well, and destroyAllNow leaves a pool that goes on', async () => {
    const sequelize = openOn(place)
    const told: string[] = []
    for (const hook of ['beforePoolAcquire', 'beforeConnect', 'afterConnect', 'afterPoolAcquire'] as const) {
      sequelize.hooks.addListener(hook, () => void told.push(hook))
    }
    sequelize.hooks.addListener('afterDisconnect', () => void told.push('afterDisconnect'))
    await sequelize.authenticate()
    expect(told).toEqual(['beforePoolAcquire', 'beforeConnect', 'afterConnect', 'afterPoolAcquire'])
    await sequelize.pool.destroyAllNow()
    await eventually(() => expect(told.at(-1)).toBe('afterDisconnect'))
    await sequelize.authenticate()
    await sequelize.close()
    expect(poolsOf(sequelize).write.closed).toBe(true)
    await expect(sequelize.authenticate()).rejects.toThrow(/closed/)
  })

  test('a hook that throws keeps no connection', async () => {
    const sequelize = openOn(place, { pool: { max: 1, acquire: 20_000 } })
    const forget = sequelize.hooks.addListener('afterPoolAcquire', () => {
      throw new Error('not this one')
    })
    await expect(sequelize.authenticate()).rejects.toThrow('not this one')
    forget()
    await sequelize.authenticate()
  })

  test('its own pool cannot come back unnoticed, and a pool of others is refused', async () => {
    const sequelize = plainOn(place)
    const its = sequelize.pool
    onTestFinished(() => its.destroyAllNow())
    rockpoolSequelize(sequelize)
    expect(() => Object.assign(sequelize, { pool: its })).toThrow(PoolBypassedError)
    Object.defineProperty(sequelize, 'pool', { value: its, configurable: true })
    await expect(sequelize.authenticate()).rejects.toBeInstanceOf(PoolBypassedError)
    const pool = createPool(pg(postgres.url()))
    expect(() => rockpoolSequelize(plainOn(place), pool)).toThrow(InvalidOptionError)
  })
})

test('replication: reads by the readers, writes by the writer', async () => {
  const place = places.PostgreSQL as Place
  const { hostname, port, pathname, username, password } = new URL(postgres.url())
  const server = { host: hostname, port: Number(port), database: pathname.slice(1), user: username, password }
  const replication = {
    write: { ...server, application_name: 'writer' },
    read: [{ ...server, application_name: 'reader' }],
  }
  const sequelize = openOn({ ...place, address: () => ({}) }, { replication })
  const sql = `select current_setting('application_name') as name`
  const name = async (options: object) =>
    ((await sequelize.query(sql, { type: QueryTypes.SELECT, ...options } as never)) as unknown[])[0]
  expect(await name({})).toEqual({ name: 'reader' })
  expect(await name({ useMaster: true })).toEqual({ name: 'writer' })
  expect(poolsOf(sequelize).read?.stats().created).toBe(1)
})
