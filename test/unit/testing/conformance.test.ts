import { describe, expect, test } from 'vitest'
import type { SqlDriver } from '../../../src/index.ts'
import {
  type ConformanceCase,
  type FakeConnection,
  FakeServer,
  type Subject,
  testDriver,
} from '../../../src/testing/index.ts'
import { fakeSubject } from '../../support/fake-subject.ts'

type Driver = SqlDriver<FakeConnection>
type FakeCase = Subject<FakeConnection, ConformanceCase>

/** The suite's cases by name, without a test runner around them. */
function collect(subject: FakeCase) {
  const cases = new Map<string, () => Promise<void>>()
  const skips: string[] = []
  const report = testDriver('subject', subject, {
    describe: (_, define) => define(),
    it: (name, run) => cases.set(name, run),
    skip: (name, reason) => skips.push(`${name} - ${reason}`),
  })
  const run = (name: ConformanceCase) => {
    const found = cases.get(name)
    if (found === undefined) throw new Error(`no case "${name}"`)
    return found()
  }
  return { run, skips, report, names: [...cases.keys()] }
}

function broken(fault: (driver: Driver) => Partial<Driver>) {
  const server = new FakeServer({ record: null })
  const driver = server.driver()
  return collect(fakeSubject(server, { ...driver, ...fault(driver) }))
}

const never = new Promise<never>(() => {})

describe('a driver that', () => {
  const faults: [string, (driver: Driver) => Partial<Driver>, ConformanceCase[]][] = [
    [
      'does not see an open transaction',
      () => ({ isDirty: () => false }),
      ['an open transaction is seen and rolled back on return'],
    ],
    [
      'does not see a statement in flight',
      () => ({ isDirty: ({ session }) => session.transaction !== 'none' }),
      ['a statement in flight at release holds the connection back, and its answer reaches its caller'],
    ],
    [
      'does not roll back',
      () => ({ reset: () => {} }),
      ['an open transaction is seen and rolled back on return', 'a full reset undoes settings'],
    ],
    [
      'takes a full reset for a rollback',
      (driver) => ({ reset: (connection) => driver.reset?.(connection, 'rollback') }),
      [
        'a full reset drops temporary tables',
        'a full reset undoes settings',
        'a full reset gives up locks',
        'a full reset forgets statements that were prepared in SQL',
      ],
    ],
    [
      'forgets that a full reset took its prepared statements',
      () => ({
        reset: async (connection) => void (await connection.send('discard all', { operation: 'reset' })),
        isStalePlan: () => false,
      }),
      ['after a full reset the driver prepares its own statements again'],
    ],
    [
      'takes every connection for alive',
      () => ({ isAlive: () => true, onLost: () => {} }),
      [
        'a connection that the server closed while it was idle is never lent',
        'a connection that the server closed while it was idle is noticed',
        'a connection that dies while it is leased frees its place at once, and giving it back is harmless',
      ],
    ],
    [
      'takes the loss of a connection for an error of the statement',
      () => ({ classify: () => 'statement', onLost: () => {} }),
      [
        'a connection that dies under a statement is a ConnectionLostError with its cause',
        'a collision of two transactions is a conflict',
      ],
    ],
    [
      'does not cancel',
      () => ({ cancel: async () => {} }),
      ['an aborted statement rejects at once, and the server stops it'],
    ],
    [
      'says that a cancel is over before it is',
      (driver) => ({
        cancel: async (connection) => {
          setTimeout(() => driver.cancel?.(connection), 4)
        },
      }),
      ['a cancel that comes late hits nobody else'],
    ],
    [
      'makes texts of all parameters',
      (driver) => ({ query: (c, sql, params, o) => driver.query(c, sql, params.map(String), o) }),
      ['null is null, as a parameter and in a table', 'every byte comes back as it went'],
    ],
    [
      'counts rows returned for rows changed',
      (driver) => ({
        query: async (c, sql, params, o) => {
          const result = await driver.query(c, sql, params, o)
          return { ...result, rowCount: result.rows.length }
        },
      }),
      ['rowCount is the number of rows that a statement changed'],
    ],
    [
      'believes every COMMIT',
      () => ({ commit: async (connection) => void (await connection.send('commit')) }),
      ['a swallowed error never makes a transaction seem committed that was not'],
    ],
    [
      'does not go back to a savepoint',
      (driver) => ({
        savepoint: async (c, name, move) => {
          if (move !== 'rollback') await driver.savepoint?.(c, name, move)
        },
      }),
      ['a nested transaction is undone alone'],
    ],
    [
      'begins every transaction alike',
      (driver) => ({
        begin: (connection) => driver.begin(connection, {}),
        beginWith: (connection, _, statement) => driver.beginWith?.(connection, {}, statement) as never,
      }),
      [
        'a transaction has the isolation that was asked for',
        'a read-only transaction refuses to write, and that says nothing about the server',
      ],
    ],
    [
      'reads a stream ahead',
      (driver) => ({
        async *stream(c, sql, params) {
          yield* (await driver.query(c, sql, params, {})).rows
        },
      }),
      ['a stream reads no further ahead than its batch'],
    ],
    [
      'does not end a stream that is left',
      (driver) => ({
        stream: (c, sql, params, o) => {
          const stream = driver.stream?.(c, sql, params, o) as AsyncIterable<never>
          const rows = stream[Symbol.asyncIterator]()
          return { [Symbol.asyncIterator]: () => ({ next: () => rows.next() }) }
        },
        cancel: async () => {},
      }),
      ['a stream that is left early gives its connection back, usable'],
    ],
    [
      'mixes up what it pipelines',
      (driver) => ({
        query: async (c, sql, params, o) => {
          const result = await driver.query(c, sql, params, o)
          return c.pipelining ? { ...result, rows: [{ value: 'word 0' }] } : result
        },
      }),
      ['while a connection pipelines, every statement gets its own answer or error'],
    ],
    [
      'does not close',
      () => ({ close: () => {} }),
      ['connects, answers, and is closed', 'a statement whose signal is aborted beforehand is not sent'],
    ],
    [
      'forgets a connect that was aborted',
      (driver) => ({
        connect: ({ signal }) => {
          const connecting = driver.connect({ signal: new AbortController().signal })
          return signal.aborted ? never : connecting
        },
      }),
      ['a connect that is aborted, early or late, leaves nothing behind'],
    ],
  ]

  for (const [what, fault, cases] of faults) {
    test.concurrent.each(cases)(`${what} fails: %s`, async (name) => {
      await expect(broken(fault).run(name)).rejects.toThrow()
    })
  }
})

