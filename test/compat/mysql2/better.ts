import { inspect } from 'node:util'
import type { Connection, PoolConnection, RowDataPacket } from 'mysql2'
import type { Pool, PoolConnection as PromiseConnection } from 'mysql2/promise'
import { expect } from 'vitest'
import type { Comparison } from '../../comparison/comparison.ts'
import { eventually } from '../../support/postgres.ts'
import { HANGS, hear, onPool, outcome, rowsOf, type Subject, within } from './subject.ts'

const better = (name: string, reason: string, run: Comparison<Subject>['run']): Comparison<Subject> => ({
  name,
  verdict: 'better',
  reason,
  run,
})

const one = { connectionLimit: 1 }

/** Lends the only connection, and looks what the next borrower finds. */
const leavingBehind = (leave: (connection: PromiseConnection) => Promise<unknown>, look: string) => {
  return (subject: Subject) =>
    onPool(subject, one, async (pool) => {
      const connection = await pool.getConnection()
      await leave(connection)
      connection.release()
      return rowsOf(pool.query(look))
    })
}

const borrow = (pool: {
  getConnection: (done: (error: unknown, connection: PoolConnection) => void) => void
}) =>
  new Promise<PoolConnection>((resolve, reject) => {
    pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)))
  })

const threadOf = async (pool: Pool) => {
  const [[row]] = await pool.query<RowDataPacket[]>('select connection_id() as id')
  return row?.id as number
}

const found = (subject: Subject, condition: string) =>
  subject.overseer.ask(
    `select 1 from information_schema.processlist where ${condition} and id <> connection_id()`,
  )

const running = (subject: Subject, condition: string) =>
  eventually(async () => expect(await found(subject, condition)).not.toEqual([]))

/** Whether the server comes to have no such session. */
const gone = (subject: Subject, condition: string) =>
  eventually(async () => expect(await found(subject, condition)).toEqual([]), subject.patienceMs).then(
    () => true,
    () => false,
  )

export const dirt = [
  better(
    'a transaction left open at `release`',
    'it is rolled back',
    leavingBehind(async (connection) => {
      await connection.query('create or replace table left_open (n int) engine = innodb')
      await connection.beginTransaction()
      await connection.query('insert into left_open values (1)')
    }, 'select count(*) as uncommitted from left_open'),
  ),
  better(
    'a variable of the session left behind',
    'the session is as after connecting',
    leavingBehind((connection) => connection.query("set @left = 'behind'"), 'select @left as found'),
  ),
  better(
    'another database left behind',
    'the session is as after connecting',
    leavingBehind((connection) => connection.query('use elsewhere'), 'select database() as found'),
  ),
  better('a temporary table left behind', 'the session is as after connecting', (subject) =>
    onPool(subject, one, async (pool) => {
      const connection = await pool.getConnection()
      await connection.query('create temporary table left_behind as select 1 as n')
      connection.release()
      return outcome(rowsOf(pool.query('select * from left_behind')))
    }),
  ),
  better(
    'another user left behind (`changeUser`)',
    'such a connection is closed',
    leavingBehind(
      (connection) => connection.changeUser({ user: 'few', password: 'S3cret#' }),
      "select substring_index(user(), '@', 1) as user",
    ),
  ),
  better('a lock left behind (`get_lock`)', 'the session is as after connecting', (subject) =>
    onPool(subject, { connectionLimit: 2 }, async (pool) => {
      const [first, second] = [await pool.getConnection(), await pool.getConnection()]
      await first.query("select get_lock('turn', 0)")
      first.release()
      const asked = second.query(`select get_lock('turn', ${subject.patienceMs / 1_000}) as got`)
      const said = await rowsOf(asked)
      second.release()
      return said
    }),
  ),
  better('listeners of a borrower, after three borrowings', 'they leave with him', (subject) =>
    onPool(subject, one, async (_, pool) => {
      for (let i = 0; i < 3; i++) {
        const connection = await borrow(pool)
        connection.on('drain', () => undefined)
        connection.release()
      }
      const connection = await borrow(pool)
      const count = connection.listenerCount('drain')
      connection.release()
      return `${count} hear`
    }),
  ),
]

export const stale = [
  better('`release` by an earlier borrower, again', 'it does not reach the next one', (subject) =>
    onPool(subject, one, async (pool) => {
      const first = await pool.getConnection()
      first.release()
      const second = await pool.getConnection()
      first.release()
      const third = await within(300, pool.getConnection())
      const said = third === HANGS ? 'the second keeps it' : 'the second and a third have it'
      second.release()
      if (third !== HANGS) third.release()
      return said
    }),
  ),
  better('`query` by an earlier borrower', 'it is refused', (subject) =>
    onPool(subject, one, async (pool) => {
      const first = await pool.getConnection()
      first.release()
      const second = await pool.getConnection()
      await second.beginTransaction()
      const said = await outcome(first.query('commit'))
      second.release()
      return said.startsWith('LEASE_RELEASED')
        ? 'LEASE_RELEASED'
        : 'it commits the transaction of the next one'
    }),
  ),
  better('`destroy` by an earlier borrower', 'it does not reach the next one', (subject) =>
    onPool(subject, one, async (pool) => {
      const first = await pool.getConnection()
      first.release()
      const second = await pool.getConnection()
      first.destroy()
      const said = await outcome(second.query('select 1').then(() => 'the next one works on'))
      second.release()
      return said
    }),
  ),
]

