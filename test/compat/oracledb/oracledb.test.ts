import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import ours, {
  type OraclePool,
  type OraclePoolAttributes,
  oraclePool,
  rockpoolOracledb,
} from '../../../src/compat/oracledb/index.ts'
import { InvalidOptionError } from '../../../src/contract/errors.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { type FakeOracleConnection, FakeOracledb } from './fake-oracledb.ts'

const original = createRequire(import.meta.url)('oracledb')

async function oracleWorld(attributes: OraclePoolAttributes = {}) {
  const server = new FakeOracledb()
  const oracledb = rockpoolOracledb(server.module())
  const pool = await oracledb.createPool({
    user: 'hr',
    password: 'secret',
    connectString: 'db/xe',
    ...attributes,
  })
  const borrow = async () => (await pool.getConnection()) as unknown as FakeOracleConnection
  return { server, oracledb, pool, borrow }
}

test('has every name that the original has, and its settings are the same ones', () => {
  expect(Object.keys(ours).sort()).toEqual(Object.keys(original).sort())
  expect(ours.DB_TYPE_NUMBER).toBe(original.DB_TYPE_NUMBER)
  const before = original.fetchArraySize
  ours.fetchArraySize = before + 1
  expect(original.fetchArraySize).toBe(before + 1)
  original.fetchArraySize = before
  expect(original.createPool).not.toBe(ours.createPool)
})

test('pools have the methods and attributes that pools of the original have', async () => {
  const { pool } = await oracleWorld()
  const names = Object.getOwnPropertyNames(original.Pool.prototype).filter((name) => !name.startsWith('_'))
  // For tracers of the driver itself.
  expect(names.filter((name) => !(name in pool))).toEqual(['connectTraceConfig'])
  expect((pool as OraclePool)._logStats).toBeTypeOf('function')
})

test('what it asks of connections is on the prototype of the original', () => {
  const { prototype } = original.Connection
  for (const name of ['ping', 'rollback', 'close', 'isHealthy'])
    expect(prototype[name]).toBeTypeOf('function')
  expect(Object.getOwnPropertyDescriptor(prototype, 'transactionInProgress')?.get).toBeTypeOf('function')
})

test('attributes have the defaults of the original, and follow what the program sets', async () => {
  const { pool } = await oracleWorld()
  const { poolMax, poolMin, poolIncrement, poolTimeout, poolPingInterval, poolPingTimeout, stmtCacheSize } =
    original
  expect(pool).toMatchObject({
    poolMax,
    poolMin,
    poolIncrement,
    poolTimeout,
    poolPingInterval,
    poolPingTimeout,
  })
  expect(pool).toMatchObject({ stmtCacheSize, queueMax: 500, queueTimeout: 60_000, enableStatistics: false })
  expect(pool).toMatchObject({ user: 'hr', connectString: 'db/xe', poolAlias: 'default', homogeneous: true })
  expect(pool.status).toBe(original.POOL_STATUS_OPEN)
  original.poolMax = 7
  expect((await oracleWorld()).pool.poolMax).toBe(7)
  original.poolMax = poolMax
})

test('close gives a connection back, and it is closed for whoever still has it', async () => {
  const { pool, borrow } = await oracleWorld()
  const first = await borrow()
  expect([pool.connectionsInUse, pool.connectionsOpen]).toEqual([1, 1])
  await first.close()
  expect([pool.connectionsInUse, pool.connectionsOpen]).toEqual([0, 1])
  const second = await borrow()
  expect(second.id).toBe(first.id)
  await expect(first.execute('SELECT 1')).rejects.toThrow('NJS-003')
  await expect(first.close()).rejects.toThrow('NJS-003')
  expect((await second.execute('SELECT 1')).rows).toEqual([[1]])
})

test('close({ drop: true }) ends a connection, and so does its death', async () => {
  const { server, pool } = await oracleWorld()
  const dropped = await pool.getConnection()
  await dropped.close({ drop: true })
  expect([server.closed, pool.connectionsOpen]).toEqual([[1], 0])
  const dead = await pool.getConnection()
  server.connections[1]?.die()
  await dead.close()
  expect(pool.connectionsOpen).toBe(0)
})

test('a transaction that was left open is rolled back before the next borrower', async () => {
  const { borrow } = await oracleWorld({ poolMax: 1 })
  const first = await borrow()
  await first.execute('UPDATE accounts SET balance = 0')
  await first.close()
  const second = await borrow()
  expect([second.transactionInProgress, second.statements]).toEqual([
    false,
    ['UPDATE accounts SET balance = 0', 'rollback'],
  ])
  await second.execute('SELECT 1')
  await second.close()
  expect((await borrow()).statements.filter((text) => text === 'rollback')).toHaveLength(1)
})

