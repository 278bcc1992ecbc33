import { test } from 'vitest'
import { mysql2 } from '../../src/drivers/mysql2/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from '../support/mariadb.ts'
import { mysqlSubject } from '../support/mysql-subject.ts'
import { NO_MYSQL56, startMysql56, wantsMysql56 } from '../support/mysql56.ts'
import { vitestRunner } from '../support/vitest-runner.ts'

const pipelining = (
  [
    'while a connection pipelines, every statement gets its own answer or error',
    'statements that go together get their own answers, and are undone when one of them fails',
  ] as const
).map((name) => ({ case: name, reason: 'mysql2 sends one statement at a time' }))

// Without `supportBigNumbers` mysql2 gives the nearest number.
const facts = { big: 9007199254740992, skip: pipelining }

const lanes = [
  { title: 'mysql2 on MariaDB', isThere: hasMariadb, reason: NO_MARIADB, start: startMariadb, more: '' },
  {
    title: 'mysql2 on MySQL 5.6',
    isThere: wantsMysql56,
    reason: NO_MYSQL56,
    start: startMysql56,
    // It has no COM_RESET_CONNECTION, and lets nobody log in anew who has once sent attributes.
    more: '?flags=-CONNECT_ATTRS',
  },
]

for (const { title, isThere, reason, start, more } of lanes) {
  if (!isThere) test(title, ({ skip }) => skip(reason))
  else
    testDriver(
      title,
      mysqlSubject(
        () => start(),
        (url) => mysql2(url + more),
        facts,
      ),
      vitestRunner,
    )
}
