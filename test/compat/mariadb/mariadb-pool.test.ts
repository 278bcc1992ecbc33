import type { Pool, PoolConnection } from 'mariadb'
import * as original from 'mariadb'
import { afterAll, describe, expect, test } from 'vitest'
import { mariadbPool } from '../../../src/compat/mariadb/index.ts'
import { mariadb } from '../../../src/drivers/mariadb/index.ts'
import { createPool } from '../../../src/index.ts'
import { type Comparison, compare } from '../../comparison/comparison.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from '../../support/mariadb.ts'
import { Overseer } from '../../support/mysql-server.ts'
import { eventually } from '../../support/postgres.ts'
import { needs } from '../../support/skip.ts'

needs(hasMariadb, NO_MARIADB)

const server = hasMariadb ? await startMariadb() : undefined
const overseer = server === undefined ? undefined : await Overseer.of(server)
const at = {
  host: server?.host ?? '',
  port: server?.port ?? 0,
  user: 'app',
  password: 'S3cret#',
  database: 'app',
}

afterAll(async () => {
  await overseer?.close()
  await server?.close()
})

/** A pool of one connection; `acquireTimeout` is also the time that it has to connect. */
type Make = (acquireTimeout?: number) => Pool

const ourPool: Make = (acquireTimeoutMs = 20_000) => {
  const pool = createPool(mariadb(at, { module: original }), { max: 1, acquireTimeoutMs })
  return mariadbPool(pool, { ownsPool: true })
}
const theirPool: Make = (acquireTimeout = 20_000) =>
  original.createPool({ ...at, connectionLimit: 1, acquireTimeout })

type Work = (pool: Pool) => Promise<string>

const trial =
  (work: Work, acquireTimeout?: number): Comparison<Make>['run'] =>
  async (make) => {
    const pool = make(acquireTimeout)
    try {
      return await work(pool)
    } finally {
      void pool.end().catch(() => undefined)
    }
  }
const same = (name: string, work: Work, acquireTimeout?: number): Comparison<Make> => {
  return { name, verdict: 'same', run: trial(work, acquireTimeout) }
}
const better = (name: string, reason: string, work: Work): Comparison<Make> => {
  return { name, verdict: 'better', reason, run: trial(work) }
}
const show = (value: unknown) =>
  JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}n` : one))
const outcome = (promise: Promise<unknown>) =>
  promise.then(show, ({ code, name }: { code?: string; name: string }) => code ?? name)

/** What the next borrower finds. */
const leftBehind = (leave: (connection: PoolConnection) => Promise<unknown>, look: string): Work => {
  return async (pool) => {
    const connection = await pool.getConnection()
    await leave(connection)
    await connection.release()
    return outcome(pool.query(look))
  }
}

describe('mariadb and its shape', () => {
  compare(
    'docs/compat/mariadb.md',
    { original: 'mariadb 3.5', theirs: async () => theirPool, ours: async () => ourPool },
    [
      same('`query` gives the rows', async (pool) => show(await pool.query('select ? as n, 1 as one', [42]))),
      same('`execute`', async (pool) => show(await pool.execute('select ? as n', ['x']))),
      same('`batch`', async (pool) => {
        await pool.query('create or replace table batched (n int)')
        return show(await pool.batch('insert into batched values (?)', [[1], [2]]))
      }),
      same('an error of a statement', (pool) => outcome(pool.query('select * from nowhere'))),
      same('a transaction of a connection', async (pool) => {
        await pool.query('create or replace table kept (n int)')
        const connection = await pool.getConnection()
        await connection.beginTransaction()
        await connection.query('insert into kept values (1)')
        await connection.commit()
        await connection.release()
        return show(await pool.query('select n from kept'))
      }),
      same('numbers of the pool', async (pool) => {
        const connection = await pool.getConnection()
        const waiting = pool.query('select 1')
        const numbers = [pool.activeConnections(), pool.totalConnections(), pool.idleConnections()]
        await connection.release()
        await waiting
        return numbers.join()
      }),
      same('released twice', async (pool) => {
        const connection = await pool.getConnection()
        await connection.release()
        await connection.release()
        return show(await pool.query('select 1 as n'))
      }),
      same(
        'a transaction left open at `release`',
        leftBehind(async (connection) => {
          await connection.query('create or replace table opened (n int) engine = innodb')
          await connection.beginTransaction()
          await connection.query('insert into opened values (1)')
        }, 'select n from opened'),
      ),
      better(
        'a variable left behind',
        'the session is as after connecting',
        leftBehind((connection) => connection.query('set @left = 1'), 'select @left as found'),
      ),
      better(
        'another database left behind',
        'the session is as after connecting',
        leftBehind((connection) => connection.query('use elsewhere'), 'select database() as found'),
      ),
      better('`query` after `release`', 'it is refused', async (pool) => {
        const connection = await pool.getConnection()
        await connection.release()
        return outcome(connection.query('select 1 as n'))
      }),
      same(
        'all connections are in use',
        async (pool) => {
          const connection = await pool.getConnection()
          const said = await outcome(pool.query('select 1'))
          await connection.release()
          return said
        },
        3_000,
      ),
      same('a borrowed connection dies: the next caller', async (pool) => {
        const connection = await pool.getConnection()
        connection.on('error', () => undefined)
        await overseer?.kill(connection.threadId)
        const said = await outcome(pool.query('select 1 as n'))
        await connection.release()
        return said
      }),
      same('after `end`', async (pool) => {
        await pool.query('select 1')
        await pool.end()
        return outcome(pool.query('select 1'))
      }),
    ],
  )
})

test('letting go of a pool leaves it open, and who waits is told', async () => {
  const pool = createPool(mariadb(at, { module: original }), { max: 1 })
  const shaped = mariadbPool(pool)
  const connection = await shaped.getConnection()
  const waiting = shaped.query('select 1')
  await Promise.all([expect(waiting).rejects.toThrow('pool is closed'), shaped.end()])
  await connection.release()
  expect((await pool.query('select 2 as n')).rows).toEqual([{ n: 2 }])
  await pool.close()
})

test('listeners of a borrower leave with him', async () => {
  const shaped = ourPool()
  const connection = await shaped.getConnection()
  expect(connection.on('end', () => undefined)).toBe(connection)
  expect(connection.listeners('end')).toHaveLength(1)
  await connection.release()
  const next = await shaped.getConnection()
  expect(next.listeners('end')).toHaveLength(0)
  await next.release()
  await shaped.end()
})

test('whoever prepares new sessions in `connection` does so again when a borrower has spoilt one', async () => {
  const shaped = ourPool()
  shaped.on('connection', (connection) => void connection.query("set @prepared = 'yes'"))
  const connection = await shaped.getConnection()
  await connection.query('set @mine = 1')
  await connection.release()
  expect(await shaped.query('select @prepared as p, @mine as m')).toEqual([{ p: 'yes', m: null }])
  await shaped.end()
})

test('a connection that died while it was borrowed is given back without harm', async () => {
  const shaped = ourPool()
  const connection = await shaped.getConnection()
  await connection.beginTransaction()
  await overseer?.kill(connection.threadId)
  await eventually(async () => expect(await shaped.query('select 1 as n')).toEqual([{ n: 1 }]))
  await expect(connection.commit()).rejects.toThrow()
  await connection.release()
  connection.destroy()
  await shaped.end()
})

test('what is no pool is refused', () => {
  expect(() => mariadbPool({} as never)).toThrow(/mariadbPool takes a pool/)
})
