import { EventEmitter, once } from 'node:events'
import type { RowDataPacket } from 'mysql2'
import type { Comparison } from '../../comparison/comparison.ts'
import { hear, onPool, outcome, rowsOf, type Subject, show } from './subject.ts'

const same = (name: string, run: Comparison<Subject>['run']): Comparison<Subject> => ({
  name,
  verdict: 'same',
  run,
})

const called = <T>(run: (callback: (error: Error | null, result: T) => void) => unknown): Promise<T> =>
  new Promise((resolve, reject) => {
    run((error, result) => (error ? reject(error) : resolve(result)))
  })

export const statements = [
  same('`query(sql, values)` gives rows and fields', (subject) =>
    onPool(subject, {}, async (pool) => {
      const [rows, fields] = await pool.query('select ? as n, ? as t', [42, "it's"])
      return `${show(rows)}, ${fields.map(({ name }) => name).join()}`
    }),
  ),
  same('`query(options, callback)`', (subject) =>
    onPool(subject, {}, async (_, pool) => {
      const rows = await called((done) => pool.query({ sql: 'select ? as n', values: [1] }, done as never))
      return show(rows)
    }),
  ),
  same('`query(sql)` without a callback emits', (subject) =>
    onPool(subject, {}, async (_, pool) => {
      const [row] = await once(pool.query('select 7 as n'), 'result')
      return show(row)
    }),
  ),
  same('`query(...).stream()` of a pool', (subject) =>
    onPool(subject, {}, async (_, pool) => {
      let sum = 0
      const rows = pool.query('select seq from seq_1_to_1000').stream()
      for await (const { seq } of rows as AsyncIterable<{ seq: number }>) sum += seq
      return `sum ${sum}`
    }),
  ),
  same('`execute` prepares', (subject) =>
    onPool(subject, {}, async (pool) => {
      const [rows] = await pool.execute<RowDataPacket[]>('select ? as n', [5])
      return show(rows)
    }),
  ),
  same('options of the connection hold: `rowsAsArray`, `namedPlaceholders`', (subject) =>
    onPool(subject, { rowsAsArray: true, namedPlaceholders: true }, (pool) =>
      rowsOf(pool.query('select :a, :b', { a: 1, b: 2 })),
    ),
  ),
  same('`multipleStatements`', (subject) =>
    onPool(subject, { multipleStatements: true }, (pool) =>
      rowsOf(pool.query('select 1 as a; select 2 as b')),
    ),
  ),
  same('options may stand in the URL', async (subject) => {
    const url = `${subject.server.url()}?connectionLimit=3&rowsAsArray=true`
    const pool = subject.promise.createPool(url)
    const said = await rowsOf(pool.query('select 1'))
    const { connectionLimit } = pool.pool.config
    await pool.end()
    return `${said}, limit ${connectionLimit}`
  }),
  same('numbers may be texts: `connectionLimit: "2"`', (subject) =>
    onPool(subject, { connectionLimit: '2' }, async (pool, { config }) => {
      const [first, second] = await Promise.all([pool.getConnection(), pool.getConnection()])
      const waiting = pool.getConnection()
      first.release()
      const third = await waiting
      const ids = new Set([first, second, third].map(({ threadId }) => threadId))
      second.release()
      third.release()
      return `${ids.size} connections, limit ${config.connectionLimit}`
    }),
  ),
  same('an error of a statement', (subject) =>
    onPool(subject, {}, (pool) => outcome(pool.query('select * from nowhere'))),
  ),
  same('`await` of what is no promise', (subject) =>
    onPool(subject, {}, async (_, pool) => {
      const command = pool.query('select 1').on('error', () => undefined) as unknown as PromiseLike<unknown>
      return (await outcome(Promise.resolve(command))).slice(0, 60)
    }),
  ),
  same('a callback for promises', (subject) =>
    onPool(subject, {}, async (pool) =>
      outcome(Promise.resolve().then(() => pool.query('x', (() => 1) as never))),
    ),
  ),
  same('`format` and `escape` of a pool', (subject) =>
    onPool(subject, { timezone: 'Z' }, async (_, pool) => {
      return pool.format('? ?', [new Date(0), "a'b"]) + pool.escapeId('a.b')
    }),
  ),
]