test('a statement that still runs when its connection comes back is rolled back before the next borrower', async () => {
  const { server, borrow } = await oracleWorld({ poolMax: 1 })
  const first = await borrow()
  let goOn: (value?: unknown) => void = () => undefined
  server.pace = new Promise((resolve) => {
    goOn = resolve
  })
  const running = first.execute('UPDATE accounts SET balance = 0')
  await first.close()
  const next = borrow()
  goOn()
  await running
  expect([(await next).transactionInProgress, (await next).statements]).toEqual([
    false,
    ['UPDATE accounts SET balance = 0', 'rollback'],
  ])
})

test('a connection that has died since it came back is not lent, though it is no time yet to ping it', async () => {
  const { server, borrow } = await oracleWorld({ poolMax: 1, poolPingInterval: 60 })
  await (await borrow()).close()
  server.connections[0]?.die()
  expect((await borrow()).id).toBe(2)
  expect(server.pings).toBe(0)
})

test('whoever waits for a connection is told at once why there is none', async () => {
  const { server, borrow } = await oracleWorld({ queueTimeout: 60_000 })
  server.refusal = Object.assign(new Error('ORA-01017: invalid credential'), { code: 'ORA-01017' })
  await expect(borrow()).rejects.toBe(server.refusal)
  server.refusal = Object.assign(new Error('ORA-12541: no listener'), { code: 'ORA-12541' })
  await expect(borrow()).rejects.toBe(server.refusal)
  server.refusal = undefined
  expect((await borrow()).id).toBeGreaterThan(2)
})

test('queueMax and stmtCacheSize change while the pool runs', async () => {
  const { pool, borrow, server } = await oracleWorld({ poolMax: 1, queueMax: 5 })
  const first = await borrow()
  await pool.reconfigure({ queueMax: 0, stmtCacheSize: 7 })
  await expect(pool.getConnection()).rejects.toMatchObject({ code: 'NJS-076' })
  await pool.reconfigure({ queueMax: -1, poolMax: 2 })
  await borrow()
  const waiting = [pool.getConnection(), pool.getConnection()]
  await first.close()
  await (await waiting[0])?.close()
  expect((await waiting[1])?.close).toBeTypeOf('function')
  expect(server.opened[1]).toMatchObject({ stmtCacheSize: 7 })
})

test('a closed connection tells who called it in his own way: by promise or by callback', async () => {
  const { borrow } = await oracleWorld()
  const closed = await borrow()
  await closed.close()
  await expect(closed.execute('SELECT 1')).rejects.toMatchObject({ code: 'NJS-003' })
  const told = new Promise((resolve) => closed.execute('SELECT 1', [], resolve))
  expect(await told).toMatchObject({ code: 'NJS-003' })
  expect(closed.isHealthy()).toBe(false)
})

test('connections are pinged before they are lent when they were idle for poolPingInterval', async () => {
  const always = await oracleWorld({ poolMax: 1, poolPingInterval: 0 })
  await (await always.borrow()).close()
  await (await always.borrow()).close()
  expect(always.server.pings).toBeGreaterThan(0)
  const never = await oracleWorld({ poolMax: 1, poolPingInterval: -1 })
  await (await never.borrow()).close()
  await (await never.borrow()).close()
  expect(never.server.pings).toBe(0)
})

test('callers who wait too long, or are too many, get the codes of the original', async () => {
  const { pool, borrow } = await oracleWorld({ poolMax: 1, queueMax: 1, queueTimeout: 30 })
  await borrow()
  const first = pool.getConnection()
  await expect(pool.getConnection()).rejects.toMatchObject({ code: 'NJS-076' })
  await expect(first).rejects.toMatchObject({ code: 'NJS-040', message: expect.stringContaining('1 leased') })
})

test('takes callbacks', async () => {
  const { oracledb } = await oracleWorld()
  const id = await new Promise((resolve, reject) => {
    oracledb.createPool({ poolAlias: 'called' }, (error, pool) => {
      if (error) return reject(error)
      pool.getConnection((failure, connection) => {
        if (failure) return reject(failure)
        const { id } = connection as unknown as FakeOracleConnection
        connection.close(() => {
          pool.close(0, (last) => (last ? reject(last) : resolve(id)))
        })
      })
    })
  })
  expect(id).toBe(1)
})

