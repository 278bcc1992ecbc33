import { AsyncLocalStorage } from 'node:async_hooks'
import {
  ConnectionAcquireTimeoutError,
  ConnectionRefusedError,
  QueryTypes,
  Sequelize,
  type Transaction,
} from 'sequelize'
import { expect, onTestFinished, test } from 'vitest'
import { AcquireTimeoutError, PoolBypassedError } from '../../../src/index.ts'
import { poolsOf, rockpoolSequelize } from '../../../src/orm/sequelize/index.ts'
import { eventually } from '../../support/postgres.ts'
import {
  Author,
  Book,
  closedAtEnd,
  hushed,
  isWhole,
  type Lab,
  library,
  openOn,
  ping,
  plainOn,
  sessionOf,
  statsOf,
  Tag,
} from './lab.ts'

/** What holds on every server. */
export function behaves(lab: Lab): void {
  test('a schema with relations is made, filled and read with all that belongs to it', async () => {
    const sequelize = openOn(lab)
    await library(sequelize)
    const books = [
      { title: 'Notes', tags: [{ word: 'engine' }, { word: 'looms' }] },
      { title: 'Letters', tags: [] },
    ]
    const include = [{ association: 'books', include: [{ association: 'tags' }] }]
    await Author.create({ name: 'Ada', books } as never, { include })
    const found = await Author.findOne({
      where: { name: 'Ada' },
      include: [{ model: Book, as: 'books', include: [{ model: Tag, as: 'tags' }] }],
    })
    const read = found?.books?.map(({ title, tags = [] }) => [title, tags.map(({ word }) => word).sort()])
    expect(read?.sort()).toEqual([
      ['Letters', []],
      ['Notes', ['engine', 'looms']],
    ])
    await isWhole(sequelize)
  })

  test('a managed transaction commits what worked, and undoes what did not', async () => {
    const sequelize = openOn(lab)
    await library(sequelize)
    await sequelize.transaction((transaction) => Author.create({ name: 'Ada' }, { transaction }))
    const failing = sequelize.transaction(async (transaction) => {
      await Author.create({ name: 'Grace' }, { transaction })
      await Author.create({ name: 'Ada' }, { transaction })
    })
    await expect(failing).rejects.toMatchObject({ name: 'SequelizeUniqueConstraintError' })
    expect((await Author.findAll()).map(({ name }) => name)).toEqual(['Ada'])
    await isWhole(sequelize)
  })

  test('an unmanaged transaction, and one within it that is undone alone', async () => {
    const sequelize = openOn(lab)
    await library(sequelize)
    const outer = await sequelize.transaction()
    await Author.create({ name: 'Ada' }, { transaction: outer })
    const inner = await sequelize.transaction({ transaction: outer })
    await Author.create({ name: 'Grace' }, { transaction: inner })
    expect(await sessionOf(sequelize, lab, inner)).toBe(await sessionOf(sequelize, lab, outer))
    await inner.rollback()
    await outer.commit()
    expect((await Author.findAll()).map(({ name }) => name)).toEqual(['Ada'])
    expect(statsOf(sequelize)).toMatchObject({ leased: 0 })
  })

  test('twenty transactions at a time over four connections: each has one session to itself', async () => {
    const sequelize = openOn(lab, { pool: { max: 4 } })
    await library(sequelize)
    const holders = new Map<number, number>()
    const transactions = Array.from({ length: 20 }, (_, i) =>
      sequelize.transaction(async (transaction) => {
        const session = await sessionOf(sequelize, lab, transaction)
        expect(holders.get(session)).toBeUndefined()
        holders.set(session, i)
        await Author.create({ name: `author ${i}` }, { transaction })
        const again = [1, 2, 3].map(() => sessionOf(sequelize, lab, transaction))
        expect(await Promise.all(again)).toEqual([session, session, session])
        expect(await Author.count({ where: { name: `author ${i}` }, transaction })).toBe(1)
        expect(holders.get(session)).toBe(i)
        holders.delete(session)
        if (i % 3 === 0) throw new Error('undo')
      }),
    )
    const outcomes = await Promise.allSettled(transactions)
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(7)
    expect(await Author.count()).toBe(13)
    expect(statsOf(sequelize).total).toBeLessThanOrEqual(4)
    await isWhole(sequelize, 4)
  })

  test('with CLS, statements find the transaction that they are in', async () => {
    const storage = new AsyncLocalStorage<Map<string, unknown>>()
    const namespace = {
      run: (work: (context: unknown) => void) =>
        storage.run(new Map(storage.getStore()), () => work(storage.getStore())),
      bind: <F>(work: F) => work,
      get: (key: string) => storage.getStore()?.get(key),
      set: (key: string, value: unknown) => storage.getStore()?.set(key, value),
    }
    Sequelize.useCLS(namespace)
    onTestFinished(() => void Object.assign(Sequelize, { _cls: undefined }))
    const sequelize = openOn(lab, { pool: { max: 3 } })
    await library(sequelize)
    await Promise.allSettled(
      Array.from({ length: 9 }, (_, i) =>
        sequelize.transaction(async (transaction) => {
          await Author.create({ name: `author ${i}` })
          expect(await sessionOf(sequelize, lab)).toBe(await sessionOf(sequelize, lab, transaction))
          if (i % 2 === 0) throw new Error('undo')
        }),
      ),
    )
    expect((await Author.findAll({ order: ['name'] })).map(({ name }) => name)).toEqual(
      [1, 3, 5, 7].map((i) => `author ${i}`),
    )
    await isWhole(sequelize, 3)
  })

  test('an error in BEGIN leaves the pool whole', async () => {
    hushed()
    const sequelize = openOn(lab, { pool: { max: 1 } })
    sequelize.addHook('afterPoolAcquire', 'kill', async (connection) => {
      sequelize.removeHook('afterPoolAcquire', 'kill')
      const { processID, threadId } = connection as { processID?: number; threadId?: number }
      await lab.kill(Number(processID ?? threadId))
    })
    await expect(sequelize.transaction()).rejects.toThrow()
    await isWhole(sequelize, 1)
    const bad = { isolationLevel: 'NONSENSE' as Transaction.ISOLATION_LEVELS }
    await expect(sequelize.transaction(bad)).rejects.toMatchObject({ name: 'SequelizeDatabaseError' })
    await isWhole(sequelize, 1)
  })

  test('the server ends a session that a transaction holds: its slot is free at once, and every error is caught', async () => {
    hushed()
    const sequelize = openOn(lab, { pool: { max: 1, acquire: 10_000 } })
    const transaction = await sequelize.transaction()
    await lab.kill(await sessionOf(sequelize, lab, transaction))
    // The transaction has not ended for Sequelize, and its connection has not come back.
    expect(await sessionOf(sequelize, lab)).toBeGreaterThan(0)
    await expect(ping(sequelize, transaction)).rejects.toThrow()
    await expect(transaction.rollback()).rejects.toThrow()
    await isWhole(sequelize, 1)
    expect(statsOf(sequelize).closed.lost).toBe(1)
  })

  test('the session is ended before COMMIT: it fails, and the pool is whole', async () => {
    hushed()
    const sequelize = openOn(lab, { pool: { max: 1 } })
    await library(sequelize)
    const transaction = await sequelize.transaction()
    await Author.create({ name: 'Ada' }, { transaction })
    await lab.kill(await sessionOf(sequelize, lab, transaction))
    await expect(transaction.commit()).rejects.toThrow()
    await isWhole(sequelize, 1)
    expect(await Author.count()).toBe(0)
  })

  test('connections that died while idle are not lent', async () => {
    const sequelize = openOn(lab, { pool: { max: 3 } })
    const sessions = await Promise.all([1, 2, 3].map(() => sessionOf(sequelize, lab)))
    const dead = new Set(sessions)
    for (const session of dead) await lab.kill(session)
    await eventually(() => expect(statsOf(sequelize).closed.lost).toBe(dead.size))
    const next = await Promise.all([1, 2, 3].map(() => sessionOf(sequelize, lab)))
    for (const session of next) expect(sessions).not.toContain(session)
  })

  test('a transaction that somebody left open is rolled back before the connection is lent again', async () => {
    const sequelize = openOn(lab, { pool: { max: 1 } })
    await library(sequelize)
    await sequelize.query('start transaction')
    await Author.create({ name: 'Ada' })
    const [row] = await closedAtEnd(plainOn(lab)).query('select count(*) as n from authors', {
      type: QueryTypes.SELECT,
    })
    expect(Number((row as { n: unknown }).n)).toBe(1)
    expect(statsOf(sequelize)).toMatchObject({ created: 1, total: 1 })
  })

  test("when no connection is free: Sequelize's own error, with the state of the pool", async () => {
    const sequelize = openOn(lab, { pool: { max: 2 } })
    const held = await Promise.all([sequelize.transaction(), sequelize.transaction()])
    poolsOf(sequelize).write.resize({ acquireTimeoutMs: 100 })
    const error = await ping(sequelize).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConnectionAcquireTimeoutError)
    const { message, parent, cause } = error as ConnectionAcquireTimeoutError
    expect(message).toMatch(/pool "sequelize.*": no connection after \d+ ms: all connections stayed in use/)
    expect(message).toMatch(/2 leased, 0 idle, 0 connecting, 1 waiting, max 2/)
    expect(parent).toBeInstanceOf(AcquireTimeoutError)
    expect(cause).toBe(parent)
    poolsOf(sequelize).write.resize({ acquireTimeoutMs: 60_000 })
    for (const transaction of held) await transaction.rollback()
    await isWhole(sequelize, 2)
  })

  test('close waits for what is under way, refuses what comes, and leaves no session behind', async () => {
    const sequelize = openOn(lab, { pool: { max: 3 } })
    await library(sequelize)
    const before = await lab.sessions()
    expect(before).toBeGreaterThan(0)
    const transaction = await sequelize.transaction()
    const closed = sequelize.close()
    await expect(ping(sequelize)).rejects.toThrow(/closed/)
    await Author.create({ name: 'Ada' }, { transaction })
    await transaction.commit()
    await closed
    expect(poolsOf(sequelize).write.closed).toBe(true)
    await eventually(async () => expect(await lab.sessions()).toBe(0))
  })

  test('hooks run as they do on its own pool', async () => {
    const told = async (sequelize: Sequelize) => {
      const names: string[] = []
      for (const hook of ['beforeConnect', 'afterConnect', 'beforeDisconnect', 'afterDisconnect'] as const) {
        sequelize.addHook(hook as 'beforeConnect', () => void names.push(hook))
      }
      for (const hook of ['beforePoolAcquire', 'afterPoolAcquire'] as const) {
        sequelize.addHook(hook as 'beforePoolAcquire', () => void names.push(hook))
      }
      await ping(sequelize)
      await ping(sequelize)
      await sequelize.close()
      return names
    }
    const ours = await told(openOn(lab))
    // Its own pool connects once more to learn the version of a server that does not tell it.
    const theirs = await told(plainOn(lab))
    const acquired = ['beforePoolAcquire', 'afterPoolAcquire']
    expect(ours).toEqual([
      acquired[0],
      'beforeConnect',
      'afterConnect',
      acquired[1],
      ...acquired,
      'beforeDisconnect',
      'afterDisconnect',
    ])
    expect(new Set(theirs)).toEqual(new Set(ours))
  })

  test('a beforeConnect hook may change the password', async () => {
    const made = new Sequelize(lab.url().replace(/:([^:@/]*)@/, ':wrong@'), {
      logging: false,
      ...lab.options,
    })
    const sequelize = closedAtEnd(rockpoolSequelize(made))
    const password = decodeURIComponent(new URL(lab.url()).password)
    sequelize.addHook('beforeConnect', (config) => {
      ;(config as { password: string }).password = password
    })
    await sequelize.authenticate()
  })

  test('a server that is not there is told at once, in the words of Sequelize', async () => {
    const url = new URL(lab.url())
    url.port = '1'
    const made = new Sequelize(url.href, { logging: false, ...lab.options })
    const sequelize = closedAtEnd(rockpoolSequelize(made))
    await expect(sequelize.authenticate()).rejects.toBeInstanceOf(ConnectionRefusedError)
    // While the answer is fresh, nobody is sent to ask again.
    await expect(sequelize.authenticate()).rejects.toBeInstanceOf(ConnectionRefusedError)
  })

  test('or waited for, if that is wanted', async () => {
    const url = new URL(lab.url())
    url.port = '1'
    const made = new Sequelize(url.href, { logging: false, ...lab.options, pool: { acquire: 2_500 } })
    const sequelize = closedAtEnd(rockpoolSequelize(made, { unreachable: 'wait' }))
    const error = await sequelize.authenticate().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConnectionAcquireTimeoutError)
    expect((error as Error).message).toMatch(/last connect error: .*ECONNREFUSED/)
  })

  test('its own pool cannot come back unnoticed', async () => {
    const sequelize = openOn(lab)
    const manager = sequelize.connectionManager as unknown as { initPools(): void }
    expect(() => manager.initPools()).toThrow(PoolBypassedError)
    await sequelize.authenticate()
  })

  test('a connection that is not of the pool is noticed at the first use', async () => {
    const sequelize = openOn(lab)
    const nothing = async () => undefined
    const elsewhere = { acquire: async () => ({}), drain: nothing, destroyAllNow: nothing }
    Object.defineProperty(sequelize.connectionManager, 'pool', { value: elsewhere })
    await expect(ping(sequelize)).rejects.toBeInstanceOf(PoolBypassedError)
  })

  test('givers of what is not out are not heard', async () => {
    const sequelize = openOn(lab, { pool: { max: 1 } })
    const manager = sequelize.connectionManager as unknown as {
      getConnection(): Promise<object>
      releaseConnection(connection: object): void
      destroyConnection(connection: object): Promise<void>
    }
    const connection = await manager.getConnection()
    manager.releaseConnection(connection)
    manager.releaseConnection(connection)
    manager.releaseConnection({})
    expect(statsOf(sequelize)).toMatchObject({ leased: 0, idle: 1 })
    await manager.destroyConnection(connection)
    await manager.destroyConnection(connection)
    await isWhole(sequelize, 1)
    expect(statsOf(sequelize).created).toBe(2)
  })

  test("a check of the user's own decides whether a connection is lent again", async () => {
    const asked: unknown[] = []
    const validate = (connection?: unknown) => asked.push(connection) > 2
    const sequelize = openOn(lab, { pool: { max: 1, validate } })
    for (let i = 0; i < 4; i++) await ping(sequelize)
    expect(statsOf(sequelize)).toMatchObject({ created: 3, total: 1 })
    expect(statsOf(sequelize).closed.destroyed).toBe(2)
    expect(new Set(asked).size).toBe(3)
  })

  test("Sequelize's options of a pool, by rockpool's names", async () => {
    const sequelize = openOn(lab, { pool: { max: 2, min: 1, idle: 40, acquire: 25_000, maxUses: 2 } })
    const pool = poolsOf(sequelize).write
    await eventually(() => expect(pool.stats().total).toBe(1))
    for (let i = 0; i < 4; i++) await ping(sequelize)
    await eventually(() => expect(pool.stats().closed.uses).toBeGreaterThan(0))
    await Promise.all([ping(sequelize), ping(sequelize)])
    await eventually(() => expect(pool.stats()).toMatchObject({ total: 1, idle: 1 }))
    expect(pool.stats().max).toBe(2)
    expect((sequelize.connectionManager as unknown as { pool: object }).pool).toMatchObject({
      size: 1,
      available: 1,
      using: 0,
      waiting: 0,
      maxSize: 2,
      minSize: 1,
    })
  })
}
