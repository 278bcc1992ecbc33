import { once } from 'node:events'
import type { RowDataPacket } from 'mysql2'
import * as original from 'mysql2'
import type { Pool, PoolConnection, PoolOptions } from 'mysql2/promise'
import * as originalPromises from 'mysql2/promise'
import { afterAll, expect, test } from 'vitest'
import * as callbacks from '../../../src/compat/mysql2/index.ts'
import * as promises from '../../../src/compat/mysql2/promise.ts'
import { mysql2 } from '../../../src/drivers/mysql2/index.ts'
import { createPool } from '../../../src/index.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from '../../support/mariadb.ts'
import { Overseer } from '../../support/mysql-server.ts'
import { eventually } from '../../support/postgres.ts'
import { needs } from '../../support/skip.ts'

needs(hasMariadb, NO_MARIADB)

const server = hasMariadb ? await startMariadb() : undefined
const overseer = server === undefined ? undefined : await Overseer.of(server)
const uri = server?.url() ?? ''

afterAll(async () => {
  await overseer?.close()
  await server?.close()
})

/** Works on a pool which must be whole afterwards: no place lost, and it still answers. */
async function onPool(options: PoolOptions & { rockpool?: object }, work: (pool: Pool) => Promise<unknown>) {
  const pool = promises.createPool({ uri, connectionLimit: 2, ...options } as promises.PoolOptions)
  try {
    await work(pool)
    await eventually(() =>
      expect(promises.rockpoolOf(pool).stats()).toMatchObject({ leased: 0, resetting: 0 }),
    )
    expect((await pool.query('select 1 as n'))[0]).toEqual([{ n: 1 }])
  } finally {
    await pool.end()
  }
}

async function threadOf(pool: Pool | PoolConnection): Promise<number> {
  const [[row]] = await pool.query<RowDataPacket[]>('select connection_id() as id')
  return row?.id as number
}

test('every name of the originals is there', () => {
  expect(Object.keys(callbacks)).toEqual(expect.arrayContaining(Object.keys(original)))
  expect(Object.keys(promises)).toEqual(expect.arrayContaining(Object.keys(originalPromises)))
  expect(Object.keys(callbacks.default)).toEqual(expect.arrayContaining(Object.keys(original.default)))
})

test('what is no pool is the package’s own', async () => {
  expect(callbacks.Types.LONG).toBe(original.Types.LONG)
  expect(Object.keys(callbacks.Charsets)).toEqual(Object.keys(original.Charsets))
  expect(callbacks.format('?', ["a'b"])).toBe(original.format('?', ["a'b"]))
  class Mine extends callbacks.Connection {}
  expect(Object.getPrototypeOf(Mine.prototype)).toBe(original.Connection.prototype)
  const connection = await promises.createConnection(uri)
  expect(connection).toBeInstanceOf(promises.Connection)
  expect(connection).toBeInstanceOf(originalPromises.Connection)
  await connection.end()
})

test('a statement of the pool leaves nothing to be cleaned', () =>
  onPool({}, async (pool) => {
    let resets = 0
    promises.rockpoolOf(pool).on('reset', () => resets++)
    for (let i = 0; i < 5; i++) {
      await pool.query('select ? as n', [i])
      await pool.execute('select ? as n', [i])
    }
    expect(resets).toBe(0)
  }))

test('transactions stay on their connections, many at a time', () =>
  onPool({ connectionLimit: 4 }, async (pool) => {
    const work = async () => {
      const connection = await pool.getConnection()
      await connection.beginTransaction()
      const first = await threadOf(connection)
      await connection.query('select sleep(0.002)')
      expect(await threadOf(connection)).toBe(first)
      await connection.commit()
      connection.release()
    }
    await Promise.all(Array.from({ length: 20 }, work))
    expect(promises.rockpoolOf(pool).stats().total).toBeLessThanOrEqual(4)
  }))

const states: [state: string, prepare: (connection: PoolConnection) => unknown][] = [
  ['that is borrowed and idle', () => undefined],
  ['in a transaction', (connection) => connection.beginTransaction()],
  [
    'with a statement in flight',
    (connection) => void connection.query('select sleep(20)').catch(() => undefined),
  ],
  [
    'with rows in flight',
    (connection) =>
      (connection.connection as unknown as original.Connection)
        .query('select seq, sleep(0.01) from seq_1_to_9999')
        .stream()
        .on('error', () => undefined)
        .resume(),
  ],
  [
    'that has been released with a statement in flight',
    (connection) => {
      void connection.query('select sleep(20)').catch(() => undefined)
      connection.release()
    },
  ],
]

test.each(states)('the server ends a session %s', (_, prepare) =>
  onPool({ connectionLimit: 1 }, async (pool) => {
    const connection = await pool.getConnection()
    const { threadId } = connection
    await prepare(connection)
    await overseer?.kill(threadId)
    expect(await threadOf(pool)).not.toBe(threadId)
    connection.release()
    connection.destroy()
  }),
)

test('the server ends an idle session, and one that serves a statement of the pool', () =>
  onPool({ connectionLimit: 1 }, async (pool) => {
    const idle = await threadOf(pool)
    await overseer?.kill(idle)
    await eventually(async () => expect(await threadOf(pool)).not.toBe(idle))
    const refused = expect(pool.query('select sleep(20)')).rejects.toThrow()
    const running = "select id from information_schema.processlist where info = 'select sleep(20)'"
    await eventually(async () => {
      const [row] = (await overseer?.ask<{ id: number }>(running)) ?? []
      await overseer?.kill(row?.id)
    })
    await refused
  }))