test('pools are found by their alias, and by none the first of them', async () => {
  const { oracledb, pool } = await oracleWorld()
  const other = await oracledb.createPool({ poolAlias: 'other' })
  expect(oracledb.getPool()).toBe(pool)
  expect(oracledb.getPool('other')).toBe(other)
  await expect(oracledb.createPool({ poolAlias: 'other' })).rejects.toMatchObject({ code: 'NJS-046' })
  await oracledb.getConnection()
  expect(pool.connectionsInUse).toBe(1)
  await oracledb.getConnection('other')
  await oracledb.getConnection({ poolAlias: 'other' })
  expect(other.connectionsInUse).toBe(2)
  await other.close(0)
  expect(() => oracledb.getPool('other')).toThrow('NJS-047')
})

test('close without a time refuses while connections are out; with one it waits for them', async () => {
  const { pool, oracledb, borrow, server } = await oracleWorld()
  const lent = await borrow()
  await expect(pool.close()).rejects.toMatchObject({ code: 'NJS-104' })
  const closed = pool.close(30)
  expect(pool.status).toBe(oracledb.POOL_STATUS_DRAINING)
  await expect(pool.getConnection()).rejects.toMatchObject({ code: 'NJS-064' })
  await lent.close()
  await closed
  expect([pool.status, server.closed]).toEqual([oracledb.POOL_STATUS_CLOSED, [1]])
  await expect(pool.getConnection()).rejects.toMatchObject({ code: 'NJS-065' })
})

test('close(0) ends what is still out', async () => {
  const { pool, borrow, server } = await oracleWorld()
  const lent = await borrow()
  await pool.close(0)
  expect(server.closed).toEqual([1])
  await lent.close()
})

test('sessionCallback prepares each new session, and one that was prepared for another tag', async () => {
  const calls: string[] = []
  const { pool } = await oracleWorld({
    poolMax: 1,
    sessionCallback: (_, tag, done) => {
      calls.push(tag)
      done(tag === 'bad' ? new Error('cannot prepare') : undefined)
    },
  })
  for (const tag of ['', '', 'blue']) await (await pool.getConnection({ tag }))?.close()
  expect(calls).toEqual(['', 'blue'])
  await expect(pool.getConnection({ tag: 'bad' })).rejects.toThrow('cannot prepare')
  expect(pool.connectionsOpen).toBe(0)
})

test('statistics count what was asked for', async () => {
  const { pool, borrow } = await oracleWorld({ poolMax: 1, enableStatistics: true })
  const first = await borrow()
  const second = pool.getConnection()
  await first.close()
  await (await second)?.close()
  expect(pool.getStatistics()).toMatchObject({
    connectionRequests: 2,
    requestsEnqueued: 1,
    requestsDequeued: 1,
    connectionsOpen: 1,
    poolMax: 1,
  })
  await pool.reconfigure({ resetStatistics: true, poolMax: 3 })
  expect(pool.getStatistics()).toMatchObject({ connectionRequests: 0, poolMax: 3 })
  expect((await oracleWorld()).pool.getStatistics()).toBe(null)
})

test('connections are opened with the attributes that are theirs, and a new token from then on', async () => {
  const { pool, borrow, server } = await oracleWorld({ poolMax: 2 })
  await borrow()
  await pool.setAccessToken({ token: 't', privateKey: 'k' })
  await borrow()
  expect(server.opened).toEqual([
    { user: 'hr', password: 'secret', connectString: 'db/xe' },
    { user: 'hr', password: 'secret', connectString: 'db/xe', accessToken: { token: 't', privateKey: 'k' } },
  ])
})

test('what lends by user, shard or procedure stays with the pool of oracledb itself', async () => {
  const { pool, oracledb } = await oracleWorld()
  await expect(pool.getConnection({ user: 'other' })).rejects.toThrow(InvalidOptionError)
  await expect(oracledb.createPool({ homogeneous: false })).rejects.toThrow('homogeneous')
  await expect(oracledb.createPool({ sessionCallback: 'pkg.proc' })).rejects.toThrow('sessionCallback')
  await expect(oracledb.createPool({ poolMin: 9, poolMax: 2 })).rejects.toThrow('poolMin')
})

test('around an existing pool, close lets go of it', async () => {
  const server = new FakeOracledb()
  const module = server.module()
  const connect = module.getConnection as (attributes: object) => Promise<never>
  const shared = createResourcePool<never>({
    name: 'oracledb',
    connect: () => connect({}),
    close: (connection: { close(): Promise<void> }) => connection.close(),
  } as never)
  const pool = oraclePool(shared, { module })
  await (await pool.getConnection())?.close()
  await pool.close()
  expect([shared.closed, shared.stats().idle]).toEqual([false, 1])
  await shared.close()
})
