import tediousPackage from 'tedious'
import { afterAll, expect, test } from 'vitest'
import { type TediousConfig, tedious } from '../../src/drivers/tedious/index.ts'
import { type ConformanceCase, startTdsServer, testDriver } from '../../src/testing/index.ts'
import { type Server, sqlserverSubject } from '../support/sqlserver-subject.ts'
import { vitestRunner } from '../support/vitest-runner.ts'

const TITLE = 'tedious on the TDS test server'
const NAME = 'rockpool-conformance'
const FEW = 3

const server = await startTdsServer()
const small = await startTdsServer({ maxConnections: FEW })
afterAll(async () => {
  await server.close()
  await small.close()
})

const driver = (config: TediousConfig = {}) =>
  tedious(
    {
      server: server.host,
      port: server.port,
      user: 'sa',
      password: 'secret',
      encrypt: false,
      appName: NAME,
      ...config,
    },
    { module: tediousPackage },
  )

/** There the end of a socket overtakes what the server has said before it, and tedious reports a lost connection. */
const onDeno: readonly ConformanceCase[] = [
  'a wrong password fails at once',
  'an unknown database fails at once',
  'a server that has no connection left keeps those that are open at work',
  'the error by which the server ends a session is told from a failure of the network',
]
const skip = ('Deno' in globalThis ? onDeno : []).map((name) => ({
  case: name,
  reason: "on Deno tedious sees the end of a socket before the server's last words",
}))
for (const { case: name, reason } of skip) console.log(`skipped: ${TITLE} > ${name} - ${reason}`)

const facts: Server<InstanceType<typeof tediousPackage.Connection>> = {
  server: {
    sessions: () => server.sessions(NAME),
    kill: (id) => void server.kill(Number(id)),
    demote() {
      server.isReadOnly = true
      return () => {
        server.isReadOnly = false
      }
    },
  },
  network: {
    host: server.host,
    port: server.port,
    at: ({ host, port }) => driver({ server: host, port }),
  },
  refusals: {
    wrongPassword: () => driver({ password: 'wrong' }),
    unknownDatabase: () => driver({ database: 'nowhere' }),
    limited: async () => ({ driver: driver({ port: small.port }), limit: FEW }),
  },
  skip,
}

testDriver(
  TITLE,
  sqlserverSubject(() => driver(), facts),
  vitestRunner,
)

test('the driver sent nothing that the TDS test server does not understand', () => {
  expect([...server.defects, ...small.defects]).toEqual([])
})