test('many statements by events at once are no reason for a warning, and all hear that their connection has died', async () => {
  const warnings: Error[] = []
  const note = (warning: Error) => void warnings.push(warning)
  process.on('warning', note)
  const pool = callbacks.createPool({ uri, connectionLimit: 1 })
  const connection = await new Promise<callbacks.PoolConnection>((resolve, reject) => {
    pool.getConnection((error, given) => (error ? reject(error) : resolve(given)))
  })
  const ends = Array.from({ length: 12 }, () => {
    const command = connection.query('select sleep(60)')
    command.on('error', () => undefined)
    return new Promise<void>((resolve) => command.once('end', () => resolve()))
  })
  await overseer?.kill(connection.threadId)
  await Promise.all(ends)
  connection.release()
  await new Promise<void>((resolve) => pool.end(() => resolve()))
  process.off('warning', note)
  expect(warnings).toEqual([])
})

test('a connection may be released before its statements have ended', () =>
  onPool({ connectionLimit: 1 }, async (pool) => {
    const connection = await pool.getConnection()
    const asked = connection.query('select sleep(0.05) as slept')
    connection.release()
    const next = pool.query('select 2 as n')
    expect((await asked)[0]).toEqual([{ slept: 0 }])
    expect((await next)[0]).toEqual([{ n: 2 }])
  }))

test('whoever prepares connections prepares a session again that was made anew', () =>
  onPool({ connectionLimit: 1 }, async (pool) => {
    let told = 0
    pool.pool.on('connection', (connection) => {
      told++
      connection.query('set @prepared = 1')
    })
    await pool.query('set @left = 1')
    await pool.query('select 1')
    const [rows] = await pool.query('select @prepared as prepared, @left as `left`')
    expect(rows).toEqual([{ prepared: 1, left: null }])
    expect(told).toBe(2)
  }))

test('resetOnRelease makes every session anew', () =>
  onPool({ connectionLimit: 1, resetOnRelease: true }, async (pool) => {
    await pool.query('select 1 into @unseen')
    expect((await pool.query('select @unseen as unseen'))[0]).toEqual([{ unseen: null }])
  }))

test('gracefulEnd: end() ends the connection', () =>
  onPool({ connectionLimit: 1, gracefulEnd: true }, async (pool) => {
    const connection = await pool.getConnection()
    const { threadId } = connection
    await connection.end()
    expect(await threadOf(pool)).not.toBe(threadId)
  }))

test('no limit of connections, none kept idle', () =>
  onPool({ connectionLimit: 0, maxIdle: 0, idleTimeout: 0 }, async (pool) => {
    const lent = await Promise.all(Array.from({ length: 12 }, () => pool.getConnection()))
    for (const connection of lent) connection.release()
    expect(promises.rockpoolOf(pool).stats().created).toBe(12)
  }))

test('a leak is told, with the place where it began', () =>
  onPool({ rockpool: { leakThresholdMs: 50 } }, async (pool) => {
    const rockpool = promises.rockpoolOf(pool)
    const leak = new Promise<string | undefined>((resolve) =>
      rockpool.once('leak', ({ stack }) => resolve(stack)),
    )
    const connection = await pool.getConnection()
    expect(await leak).toContain('pool.test.ts')
    connection.release()
  }))

test('around a pool that exists: who lets go of it does not close it', async () => {
  const pool = createPool(mysql2(uri, { module: original }), { max: 2 })
  const [first, second] = [promises.mysqlPool(pool), callbacks.mysqlPool(pool)]
  expect((await first.query('select 1 as n'))[0]).toEqual([{ n: 1 }])
  const [row] = await once(second.query('select 2 as n'), 'result')
  expect(row).toEqual({ n: 2 })
  await first.end()
  await expect(first.query('select 1')).rejects.toThrow('Pool is closed.')
  expect((await pool.query('select 3 as n')).rows).toEqual([{ n: 3 }])
  await promises.mysqlPool(pool, { ownsPool: true }).end()
  expect(pool.closed).toBe(true)
})

test('around a pool that was given no module, or the one with promises', async () => {
  for (const driver of [mysql2(uri), mysql2(uri, { module: originalPromises })]) {
    const pool = createPool(driver as ReturnType<typeof mysql2>)
    expect((await promises.mysqlPool(pool).query('select 1 as n'))[0]).toEqual([{ n: 1 }])
    await pool.close()
  }
})

test("a pool of its own by the user's copy of the package, which need not be found", async () => {
  class PassedConfig extends (original as unknown as { ConnectionConfig: new (options: object) => object })
    .ConnectionConfig {}
  const module = Object.create(original, { ConnectionConfig: { value: PassedConfig } })
  const pool = callbacks.createPool({ uri, module })
  expect(
    (pool as unknown as { config: { connectionConfig: object } }).config.connectionConfig,
  ).toBeInstanceOf(PassedConfig)
  const [row] = await once(pool.query('select 1 as n'), 'result')
  expect(row).toEqual({ n: 1 })
  await promises.createPool({ uri, module }).end()
  await pool.promise().end()
  expect(() => promises.createPool({ uri, module: {} })).toThrow(
    /"module" is an object: it must be the "mysql2" package/,
  )
})

test('what cannot be a pool is refused', () => {
  expect(() => promises.mysqlPool({} as never)).toThrow(/mysqlPool takes a pool/)
  expect(() => callbacks.rockpoolOf({})).toThrow(/rockpoolOf takes/)
  expect(() => promises.createPool(5 as never)).toThrow(/createPool takes a URL or an object/)
  expect(() => promises.createPool({ uri, connectionLimit: -1 })).toThrow(/"connectionLimit" is -1/)
})
