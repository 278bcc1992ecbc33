import pgPackage from 'pg'
import { afterAll } from 'vitest'
import { type PgConfig, pg } from '../../src/drivers/pg/index.ts'
import { startEmbeddedPostgres } from '../../src/testing/embedded-postgres.ts'
import { testDriver } from '../../src/testing/index.ts'
import { readOnly } from '../support/read-only.ts'
import { vitestRunner } from '../support/vitest-runner.ts'

const NAME = 'rockpool-conformance'
const FEW = 3

const server = await startEmbeddedPostgres({ password: 'secret' })
const admin = new pgPackage.Client(server.url())
await admin.connect()
await admin.query(`create role few login password 'secret' connection limit ${FEW}`)
afterAll(async () => {
  await admin.end()
  await server.close()
})

const { host, port, user } = server
const driver = (config: PgConfig = {}) =>
  pg({ host, port, user, password: 'secret', database: 'postgres', application_name: NAME, ...config })

testDriver(
  'pg on PostgreSQL 18',
  {
    driver: () => driver(),
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
      big: { read: 'select 9007199254740993', gives: '9007199254740993' },
      series: (count) => `select generate_series(1, ${count})`,
      wide: (count) => `select n, repeat('x', 1000) from generate_series(1, ${count}) as n`,
      temporaryTable: { create: 'create temporary table t (id int)', read: 'select * from pg_temp.t' },
      setting: { set: `set work_mem = '7MB'`, read: 'show work_mem' },
      lock: { take: 'select pg_advisory_lock(77)', isFree: 'select pg_try_advisory_lock(77)' },
      prepared: { make: 'prepare mine as select 1', use: 'execute mine' },
      isolation: {
        level: 'repeatable read',
        read: 'show transaction_isolation',
        gives: 'repeatable read',
      },
      abortsTransactions: true,
    },
    server: {
      async sessions() {
        const counted = 'select count(*)::int as n from pg_stat_activity where application_name = $1'
        return (await admin.query(counted, [NAME])).rows[0].n
      },
      async kill(id) {
        await admin.query('select pg_terminate_backend($1)', [id])
      },
      async demote() {
        await readOnly(admin, 'on')
        return () => readOnly(admin, 'off')
      },
    },
    network: { host, port, at: ({ host, port }) => driver({ host, port }) },
    refusals: {
      wrongPassword: () => driver({ password: 'wrong' }),
      unknownDatabase: () => driver({ database: 'nowhere' }),
      limited: async () => ({ driver: driver({ user: 'few' }), limit: FEW }),
    },
    skip: [
      {
        case: 'insertId is the key that the server generated',
        reason: 'PostgreSQL reports none: RETURNING gives it as a row',
      },
    ],
  },
  vitestRunner,
)