export const deaths = [
  better('the server ends a session that streams', 'the stream fails', (subject) =>
    onPool(subject, one, async (_, pool) => {
      const connection = await borrow(pool)
      connection.on('error', () => undefined)
      const { threadId } = connection
      const rows = connection.query('select seq, repeat(2, 9999), sleep(0.01) from seq_1_to_10000').stream()
      const read = (async () => {
        for await (const row of rows) if (row.seq === 1) await subject.overseer.kill(threadId)
        return 'it ends as if it were whole'
      })()
      const said = await within(subject.patienceMs, outcome(read))
      connection.release()
      return said.replace(/:.*/, '')
    }),
  ),
  better('`destroy()` while a statement runs', 'its callback is called', (subject) =>
    onPool(subject, one, async (pool) => {
      const connection = await pool.getConnection()
      const asked = outcome(connection.query('select sleep(20)'))
      connection.destroy()
      return (await within(subject.patienceMs, asked)).replace(/:.*/, '')
    }),
  ),
  better('and the statement on the server', 'it is stopped', (subject) =>
    onPool(subject, one, async (pool) => {
      const connection = await pool.getConnection()
      const asked = connection.query('select sleep(33)')
      asked.catch(() => undefined)
      await running(subject, "info like 'select sleep(33)%'")
      connection.destroy()
      return (await gone(subject, "info like 'select sleep(33)%'")) ? 'stopped' : 'goes on'
    }),
  ),
  better(
    'the option `timeout` of a statement',
    'the connection is closed, as mysql2 documents it',
    (subject) =>
      onPool(subject, one, async (pool) => {
        const said = await outcome(pool.query({ sql: 'select sleep(20)', timeout: 50 }))
        const next = await within(subject.patienceMs, threadOf(pool))
        return `${said.replace(/:.*/, '')}, then the pool ${next === HANGS ? 'has no connection until it ends' : 'goes on'}`
      }),
  ),
]

export const waiting = [
  better('nobody gives anything back', 'a deadline, and who holds it', (subject) =>
    onPool(subject, { ...one, ...subject.rockpool({ acquireTimeoutMs: 2_000 }) }, async (pool) => {
      const connection = await pool.getConnection()
      const said = await within(subject.patienceMs, outcome(pool.query('select 1')))
      connection.release()
      return said.replace(/:.*/, '')
    }),
  ),
  better('`idleTimeout` with the default `maxIdle`', 'what nobody uses is closed', (subject) =>
    onPool(subject, { idleTimeout: 100 }, async (pool) => {
      const before = await threadOf(pool)
      return (await gone(subject, `id = ${before}`)) ? 'closed' : 'stays open'
    }),
  ),
  better('`end` while a transaction is under way', 'it may come to its end', async (subject) => {
    const pool = subject.promise.createPool({ uri: subject.server.url(), ...one })
    const connection = await pool.getConnection()
    await connection.beginTransaction()
    const ended = pool.end()
    const said = await outcome(connection.commit().then(() => 'commits'))
    connection.release()
    await within(subject.patienceMs, ended)
    return said.startsWith('commits') ? said : 'its connection is closed'
  }),
  better('`end` twice', 'both resolve', async (subject) => {
    const pool = subject.promise.createPool({ uri: subject.server.url(), ...one })
    await pool.query('select 1')
    const both = Promise.allSettled([pool.end(), pool.end()])
    const said = await within(subject.patienceMs, both)
    return said === HANGS ? HANGS : said.map(({ status }) => status).join()
  }),
]

export const secrets = [
  better('`console.log(pool)`', 'no password in it', (subject) =>
    onPool(subject, {}, async (_, pool) => {
      return inspect(pool, { depth: 6 }).includes('S3cret#') ? 'shows the password' : 'keeps it'
    }),
  ),
  better('a URL that cannot be read', 'no password in the error', async (subject) => {
    try {
      subject.mysql.createPool('mysql://app:S3cret@host:port/app')
      return 'is taken'
    } catch (error) {
      return inspect(error).includes('S3cret') ? 'shows the password' : 'keeps it'
    }
  }),
  better('an unknown selector of a cluster', 'it says which there are', async (subject) => {
    const cluster = subject.mysql.createPoolCluster()
    try {
      cluster.of('*', 'BEST')
      return 'is taken'
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`
    }
  }),
]

export const different: Comparison<Subject>[] = [
  {
    name: 'a connection, borrowed again',
    verdict: 'differs',
    reason: 'each borrowing has an object of its own; what is put on it is kept with the connection',
    run: (subject) =>
      onPool(subject, one, async (_, pool) => {
        const first = await borrow(pool)
        Object.assign(first, { note: 'kept' })
        first.release()
        const second = await borrow(pool)
        second.release()
        return `${first === second ? 'the same object' : 'another object'}, ${(second as { note?: string }).note}`
      }),
  },
  {
    name: '`acquire` for who had to wait; `release` when somebody waits',
    verdict: 'differs',
    reason: 'each borrowing is told',
    run: (subject) =>
      onPool(subject, one, async (pool) => {
        const heard: string[] = []
        hear(pool, ['acquire', 'release'], heard)
        const first = await pool.getConnection()
        const second = pool.getConnection()
        first.release()
        ;(await second).release()
        return heard.join()
      }),
  },
  {
    name: 'a listener of `connection` is told',
    verdict: 'differs',
    reason: 'it is about the connection, not about a borrowing',
    run: (subject) =>
      onPool(subject, one, async (_, pool) => {
        let told: Connection | undefined
        pool.on('connection', (connection) => {
          told = connection
        })
        const connection = await borrow(pool)
        const said = told === connection ? 'the borrowed connection' : 'the connection itself'
        connection.release()
        return said
      }),
  },
]
