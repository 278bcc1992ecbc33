import { afterAll, beforeAll } from 'vitest'
import type { SqlDriver } from '../../src/contract/sql-driver.ts'
import type { Address, ConformanceCase, Subject } from '../../src/testing/index.ts'
import { type MysqlServer, Overseer } from './mysql-server.ts'

export type MakeDriver<C> = (url: string) => SqlDriver<C>

const SKIPPED = [
  {
    case: 'a transaction has the isolation that was asked for',
    reason: 'no variable of MySQL tells it; seen by its locks in test/integration/drivers',
  },
  {
    case: 'the error by which the server ends a session is told from a failure of the network',
    reason: 'MySQL and MariaDB close the socket of a killed session without a word',
  },
] as const

/** What the conformance suite must know about MySQL and MariaDB. The server is started before the first case. */
export function mysqlSubject<C>(
  start: () => Promise<MysqlServer>,
  make: MakeDriver<C>,
  facts: { big: unknown; skip?: Subject<C, ConformanceCase>['skip'] },
): Subject<C, ConformanceCase> {
  let server: MysqlServer
  let overseer: Overseer
  beforeAll(async () => {
    server = await start()
    overseer = await Overseer.of(server)
  })
  afterAll(async () => {
    await overseer?.close()
    await server?.close()
  })
  const at = ({ host, port }: Address) => make(`mysql://app:S3cret%23@${host}:${port}/app`)
  return {
    driver: () => make(server.url()),
    sql: {
      sleep: (ms) => `select sleep(${ms / 1000})`,
      sessionId: 'select connection_id()',
      echo: {
        text: 'select ? as v',
        integer: 'select cast(? as signed) as v',
        double: 'select ? + 0e0 as v',
        binary: 'select cast(? as binary) as v',
        bigAsText: 'select cast(cast(? as signed) as char) as v',
      },
      big: { read: 'select 9007199254740993 as v', gives: facts.big },
      series,
      wide: (count) => series(count, ", repeat('x', 1024) as w"),
      temporaryTable: {
        create: 'create temporary table passing (id int)',
        read: 'select * from passing',
      },
      setting: { set: "set session sql_mode = 'ANSI'", read: 'select @@session.sql_mode' },
      lock: { take: "select get_lock('rockpool', 0)", isFree: "select is_free_lock('rockpool')" },
      prepared: { make: "prepare p from 'select 1'", use: 'execute p' },
      insertId: {
        create: (name) => `create table ${name} (id int auto_increment primary key, note varchar(20))`,
        insert: (name) => `insert into ${name} (note) values ('x')`,
      },
    },
    server: {
      sessions: () => overseer.sessions(),
      kill: (id) => overseer.kill(id),
      async demote() {
        await overseer.ask('set global read_only = 1')
        return () => overseer.ask('set global read_only = 0')
      },
    },
    get network() {
      return { host: server.host, port: server.port, at }
    },
    refusals: {
      wrongPassword: () => make(server.url({ user: 'app:wrong' })),
      unknownDatabase: () => make(server.url({ database: 'nowhere' })),
      limited: async () => ({ driver: make(server.url({ user: 'few:S3cret%23' })), limit: 3 }),
    },
    skip: [...SKIPPED, ...(facts.skip ?? [])],
  }
}

/** Without recursion and sequences, which MySQL 5.6 has not: ten rows times ten, and so on, numbered as they come. */
function series(count: number, more = ''): string {
  const ten = `(select ${Array.from({ length: 10 }, (_, i) => i).join(' union all select ')})`
  const digits = String(count).length
  const tables = Array.from({ length: digits }, (_, i) => `, ${ten} as d${i}`).join('')
  return `select @n := @n + 1 as n${more} from (select @n := 0) as start${tables} limit ${count}`
}
