import oraclePackage from 'oracledb'
import { afterAll, test } from 'vitest'
import { type OracleConnection, type OracleModule, oracledb } from '../../src/drivers/oracledb/index.ts'
import { testDriver } from '../../src/testing/index.ts'
import { FakeOracle } from '../support/fake-oracle.ts'
import { because, oracleSubject } from '../support/oracle-subject.ts'
import { vitestRunner } from '../support/vitest-runner.ts'

const fake = new FakeOracle()
afterAll(() => fake.close())
const at = (server: FakeOracle, config: object = {}) =>
  oracledb(
    { user: 'app', password: 'secret', connectString: 'db:1521/service', ...config },
    { module: server.module() as unknown as OracleModule<OracleConnection> },
  )

testDriver(
  'oracledb on a fake of its package',
  oracleSubject({
    driver: () => at(fake),
    sessionId: `select sys_context('USERENV', 'SID') from dual`,
    server: {
      sessions: () => fake.sessions.size,
      kill: (id) => fake.kill(Number(id)),
      demote() {
        fake.role = 'PHYSICAL STANDBY'
        return () => {
          fake.role = 'PRIMARY'
        }
      },
    },
    refusals: {
      wrongPassword: () => at(fake, { password: 'wrong' }),
      unknownDatabase: () => at(fake, { connectString: 'db:1521/nowhere' }),
      async limited() {
        const small = new FakeOracle()
        small.maxSessions = 3
        afterAll(() => small.close())
        return { driver: at(small), limit: 3 }
      },
    },
    skip: [
      ...because(
        'the fake has no network: test/integration/drivers/oracledb.connect.test.ts has the package with one',
        'a server that refuses is retried until the deadline, and its error is the cause',
        'a server that accepts and says nothing is given up in time',
        'an idle connection whose network went silent is replaced after the check',
        'a statement whose network went silent ends at its time limit',
        'a connection whose network went silent does not hold up the closing of the pool',
      ),
      ...because('the fake has no row locks', 'a deadlock is a conflict'),
      ...because(
        'the fake has the numbers of SQLite',
        'a whole number beyond 2^53 is read as documented',
        'whole numbers of 64 bits arrive unchanged',
      ),
      ...because(
        'the fake has all rows before the first is read',
        'a stream reads no further ahead than its batch',
      ),
    ],
  }),
  vitestRunner,
)

const url = process.env.ROCKPOOL_TEST_ORACLE_URL
if (url === undefined) {
  test('oracledb on Oracle', ({ skip }) =>
    skip(
      'there is no Oracle server here: ROCKPOOL_TEST_ORACLE_URL=oracle://user:password@host:1521/service names one',
    ))
} else {
  const admin = await oracledb(url).connect({ signal: AbortSignal.timeout(20_000) })
  afterAll(() => admin.close())
  const ask = async (sql: string) =>
    (await admin.execute(sql, [], { outFormat: oraclePackage.OUT_FORMAT_ARRAY })).rows
  const named = new URL(url)
  const changed = (change: (copy: URL) => void) => {
    const copy = new URL(url)
    change(copy)
    return oracledb(copy.href)
  }
  testDriver(
    'oracledb on Oracle',
    oracleSubject({
      driver: () => oracledb(url),
      sessionId: `select sid || ',' || serial# from v$session where sid = sys_context('USERENV', 'SID')`,
      server: {
        async sessions() {
          const counted = `select count(*) from v$session where username = user and sid <> sys_context('USERENV', 'SID')`
          return Number((((await ask(counted)) ?? [])[0] as unknown as unknown[])[0])
        },
        kill: async (id) => {
          await ask(`alter system kill session '${String(id).replaceAll("'", '')}' immediate`)
        },
      },
      network: {
        host: named.hostname,
        port: Number(named.port || 1521),
        at: ({ host, port }) =>
          changed((copy) => {
            copy.host = `${host}:${port}`
            copy.searchParams.set('connectTimeout', '1')
          }),
      },
      refusals: {
        wrongPassword: () => changed((copy) => Object.assign(copy, { password: 'wrong' })),
        unknownDatabase: () => changed((copy) => Object.assign(copy, { pathname: '/rockpool_nowhere' })),
      },
      skip: [
        ...because(
          'wants a user with SESSIONS_PER_USER',
          'a server that has no connection left keeps those that are open at work',
        ),
        ...because('wants a standby', 'connections to a server that became read-only are given up'),
      ],
    }),
    vitestRunner,
  )
}
