import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pgPackage from 'pg'
import { afterAll, beforeAll, test } from 'vitest'
import { createPool } from '../../src/create-pool.ts'
import { type OdbcConnection, type OdbcModule, odbc } from '../../src/drivers/odbc/index.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/testing/embedded-postgres.ts'
import { type ConformanceCase, type Subject, testDriver } from '../../src/testing/index.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from '../support/mariadb.ts'
import type { MysqlServer } from '../support/mysql-server.ts'
import { mysqlSubject } from '../support/mysql-subject.ts'
import { loadOdbc, problemWith } from '../support/odbc.ts'
import { readOnly } from '../support/read-only.ts'
import { vitestRunner } from '../support/vitest-runner.ts'

type Skips = NonNullable<Subject<OdbcConnection, ConformanceCase>['skip']>
const because = (reason: string, ...cases: ConformanceCase[]): Skips =>
  cases.map((one) => ({ case: one, reason }))

let module: OdbcModule<OdbcConnection>
const connect = (connectionString: string) => odbc({ connectionString, loginTimeout: 5 }, { module })

const EVERYWHERE = [
  ...because(
    'one connection of ODBC runs one statement at a time',
    'while a connection pipelines, every statement gets its own answer or error',
    'statements that go together get their own answers, and are undone when one of them fails',
  ),
  ...because(
    'ODBC tells nothing of a connection that nobody uses: the check finds out',
    'a connection that the server closed while it was idle is noticed',
    'a connection that dies while it is leased frees its place at once, and giving it back is harmless',
  ),
]
const NO_KEY: Skips = because('ODBC reports no keys', 'insertId is the key that the server generated')

function withOdbc(title: string, driver: string, define: () => void): void {
  const problem = problemWith(driver)
  if (problem !== undefined) test(title, ({ skip }) => skip(problem))
  else define()
}

withOdbc('odbc on PostgreSQL', 'PostgreSQL Unicode', () => {
  const FEW = 3
  let server: EmbeddedPostgres
  let admin: pgPackage.Client
  beforeAll(async () => {
    module = await loadOdbc()
    server = await startEmbeddedPostgres({ password: 'secret' })
    admin = new pgPackage.Client(server.url())
    await admin.connect()
    await admin.query(`create role few login password 'secret' connection limit ${FEW}`)
  }, 120_000)
  afterAll(async () => {
    await admin?.end()
    await server?.close()
  })
  const words = (given: Record<string, unknown> = {}) =>
    Object.entries({
      Driver: '{PostgreSQL Unicode}',
      Server: server.host,
      Port: server.port,
      Database: 'postgres',
      Uid: server.user,
      Pwd: 'secret',
      // So that a stream does not have all rows in memory.
      UseDeclareFetch: 1,
      Fetch: 20,
      ...given,
    })
      .map(([name, value]) => `${name}=${value}`)
      .join(';')
  const subject: Subject<OdbcConnection, ConformanceCase> = {
    driver: () => connect(words()),
    sql: {
      sleep: (ms) => `select pg_sleep(${ms / 1000})`,
      sessionId: 'select pg_backend_pid()',
      echo: {
        text: 'select ?::text',
        integer: 'select ?::int4',
        double: 'select ?::float8',
        binary: 'select ?::bytea',
        bigAsText: 'select (?::int8)::text',
      },
      big: { read: 'select 9007199254740993', gives: 9007199254740993n },
      series: (count) => `select generate_series(1, ${count})`,
      wide: (count) => `select n, repeat('x', 1000) from generate_series(1, ${count}) as n`,
      temporaryTable: { create: 'create temporary table t (id int)', read: 'select * from pg_temp.t' },
      setting: { set: `set work_mem = '7MB'`, read: 'show work_mem' },
      lock: { take: 'select pg_advisory_lock(77)', isFree: 'select pg_try_advisory_lock(77)' },
      prepared: { make: 'prepare mine as select 1', use: 'execute mine' },
      isolation: { level: 'repeatable read', read: 'show transaction_isolation', gives: 'repeatable read' },
    },
    server: {
      async sessions() {
        const counted = `select count(*)::int as n from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`
        return (await admin.query(counted)).rows[0].n
      },
      async kill(id) {
        await admin.query('select pg_terminate_backend($1)', [id])
      },
      async demote() {
        await readOnly(admin, 'on')
        return () => readOnly(admin, 'off')
      },
    },
    get network() {
      return {
        host: server.host,
        port: server.port,
        at: ({ host, port }: { host: string; port: number }) => connect(words({ Server: host, Port: port })),
      }
    },
    refusals: {
      wrongPassword: () => connect(words({ Pwd: 'wrong' })),
      unknownDatabase: () => connect(words({ Database: 'nowhere' })),
      limited: async () => ({ driver: connect(words({ Uid: 'few' })), limit: FEW }),
    },
    skip: [...EVERYWHERE, ...NO_KEY],
  }
  testDriver('odbc on PostgreSQL', subject, vitestRunner)
})

