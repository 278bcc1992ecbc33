import type { SqlDriver } from '../../src/index.ts'
import {
  type ConformanceCase,
  type FakeConnection,
  FakeError,
  FakeServer,
  type Subject,
} from '../../src/testing/index.ts'
import { teach } from './fake-dialect.ts'

const refusing = (message: string) => () =>
  new FakeServer({ script: { connect: { error: new FakeError('permanent', message) } } }).driver()

/** The fake server as a subject of the conformance suite. */
export function fakeSubject(
  server: FakeServer,
  driver: SqlDriver<FakeConnection> = server.driver(),
): Subject<FakeConnection, ConformanceCase> {
  teach(server)
  return {
    driver: () => driver,
    sql: {
      sleep: (ms) => `sleep ${ms}`,
      sessionId: 'session',
      echo: {
        text: 'echo ?',
        integer: 'echo ?',
        double: 'echo ?',
        binary: 'echo ?',
        bigAsText: 'echo as text ?',
      },
      series: (count) => `series ${count}`,
      wide: (count) => `wide ${count}`,
      temporaryTable: { create: 'create temporary t', read: 'read temporary t' },
      setting: { set: 'set mood happy', read: 'show mood' },
      lock: { take: 'lock it', isFree: 'is free it' },
      prepared: { make: 'prepare p', use: 'execute p' },
      isolation: { level: 'repeatable read', read: 'isolation', gives: 'repeatable read' },
      abortsTransactions: true,
      collide: async (pool) => {
        await pool.query('create table hot (id)')
        await pool.query('insert into hot (id) values (1)')
        const update = { sql: 'update hot set note = $1 where id = $2', params: ['new', 1] }
        const leases = await Promise.all([pool.acquire(), pool.acquire()])
        const errors: unknown[] = []
        for (const lease of leases) {
          await lease.begin({ isolation: 'serializable' })
          await lease.query('select note from hot where id = $1', [1])
        }
        for (const lease of leases) {
          try {
            await lease.query(update.sql, update.params)
            await lease.commit()
          } catch (error) {
            errors.push(error)
          }
          lease.release()
        }
        return errors[0]
      },
    },
    server: {
      sessions: () => server.open,
      demote() {
        server.demote()
        return () => {}
      },
      kill: (id) => server.kill(server.connections.find((connection) => connection.id === id)),
    },
    refusals: {
      wrongPassword: refusing('wrong password'),
      unknownDatabase: refusing('no such database'),
      limited: async () => ({
        driver: new FakeServer({ maxConnections: 3 }).answer('select 1', [{ one: 1 }]).driver(),
        limit: 3,
      }),
    },
    skip: [
      ...[
        'a server that refuses is retried until the deadline, and its error is the cause' as const,
        'a server that accepts and says nothing is given up in time' as const,
        'an idle connection whose network went silent is replaced after the check' as const,
        'a statement whose network went silent ends at its time limit' as const,
        'a connection whose network went silent does not hold up the closing of the pool' as const,
      ].map((name) => ({ case: name, reason: 'the fake server has no network' })),
      { case: 'insertId is the key that the server generated', reason: 'the fake server generates no keys' },
      {
        case: 'a whole number beyond 2^53 is read as documented',
        reason: 'the fake server stores values as they are',
      },
      { case: 'a deadlock is a conflict', reason: 'the fake server has no row locks' },
    ],
  }
}
