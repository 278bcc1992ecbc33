import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { type ConformanceCase, testDriver } from '../../src/testing/index.ts'
import { end, libsql } from '../support/libsql-driver.ts'
import { vitestRunner } from '../support/vitest-runner.ts'

const folder = mkdtempSync(join(tmpdir(), 'rockpool-libsql-'))
afterAll(() => rmSync(folder, { recursive: true }))

const driver = libsql(join(folder, 'app.db'))
const series = (count: number) =>
  `with recursive s(n) as (select 1 where ${count} > 0 union all select n + 1 from s where n < ${count})`

testDriver(
  'libsql',
  {
    driver: () => driver,
    sql: {
      sessionId: 'select id from temp.session',
      echo: {
        text: 'select ?',
        integer: 'select cast(? as integer)',
        double: 'select ?',
        binary: 'select ?',
        bigAsText: 'select cast(? as text)',
      },
      big: { read: 'select 9007199254740993', gives: 9007199254740993n },
      series: (count) => `${series(count)} select n from s`,
      wide: (count) => `${series(count)} select n, printf('%.*c', 1000, 'x') as pad from s`,
      temporaryTable: { create: 'create temp table t (id integer)', read: 'select * from temp.t' },
      setting: { set: 'pragma cache_size = 77', read: 'pragma cache_size' },
      insertId: {
        create: (name) => `create table ${name} (id integer primary key autoincrement, note text)`,
        insert: (name) => `insert into ${name} (note) values ('a')`,
      },
    },
    server: {
      sessions: () => driver.open.size,
      kill: (id) => {
        const connection = driver.open.get(id as number)
        if (connection !== undefined) end(connection)
      },
    },
    refusals: { unknownDatabase: () => libsql(join(folder, 'no/such/folder.db')) },
    skip: [
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
      ...because('statements run in the calling thread, so that none is ever in flight', [
        'a statement in flight at release holds the connection back, and its answer reaches its caller',
        'a transaction with a statement in flight at release is rolled back after it',
        'a statement that outlives the reset costs the connection, and its caller is told',
        'a connection that dies under a statement is a ConnectionLostError with its cause',
        'an aborted statement rejects at once, and the server stops it',
        'a statement past its time rejects at once, and the server stops it',
        'a lease goes on after one of its statements was cancelled',
        'a cancel that comes late hits nobody else',
        'every answer says whether a transaction is open',
        'while a connection pipelines, every statement gets its own answer or error',
        'statements that go together get their own answers, and are undone when one of them fails',
      ]),
      ...because('nobody but this process can end a connection, so that none is lost unnoticed', [
        'a connection that the server closed while it was idle is noticed',
        'a connection that dies while it is leased frees its place at once, and giving it back is harmless',
        'a stream whose connection dies ends with an error',
        'the error by which the server ends a session is told from a failure of the network',
      ]),
      ...because('SQLite has no standby', ['connections to a server that became read-only are given up']),
      ...because('SQLite has one isolation', ['a transaction has the isolation that was asked for']),
      ...because('SQLite has one writer at a time', ['a deadlock is a conflict']),
    ],
  },
  vitestRunner,
)

function because(reason: string, cases: readonly ConformanceCase[]) {
  return cases.map((name) => ({ case: name, reason }))
}
