import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterAll } from 'vitest'
import { sqlite } from '../../src/drivers/sqlite/index.ts'
import type { SqlDriver, SqlPool } from '../../src/index.ts'
import { type ConformanceCase, testDriver } from '../../src/testing/index.ts'
import { vitestRunner } from '../support/vitest-runner.ts'

const folder = mkdtempSync(join(tmpdir(), 'rockpool-sqlite-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string) => join(folder, name)

// What the threads' connections are doing can be seen from outside by the threads alone.
const workers = new Set<Worker>()
process.on('worker', (worker: Worker) => {
  workers.add(worker)
  worker.once('exit', () => workers.delete(worker))
})

const named = new Map<number, Worker>()
let names = 0

/** The driver, with a name for each session that only this session knows. */
function withNames<C extends object>(driver: SqlDriver<C>): SqlDriver<C> {
  const ids = new WeakMap<C, number>()
  let last: Promise<unknown> = Promise.resolve()
  const name = (connection: C) =>
    driver.query(connection, `create temp table session as select ${ids.get(connection)} as id`, [], {})

  async function connectNamed(context: { signal: AbortSignal }): Promise<C> {
    const before = new Set(workers)
    const connection = await driver.connect(context)
    const [worker] = [...workers].filter((other) => !before.has(other))
    ids.set(connection, ++names)
    if (worker !== undefined) named.set(names, worker)
    await name(connection)
    return connection
  }

  return {
    ...driver,
    connect(context) {
      // One after another, so that it is plain which thread belongs to which session.
      const connecting = last.then(() => connectNamed(context))
      last = connecting.catch(() => {})
      return connecting
    },
    async reset(connection, how) {
      await driver.reset?.(connection, how)
      if (how === 'full') await name(connection)
    },
  }
}

/** On other runtimes the same cases judge the other libraries. */
const module = process.env.ROCKPOOL_SQLITE as 'better-sqlite3' | undefined
const library = { module }
const isBuiltIn = module === undefined && process.getBuiltinModule?.('node:sqlite') !== undefined
const series = (count: number) =>
  `with recursive s(n) as (select 1 where ${count} > 0 union all select n + 1 from s where n < ${count})`

const sql = {
  sleep: (ms: number) =>
    `${series(ms)} select (with recursive w(x) as (select 1 union all select x + 1 from w where x < 5000 + 0 * n) select count(*) from w) from s`,
  echo: {
    text: 'select ?',
    integer: 'select cast(? as integer)',
    double: 'select ?',
    binary: 'select ?',
    bigAsText: 'select cast(? as text)',
  },
  series: (count: number) => `${series(count)} select n from s`,
  wide: (count: number) => `${series(count)} select n, printf('%.*c', 1000, 'x') as pad from s`,
  temporaryTable: { create: 'create temp table t (id integer)', read: 'select * from temp.t' },
  setting: { set: 'pragma cache_size = 77', read: 'pragma cache_size' },
  insertId: {
    create: (name: string) => `create table ${name} (id integer primary key autoincrement, note text)`,
    insert: (name: string) => `insert into ${name} (note) values ('a')`,
  },
}

const because = (reason: string, cases: readonly ConformanceCase[]) =>
  cases.map((name) => ({ case: name, reason }))

const never = [
  ...because('SQLite has no network', [
    'a server that refuses is retried until the deadline, and its error is the cause',
    'a server that accepts and says nothing is given up in time',
    'an idle connection whose network went silent is replaced after the check',
    'a statement whose network went silent ends at its time limit',
    'a connection whose network went silent does not hold up the closing of the pool',
  ]),
  ...because('SQLite has no users', ['a wrong password fails at once']),
  ...because('SQLite opens a file as often as wanted', [
    'a server that has no connection left keeps those that are open at work',
  ]),
  ...because('SQLite has no locks of this kind', ['a full reset gives up locks']),
  ...because('SQLite has no PREPARE', ['a full reset forgets statements that were prepared in SQL']),
  ...because('the libraries answer one statement at a time', [
    'while a connection pipelines, every statement gets its own answer or error',
    'statements that go together get their own answers, and are undone when one of them fails',
  ]),
  ...because('there is no server to announce the end of a session', [
    'the error by which the server ends a session is told from a failure of the network',
  ]),
  ...because('SQLite has no standby', ['connections to a server that became read-only are given up']),
  ...because('SQLite has one isolation', ['a transaction has the isolation that was asked for']),
  ...because('one transaction writes, the others wait in line', ['a deadlock is a conflict']),
]

const NEEDS_NAMES: readonly ConformanceCase[] = [
  'a connection that the server closed while it was idle is noticed',
  'a connection that the server closed while it was idle is never lent',
  'a connection that dies while it is leased frees its place at once, and giving it back is harmless',
  'a connection that dies under a statement is a ConnectionLostError with its cause',
  'a transaction whose connection dies has not committed',
  'a stream whose connection dies ends with an error',
]

const HERE = 'statements run in the calling thread, so that none is ever in flight'
const IN_FLIGHT: readonly ConformanceCase[] = [
  'a statement in flight at release holds the connection back, and its answer reaches its caller',
  'a transaction with a statement in flight at release is rolled back after it',
  'a statement that outlives the reset costs the connection, and its caller is told',
  'an aborted statement rejects at once, and the server stops it',
  'a statement past its time rejects at once, and the server stops it',
  'a lease goes on after one of its statements was cancelled',
  'a cancel that comes late hits nobody else',
]

const big = 'a whole number beyond 2^53 is read as documented' as const
const numbers = isBuiltIn ? because('node:sqlite refuses to round it', [big]) : []

const threads = sqlite({ file: file('threads.db') }, library)
const server = { sessions: () => workers.size, kill: async () => {} }
const unknownDatabase = () => sqlite({ file: file('no/such/folder.db') }, library)

testDriver(
  'sqlite in threads',
  {
    driver: () => threads,
    sql: { ...sql, big: { read: 'select 9007199254740993', gives: 9007199254740992 }, collide },
    server,
    refusals: { unknownDatabase },
    skip: [...never, ...numbers, ...because('sessions have no names here', NEEDS_NAMES)],
  },
  vitestRunner,
)

const known = withNames(sqlite({ file: file('names.db'), integers: 'bigint' }, library))

testDriver(
  'sqlite in threads, 64-bit integers as bigint',
  {
    driver: () => known,
    sql: {
      ...sql,
      sessionId: 'select id from temp.session',
      big: { read: 'select 9007199254740993', gives: 9007199254740993n },
      collide,
    },
    server: {
      sessions: () => workers.size,
      kill: async (id) => {
        await named.get(Number(id))?.terminate()
      },
    },
    refusals: { unknownDatabase },
    skip: [
      ...never,
      ...(isBuiltIn || module === 'better-sqlite3'
        ? []
        : because('libsql ends the process when its thread is ended within a call', [
            'a connection that dies under a statement is a ConnectionLostError with its cause',
          ])),
    ],
  },
  vitestRunner,
)

const here = sqlite({ file: file('here.db'), threads: false, integers: 'bigint' }, library)
const memory = sqlite('sqlite::memory:?integers=bigint', library)

for (const [name, driver] of [
  ['sqlite in the calling thread', here],
  ['sqlite in memory', memory],
] as const) {
  testDriver(
    name,
    {
      driver: () => driver,
      sql: { ...sql, big: { read: 'select 9007199254740993', gives: 9007199254740993n }, collide },
      server: { sessions: () => 0, kill: () => {} },
      refusals: { unknownDatabase },
      skip: [
        ...never,
        ...because(HERE, IN_FLIGHT),
        ...because('nobody but this process can end a connection', NEEDS_NAMES),
        ...(driver === memory
          ? because('one connection: who reads waits for the transaction', [
              'a collision of two transactions is a conflict',
            ])
          : []),
      ],
    },
    vitestRunner,
  )
}

/** Two transactions that read before they write, begun in a way that lets them: the second one's view is too old. */
async function collide<C>(pool: SqlPool<C>): Promise<unknown> {
  await pool.query('create table if not exists hot (id integer)')
  const leases = await Promise.all([pool.acquire(), pool.acquire()])
  const errors: unknown[] = []
  for (const lease of leases) {
    await lease.query('begin')
    await lease.query('select count(*) from hot')
  }
  for (const lease of leases) {
    try {
      await lease.query('insert into hot values (1)')
      await lease.query('commit')
    } catch (error) {
      errors.push(error)
    }
    lease.release()
  }
  return errors[0]
}
