import type { SqlDriver } from '../../src/index.ts'
import type { ConformanceCase, Skip, Subject } from '../../src/testing/index.ts'

/** So many milliseconds as WAITFOR wants them. */
export function delay(ms: number): string {
  return `waitfor delay '${new Date(ms).toISOString().slice(11, 23)}'`
}

/** What differs between our own server and a real one. */
export interface Server<C> extends Pick<Subject<C, ConformanceCase>, 'network' | 'refusals' | 'server'> {
  readonly skip?: readonly Skip<ConformanceCase>[]
}

/** SQL Server as a subject of the conformance suite; `generate_series` is of 2022. */
export function sqlserverSubject<C>(
  driver: () => SqlDriver<C>,
  { skip = [], ...server }: Server<C>,
): Subject<C, ConformanceCase> {
  const lock = `@Resource = 'rockpool', @LockMode = 'Exclusive', @LockOwner = 'Session'`
  return {
    driver,
    ...server,
    sql: {
      sleep: delay,
      sessionId: 'select @@spid as id',
      echo: {
        text: 'select ? as value',
        integer: 'select ? as value',
        double: 'select cast(? as float) as value',
        binary: 'select ? as value',
        bigAsText: 'select cast(cast(? as bigint) as varchar(30)) as value',
      },
      // As tedious gives every bigint.
      big: { read: 'select cast(9007199254740993 as bigint) as value', gives: '9007199254740993' },
      series: (count) => `select top (${count}) value from generate_series(1, ${Math.max(count, 1)})`,
      wide: (count) => `select value, replicate('x', 1000) as pad from generate_series(1, ${count})`,
      temporaryTable: { create: 'create table #t (id int)', read: 'select * from #t' },
      setting: { set: 'set lock_timeout 1234', read: 'select @@lock_timeout as value' },
      lock: {
        take: `exec sp_getapplock ${lock}`,
        isFree: `select applock_test('public', 'rockpool', 'Exclusive', 'Session') as free`,
      },
      isolation: {
        level: 'repeatable read',
        read: 'select transaction_isolation_level from sys.dm_exec_sessions where session_id = @@spid',
        gives: 3,
      },
    },
    skip: [
      {
        case: 'insertId is the key that the server generated',
        reason: 'SQL Server reports none: OUTPUT gives it as a row',
      },
      {
        case: 'a full reset forgets statements that were prepared in SQL',
        reason: 'T-SQL has no PREPARE',
      },
      {
        case: 'while a connection pipelines, every statement gets its own answer or error',
        reason: 'tedious sends one statement at a time',
      },
      {
        case: 'statements that go together get their own answers, and are undone when one of them fails',
        reason: 'tedious sends one statement at a time',
      },
      ...skip,
    ],
  }
}