withOdbc('odbc on MariaDB', 'MariaDB Unicode', () => {
  if (!hasMariadb) {
    test('odbc on MariaDB', ({ skip }) => skip(NO_MARIADB))
    return
  }
  const at = (url: string) => {
    const { hostname, port, username, password, pathname } = new URL(url)
    return connect(
      `Driver={MariaDB Unicode};SERVER=${hostname};PORT=${port};UID=${username};PWD={${decodeURIComponent(password)}};DATABASE=${pathname.slice(1)}`,
    )
  }
  const start = async (): Promise<MysqlServer> => {
    module = await loadOdbc()
    return startMariadb()
  }
  const NO_RESET =
    'no statement resets a session of MariaDB: a full reset opens another connection, see test/integration/drivers/odbc.test.ts'
  // Seen once on a busy machine: whether it happens depends on which of two threads is faster.
  const IN_ONE_THREAD =
    'the package waits for a ROLLBACK with its lock held when it closes, and another statement that ends waits for that lock in the thread in which the proxy runs: both stand still'
  const subject = mysqlSubject(start, at, {
    big: 9007199254740993n,
    skip: [
      ...EVERYWHERE,
      ...NO_KEY,
      ...because(
        "MariaDB's ODBC driver has all rows before the first is read: no stream of it can die",
        'a stream whose connection dies ends with an error',
      ),
      ...because(
        IN_ONE_THREAD,
        'an idle connection whose network went silent is replaced after the check',
        'a statement whose network went silent ends at its time limit',
        'a connection whose network went silent does not hold up the closing of the pool',
      ),
      ...because(
        NO_RESET,
        'a full reset drops temporary tables',
        'a full reset undoes settings',
        'a full reset gives up locks',
        'a full reset forgets statements that were prepared in SQL',
        'after a full reset the driver prepares its own statements again',
      ),
    ],
  })
  testDriver('odbc on MariaDB', subject, vitestRunner)
})

withOdbc('odbc on SQLite', 'SQLite3', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-odbc-'))
  const file = join(folder, 'a.db')
  beforeAll(async () => {
    module = await loadOdbc()
  }, 120_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const series = (count: number, more = '') =>
    `with recursive r(n) as (select 1 union all select n + 1 from r where n < ${count}) select n${more} from r where n <= ${count}`
  const at = (timeoutMs: number) => connect(`Driver=SQLite3;Database=${file};BigInt=1;Timeout=${timeoutMs}`)
  const NOBODY = 'nobody but this process can end a connection'
  const NO_NETWORK = 'SQLite has no network'
  const RENEWED = 'no statement resets a session of SQLite: a full reset opens another connection'
  const CUT =
    "SQLite's ODBC driver grants an expression 255 characters; columns of long types in test/integration/drivers/odbc.test.ts"
  const subject: Subject<OdbcConnection, ConformanceCase> = {
    driver: () => at(20_000),
    sql: {
      sleep: (ms) => series(ms * 3000).replace('select n from', 'select count(*) from'),
      echo: {
        text: 'select ?',
        integer: 'select ?',
        double: 'select ?',
        binary: 'select ?',
        bigAsText: 'select cast(? as text)',
      },
      big: { read: 'select 9007199254740993', gives: 9007199254740993n },
      series,
      wide: (count) => series(count, `, printf('%.200c', 'x')`),
      // Who writes takes its turn at the beginning, and waits for it no longer than its `Timeout`.
      collide: (pool) =>
        pool.use(async (lease) => {
          await lease.begin()
          await using impatient = createPool(at(100))
          return await impatient.use((other) => other.begin().catch((error: unknown) => error))
        }),
    },
    server: {
      sessions: () => openFiles(file),
      kill: () => {
        throw new Error(NOBODY)
      },
    },
    refusals: {
      unknownDatabase: () => connect(`Driver=SQLite3;Database=${join(folder, 'nowhere/a.db')}`),
    },
    skip: [
      ...EVERYWHERE,
      ...NO_KEY,
      ...because(
        NO_NETWORK,
        'a server that refuses is retried until the deadline, and its error is the cause',
        'a server that accepts and says nothing is given up in time',
        'an idle connection whose network went silent is replaced after the check',
        'a statement whose network went silent ends at its time limit',
        'a connection whose network went silent does not hold up the closing of the pool',
      ),
      ...because(
        NOBODY,
        'a connection that the server closed while it was idle is never lent',
        'a connection that dies under a statement is a ConnectionLostError with its cause',
        'the error by which the server ends a session is told from a failure of the network',
        'a transaction whose connection dies has not committed',
        'a stream whose connection dies ends with an error',
      ),
      ...because(
        RENEWED,
        'a full reset drops temporary tables',
        'a full reset undoes settings',
        'after a full reset the driver prepares its own statements again',
      ),
      ...because(CUT, 'a text of a megabyte comes back whole', 'every byte comes back as it went'),
      ...because("SQLite's ODBC driver gives 15 digits of a double", 'numbers come back as they went'),
      ...because('SQLite has no users', 'a wrong password fails at once'),
      ...because(
        'SQLite opens a file as often as wanted',
        'a server that has no connection left keeps those that are open at work',
      ),
      ...because('SQLite has no locks of this kind', 'a full reset gives up locks'),
      ...because('SQLite has no PREPARE', 'a full reset forgets statements that were prepared in SQL'),
      ...because('SQLite has no standby', 'connections to a server that became read-only are given up'),
      ...because('SQLite has one isolation', 'a transaction has the isolation that was asked for'),
      ...because('one transaction writes, the others wait in line', 'a deadlock is a conflict'),
    ],
  }
  testDriver('odbc on SQLite', subject, vitestRunner)
})

/** How often this process has the file open. */
function openFiles(path: string): number {
  const targetOf = (fd: string) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  }
  return readdirSync('/proc/self/fd').filter((fd) => targetOf(fd) === path).length
}