export const borrowing = [
  same('a borrowed connection is an instance of', (subject) =>
    onPool(subject, {}, async (pool, callbackPool) => {
      const connection = await called(callbackPool.getConnection.bind(callbackPool))
      const promised = connection.promise()
      const { Connection, PoolConnection } = subject.mysql
      const facts = [
        connection instanceof PoolConnection,
        connection instanceof Connection,
        connection instanceof EventEmitter,
        promised instanceof subject.promise.PoolConnection,
        pool instanceof (subject.promise as unknown as { PromisePool: new () => object }).PromisePool,
        callbackPool instanceof (subject.mysql as unknown as { Pool: new () => object }).Pool,
      ]
      connection.release()
      return facts.join()
    }),
  ),
  same('a transaction that commits, one that rolls back', (subject) =>
    onPool(subject, {}, async (pool) => {
      await pool.query('create or replace table seen (n int)')
      for (const [n, end] of [
        [1, 'commit'],
        [2, 'rollback'],
      ] as const) {
        const connection = await pool.getConnection()
        await connection.beginTransaction()
        await connection.query('insert into seen values (?)', [n])
        await connection[end]()
        connection.release()
      }
      return rowsOf(pool.query('select * from seen'))
    }),
  ),
  same('`prepare`, `ping`, `changeUser`, `unprepare` of a connection', (subject) =>
    onPool(subject, {}, async (pool) => {
      const connection = await pool.getConnection()
      const statement = await connection.prepare('select ? + 1 as n')
      const [rows] = await statement.execute([1])
      await statement.close()
      await connection.ping()
      await connection.changeUser({ database: 'elsewhere' })
      const [where] = await connection.query('select database() as d')
      connection.unprepare('select 1')
      connection.release()
      return show([rows, where])
    }),
  ),
  same('released twice', (subject) =>
    onPool(subject, { connectionLimit: 1 }, async (pool) => {
      const connection = await pool.getConnection()
      connection.release()
      connection.release()
      return rowsOf(pool.query('select 1 as n'))
    }),
  ),
  same('`connection.end()` gives it back, with a warning', (subject) =>
    onPool(subject, { connectionLimit: 1 }, async (pool, callbackPool) => {
      const connection = await called(callbackPool.getConnection.bind(callbackPool))
      let warned = ''
      connection.on('warn', ({ message }: Error) => {
        warned = message.slice(0, 21)
      })
      const { warn } = console
      console.warn = () => undefined
      connection.end()
      console.warn = warn
      return `${warned}, ${await rowsOf(pool.query('select 1 as n'))}`
    }),
  ),
  same('`destroy()` makes room for another', (subject) =>
    onPool(subject, { connectionLimit: 1 }, async (pool) => {
      const connection = await pool.getConnection()
      const { threadId } = connection
      connection.destroy()
      const [[row]] = await pool.query<RowDataPacket[]>('select connection_id() as id')
      return row?.id === threadId ? 'the same' : 'another'
    }),
  ),
  same('events of a pool', (subject) =>
    onPool(subject, { connectionLimit: 1 }, async (pool) => {
      const heard: string[] = []
      hear(pool, ['connection', 'acquire', 'enqueue', 'release'], heard)
      const first = await pool.getConnection()
      const second = pool.getConnection()
      first.release()
      ;(await second).release()
      return heard.filter((name) => name === 'connection' || name === 'enqueue').join()
    }),
  ),
  same('what a listener of `connection` sends comes first', (subject) =>
    onPool(subject, {}, async (pool, callbackPool) => {
      callbackPool.on('connection', (connection) =>
        connection.query('set @@session.sort_buffer_size = 65536'),
      )
      return rowsOf(pool.query('select @@session.sort_buffer_size as size'))
    }),
  ),
]

