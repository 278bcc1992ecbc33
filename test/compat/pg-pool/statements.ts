import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { behaviours, crashes, failure, pause, until, within } from './subject.ts'

/** `pool.query`, in every form. */
export const statements = behaviours([
  {
    name: 'query gives the result of pg',
    verdict: 'same',
    async run(subject) {
      const result = await subject.pool().query('select $1::int as a, $2::text as b', [1, 'x'])
      const { rows, rowCount, command, fields } = result
      return `${JSON.stringify(rows)} ${rowCount} ${command} ${fields.map(({ name, dataTypeID }) => name + dataTypeID)}`
    },
  },
  {
    name: 'query takes a config: rowMode, values, a name',
    verdict: 'same',
    async run(subject) {
      const config = { name: 'n', text: 'select $1::int', values: [7], rowMode: 'array' } as const
      return JSON.stringify((await subject.pool().query(config)).rows)
    },
  },
  {
    name: 'query of several statements gives several results',
    verdict: 'same',
    async run(subject) {
      const results: unknown = await subject.pool().query('select 1 as a; select 2 as b')
      return JSON.stringify((results as { rows: unknown }[]).map(({ rows }) => rows))
    },
  },
  {
    name: 'query calls back, with and without values',
    verdict: 'same',
    run: (subject) =>
      new Promise((resolve) => {
        const pool = subject.pool()
        pool.query('select 1 as a', (error: Error, one) => {
          pool.query('select $1::int as a', [2], (again: Error, two) => {
            resolve(`${error} ${JSON.stringify(one.rows)} ${again} ${JSON.stringify(two.rows)}`)
          })
        })
      }),
  },
  {
    name: 'a statement that the server refuses',
    verdict: 'same',
    run: (subject) => failure(subject.pool().query('select nowhere')),
  },
  {
    name: 'the same, by callback',
    verdict: 'same',
    run: (subject) =>
      new Promise((resolve) => {
        subject
          .pool()
          .query('select nowhere', (error: Error, result) => resolve(`${error.message}, ${result}`))
      }),
  },
  {
    name: 'the connection of a statement that the server refused',
    verdict: 'better',
    reason: 'the statement was wrong, not the connection: the next caller need not log in again',
    async run(subject) {
      const pool = subject.pool()
      await failure(pool.query('select nowhere'))
      await pause(20)
      return pool.totalCount === 1 ? 'is kept' : 'is closed'
    },
  },
  {
    name: 'no statement at all',
    verdict: 'same',
    run: (subject) => failure(subject.pool().query(undefined as never)),
  },
  {
    name: 'a function in place of the statement',
    verdict: 'same',
    run: (subject) =>
      new Promise((resolve) => {
        subject.pool().query(((error: Error) => resolve(error.message)) as never)
      }),
  },
  {
    name: 'the callback of query throws',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      const crashed = await crashes(async () => {
        pool.query('select 1', () => {
          throw new Error('mine')
        })
        await until(() => pool.totalCount === 1 && pool.idleCount === 1)
      })
      return `uncaught: ${crashed[0]}; then the pool ${(await pool.query('select 1')).rowCount === 1 ? 'works' : 'does not'}`
    },
  },
  {
    name: 'the callback of query throws over an error',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      let called = false
      const crashed = await crashes(async () => {
        pool.query('select nowhere', () => {
          called = true
          throw new Error('mine')
        })
        await until(() => called)
      })
      return `uncaught: ${crashed[0]}; then the pool ${(await pool.query('select 1')).rowCount === 1 ? 'works' : 'does not'}`
    },
  },
  {
    name: 'the server ends the session in mid-statement',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      pool.on('error', () => undefined)
      await pool.query('select 1')
      const running = failure(pool.query('select pg_sleep(20)'))
      await subject.runs()
      await subject.kill()
      return `${await running}; then ${await failure(pool.query('select 1'))}`
    },
  },
  {
    name: 'query_timeout: the statement',
    verdict: 'same',
    run: (subject) => failure(subject.pool({ query_timeout: 50 }).query('select pg_sleep(20)')),
  },
  {
    name: 'statements run in the order of their calls',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      const order: number[] = []
      const numbers = [1, 2, 3, 4, 5]
      await Promise.all(numbers.map((n) => pool.query('select 1').then(() => order.push(n))))
      return String(order)
    },
  },
  {
    name: 'a cursor on a client',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      const client = await pool.connect()
      const cursor = client.query(new Cursor('select * from generate_series(1, 5) as i'))
      const read = [await cursor.read(2), await cursor.read(2)]
      await cursor.close()
      client.release()
      return `${JSON.stringify(read)}, then ${(await pool.query('select 1')).rowCount}`
    },
  },
  {
    name: 'a stream on a client',
    verdict: 'same',
    async run(subject) {
      const client = await subject.pool().connect()
      const read: unknown[] = []
      for await (const { i } of client.query(new QueryStream('select * from generate_series(1, 5) as i')))
        read.push(i)
      client.release()
      return String(read)
    },
  },
  {
    name: 'a stream on the pool',
    verdict: 'better',
    reason:
      'as the types say, it is the stream at once; the client comes back when all is read, or the stream was closed',
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      const stream = pool.query(new QueryStream('select * from generate_series(1, 5) as i'))
      if (typeof stream.read !== 'function') return 'gives a promise that never settles, and keeps the client'
      const read: unknown[] = []
      for await (const { i } of stream) read.push(i)
      return `${read}, then ${(await pool.query('select 1')).rowCount} row`
    },
  },
  {
    name: 'the promises that it gives are of the class that it was given',
    verdict: 'same',
    async run(subject) {
      class Mine<T> extends Promise<T> {}
      const pool = subject.pool({ Promise: Mine })
      const given = [pool.query('select 1'), pool.connect(), pool.end()]
      const kinds = given.map((promise) => promise instanceof Mine)
      const client = (await given[1]) as { release(): void }
      client.release()
      await within(Promise.all(given))
      return String(kinds)
    },
  },
])
