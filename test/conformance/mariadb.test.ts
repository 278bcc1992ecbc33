import { test } from 'vitest'
import { mariadb } from '../../src/drivers/mariadb/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from '../support/mariadb.ts'
import { mysqlSubject } from '../support/mysql-subject.ts'
import { vitestRunner } from '../support/vitest-runner.ts'

const title = 'mariadb on MariaDB'
if (!hasMariadb) test(title, ({ skip }) => skip(NO_MARIADB))
else
  testDriver(
    title,
    mysqlSubject(() => startMariadb(), mariadb, {
      big: 9007199254740993n,
      skip: [
        {
          case: 'statements that go together get their own answers, and are undone when one of them fails',
          reason: 'no statement of MariaDB is undone by another',
        },
      ],
    }),
    vitestRunner,
  )
