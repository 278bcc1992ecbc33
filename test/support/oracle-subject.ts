import type { OracleConnection } from '../../src/drivers/oracledb/index.ts'
import type { SqlDriver } from '../../src/index.ts'
import type { ConformanceCase, Refusals, ServerFacts, Subject } from '../../src/testing/index.ts'

type Skips = NonNullable<Subject<OracleConnection, ConformanceCase>['skip']>
export const because = (reason: string, ...cases: ConformanceCase[]): Skips =>
  cases.map((one) => ({ case: one, reason }))

const series = (count: number, more = '') =>
  `select n${more} from (select level as n from dual connect by level <= ${count}) where n <= ${count}`

const SKIPPED: Skips = [
  ...because(
    'no statement makes a session of Oracle as after connecting: a full reset opens another connection',
    'a full reset drops temporary tables',
    'a full reset undoes settings',
    'a full reset gives up locks',
    'a full reset forgets statements that were prepared in SQL',
    'after a full reset the driver prepares its own statements again',
  ),
  ...because(
    'Oracle gives names in upper case',
    'a result has rows by column name, their number, and the fields in order',
    'a nested transaction is undone alone',
    'a statement can be prepared, and survives a change of its table',
  ),
  ...because(
    'an empty text is null in Oracle',
    'an empty text is not null',
    'every byte comes back as it went',
  ),
  ...because(
    'oracledb tells nothing of a connection that nobody uses: the check finds out',
    'a connection that the server closed while it was idle is noticed',
    'a connection that dies while it is leased frees its place at once, and giving it back is harmless',
  ),
  ...because(
    'oracledb sends one statement at a time',
    'while a connection pipelines, every statement gets its own answer or error',
    'statements that go together get their own answers, and are undone when one of them fails',
  ),
  ...because('Oracle reports a row id, which is no number', 'insertId is the key that the server generated'),
  ...because(
    'Oracle does not tell the isolation of a transaction',
    'a transaction has the isolation that was asked for',
  ),
]

/** What the conformance suite must know about Oracle. */
export function oracleSubject(facts: {
  driver: () => SqlDriver<OracleConnection>
  server: ServerFacts
  refusals: Refusals<OracleConnection>
  network?: Subject<OracleConnection>['network']
  sessionId: string
  skip: Skips
}): Subject<OracleConnection, ConformanceCase> {
  return {
    driver: facts.driver,
    sql: {
      one: 'select 1 from dual',
      createTable: (name) => `create table ${name} (id integer not null primary key, note varchar2(200))`,
      sleep: (ms) => `begin dbms_session.sleep(${ms / 1000}); end;`,
      sessionId: facts.sessionId,
      echo: {
        text: 'select ? as v from dual',
        integer: 'select ? as v from dual',
        double: 'select ? as v from dual',
        binary: 'select ? as v from dual',
        bigAsText: 'select to_char(?) as v from dual',
      },
      big: { read: 'select 9007199254740993 as v from dual', gives: 9007199254740992 },
      series,
      wide: (count) => series(count, ", rpad('x', 1000, 'x') as w"),
    },
    server: facts.server,
    ...(facts.network !== undefined && { network: facts.network }),
    refusals: facts.refusals,
    skip: [...SKIPPED, ...facts.skip],
  }
}