describe('the suite', () => {
  test('refuses to skip what there is not, and to skip without a reason', () => {
    const subject = fakeSubject(new FakeServer())
    const skipping = (skip: { case: string; reason: string }) => () =>
      collect({ ...subject, skip: [skip as never] })
    expect(skipping({ case: 'no such case', reason: 'because' })).toThrow('no case "no such case"')
    expect(skipping({ case: 'connects, answers, and is closed', reason: ' ' })).toThrow('needs a reason')
  })

  test('shows what is skipped with its reason, and does not run it', () => {
    const { skips, names, report } = collect(fakeSubject(new FakeServer()))
    expect(skips).toContain('a deadlock is a conflict - the fake server has no row locks')
    expect(names).not.toContain('a deadlock is a conflict')
    expect(report.skipped.length).toBe(skips.length)
  })

  test('fails a case whose facts are not given, and says which', async () => {
    const subject = fakeSubject(new FakeServer())
    const { run, report } = collect({ ...subject, sql: {} })
    await expect(run('a full reset undoes settings')).rejects.toThrow('needs the fact "sql.setting"')
    expect([report.passed, report.failed]).toEqual([0, 1])
  })

  test('fails a case for which the driver lacks the ability, and says which', async () => {
    const server = new FakeServer()
    const { run } = collect(fakeSubject(server, server.driver({ without: ['cancel'] })))
    await expect(run('a cancel that comes late hits nobody else')).rejects.toThrow('the driver has no cancel')
  })
})
