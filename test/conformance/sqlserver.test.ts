import tediousPackage, { type Connection } from 'tedious'
import { afterAll, test } from 'vitest'
import { createPool } from '../../src/create-pool.ts'
import { resolveConfig } from '../../src/drivers/tedious/config.ts'
import { type TediousConfig, tedious } from '../../src/drivers/tedious/index.ts'
import { type ConformanceCase, type Skip, testDriver } from '../../src/testing/index.ts'
import { type Server, sqlserverSubject } from '../support/sqlserver-subject.ts'
import { vitestRunner } from '../support/vitest-runner.ts'

// The same suite on a real SQL Server of 2022 or newer, by a login that may create tables, see sessions and kill them.

const SKIP: readonly Skip<ConformanceCase>[] = [
  {
    case: 'connections to a server that became read-only are given up',
    reason: 'the database of somebody else is not made read-only',
  },
  {
    case: 'a server that has no connection left keeps those that are open at work',
    reason: 'the server of somebody else is not filled up',
  },
]

const URL = process.env.ROCKPOOL_TEST_SQLSERVER_URL
const title = 'tedious on a real SQL Server'
if (URL === undefined) test(title, ({ skip }) => skip('ROCKPOOL_TEST_SQLSERVER_URL names no server'))
else await define(URL)

async function define(url: string): Promise<void> {
  const name = `rockpool-${process.pid}`
  const { server: host, options, authentication } = await resolveConfig(url).config()
  const login = { type: 'default', ...authentication } as { type: string; options?: object }
  const driver = (config: TediousConfig = {}) =>
    tedious(
      { server: host, authentication: login, ...options, appName: name, ...config },
      { module: tediousPackage },
    )
  const admin = createPool(driver({ appName: `${name}-admin` }), { max: 1 })
  afterAll(() => admin.close())

  const facts: Server<Connection> = {
    server: {
      async sessions() {
        const sql = 'select count(*) as n from sys.dm_exec_sessions where program_name = @p1'
        return Number((await admin.query<{ n: number }>(sql, [name])).rows[0]?.n)
      },
      async kill(id) {
        await admin.query(`kill ${Number(id)}`)
      },
    },
    network: {
      host,
      port: Number(options.port),
      at: ({ host, port }) => driver({ server: host, port }),
    },
    refusals: {
      wrongPassword: () =>
        driver({ authentication: { ...login, options: { ...login.options, password: 'wrong' } } }),
      unknownDatabase: () => driver({ database: 'rockpool_nowhere' }),
    },
    skip: SKIP,
  }
  testDriver(
    title,
    sqlserverSubject(() => driver(), facts),
    vitestRunner,
  )
}