export const limits = [
  same('a wrong password', async (subject) => {
    const pool = subject.promise.createPool(subject.server.url({ user: 'app:wrong' }))
    const said = await outcome(pool.query('select 1'))
    await pool.end()
    return said.slice(0, 50)
  }),
  same('nobody listens', async (subject) => {
    const pool = subject.promise.createPool({ host: '127.0.0.1', port: 1 })
    const said = await Promise.all([outcome(pool.query('select 1')), outcome(pool.query('select 1'))])
    await pool.end()
    return said.join('; ')
  }),
  same('`queueLimit`', (subject) =>
    onPool(subject, { connectionLimit: 1, queueLimit: 1 }, async (pool) => {
      const connection = await pool.getConnection()
      const waiting = pool.query('select 1 as n')
      const said = await outcome(pool.query('select 2'))
      connection.release()
      return `${said}, ${await rowsOf(waiting)}`.replace(/^\w+: /, '')
    }),
  ),
  same('`waitForConnections: false`', (subject) =>
    onPool(subject, { connectionLimit: 1, waitForConnections: false }, async (pool) => {
      const connection = await pool.getConnection()
      const said = await outcome(pool.query('select 2'))
      connection.release()
      return said.replace(/^\w+: /, '')
    }),
  ),
  same('after `end`, and who waits at `end`', async (subject) => {
    const pool = subject.promise.createPool({ uri: subject.server.url(), connectionLimit: 1 })
    const connection = await pool.getConnection()
    const waiting = outcome(pool.query('select 1'))
    const ended = pool.end()
    connection.release()
    await ended
    const said = [await waiting, await outcome(pool.query('select 1'))]
    return said.map((text) => text.replace(/^\w+: /, '')).join(' ')
  }),
  same('`enqueue` only where there is no room', (subject) =>
    onPool(subject, { connectionLimit: 2 }, async (pool) => {
      let enqueued = 0
      pool.on('enqueue', () => enqueued++)
      await Promise.all([1, 2, 3].map(() => pool.query('select sleep(0.02)')))
      return `${enqueued} of 3`
    }),
  ),
]

export const clusters = [
  same('a cluster: names, patterns, round robin', async (subject) => {
    const cluster = subject.promise.createPoolCluster()
    for (const name of ['A1', 'A2', 'B1']) cluster.add(name, subject.server.url())
    const seen: string[] = []
    for (let i = 0; i < 4; i++) {
      const connection = await cluster.getConnection('A*', 'RR')
      seen.push((connection.connection as unknown as { _clusterId: string })._clusterId)
      connection.release()
    }
    const rows = await rowsOf(cluster.of('B*', 'ORDER').query('select ? as n', [3]))
    const executed = await rowsOf(cluster.of('*', 'RANDOM').execute('select ? as n', [4]))
    const missing = await outcome(cluster.getConnection('C*'))
    await cluster.end()
    return [...seen, rows, executed, missing].join(' ')
  }),
  same('a cluster: a server that is not there is left out', async (subject) => {
    const cluster = subject.promise.createPoolCluster({ removeNodeErrorCount: 1 })
    cluster.add('GONE', { host: '127.0.0.1', port: 1 })
    cluster.add('HERE', subject.server.url())
    const heard: string[] = []
    cluster.on('remove', (id: string) => heard.push(`removed ${id}`))
    cluster.on('warn', (error: NodeJS.ErrnoException) => heard.push(`${error.code}`))
    const rows = await rowsOf(cluster.of('*', 'ORDER').query('select 1 as n'))
    await cluster.end()
    return [...heard, rows].join(' ')
  }),
  same('a cluster: a server that comes back', async (subject) => {
    const cluster = subject.promise.createPoolCluster({
      removeNodeErrorCount: 1,
      restoreNodeTimeout: 1_500,
      canRetry: false,
    })
    cluster.add('GONE', { host: '127.0.0.1', port: 1 })
    const heard: string[] = []
    cluster.on('offline', (id: string) => heard.push(`offline ${id}`))
    const first = await outcome(cluster.getConnection('GONE'))
    const second = await outcome(cluster.getConnection('GONE'))
    await new Promise((resolve) => setTimeout(resolve, 1_600))
    const third = await outcome(cluster.getConnection('GONE'))
    await cluster.end()
    return [first, second, third, ...heard].join('; ')
  }),
]
