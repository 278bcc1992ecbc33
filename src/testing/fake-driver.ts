import type { Driver, ErrorClass } from '../contract/driver.ts'
import { TransactionError } from '../contract/errors.ts'
import type { Row, SqlDriver } from '../contract/sql-driver.ts'
import { beginText, type FakeAnswer, toResult } from './fake-answers.ts'
import type { FakeConnection, Sent } from './fake-connection.ts'
import { FakeError } from './fake-error.ts'
import type { FakeOperation } from './fake-script.ts'

/** What a driver needs of the server that it connects to. */
export interface FakeEndpoint {
  readonly misuse: string[]
  connect(context: { signal: AbortSignal }): Promise<FakeConnection>
  close(connection: FakeConnection): Promise<void>
  cancel(connection: FakeConnection): Promise<void>
}

/** Everything that a driver may leave out. */
export type FakeCapability =
  | 'isAlive'
  | 'isDirty'
  | 'reset'
  | 'classify'
  | 'confirmStale'
  | 'onLost'
  | 'ref'
  | 'unref'
  | 'stream'
  | 'cancel'
  | 'pipeline'
  | 'inTransaction'
  | 'beginWith'
  | 'isFarewell'
  | 'preparesByName'
  | 'placeholder'
  | 'isStalePlan'
  | 'isUndone'

export interface FakeDriverOptions {
  /** Default `fake`. */
  name?: string
  /** What this driver cannot do. */
  without?: readonly FakeCapability[]
}

export function resourceDriver(
  endpoint: FakeEndpoint,
  options: FakeDriverOptions = {},
): Driver<FakeConnection> {
  return lacking(basics(endpoint, options.name), options.without)
}

export function sqlDriver(
  endpoint: FakeEndpoint,
  options: FakeDriverOptions = {},
): SqlDriver<FakeConnection> {
  const driver: SqlDriver<FakeConnection> = {
    ...basics(endpoint, options.name),
    async query(connection, sql, params, { name, together }) {
      const busy = connection.inFlight > 0 && !connection.pipelining
      if (busy || connection.closed) {
        const when = busy ? 'while it was busy' : 'after it was closed'
        endpoint.misuse.push(`connection ${connection.id} was sent "${sql}" ${when}`)
      }
      return toResult(
        await connection.send(
          sql,
          name === undefined ? { params } : { params, name, together: together === true },
        ),
      )
    },
    begin: (connection, begin) => done(connection, 'begin', beginText(begin)),
    // The server skips the statement when BEGIN has failed.
    async beginWith(connection, begin, { sql, params, name }) {
      await done(connection, 'begin', beginText(begin))
      return toResult(await connection.send(sql, name === undefined ? { params } : { params, name }))
    },
    async commit(connection) {
      const answer = await connection.send('commit', { operation: 'commit' })
      if (!answer.rolledBack) return
      throw new TransactionError(
        'TRANSACTION_ABORTED',
        'the server answered COMMIT by ROLLBACK: a statement had failed',
      )
    },
    rollback: (connection) => done(connection, 'rollback', 'rollback'),
    savepoint: (connection, name, move) => done(connection, 'savepoint', `${SAVEPOINT[move]} ${name}`),
    stream,
    cancel: (connection) => endpoint.cancel(connection),
    pipeline(connection, on) {
      connection.pipelining = on
    },
    inTransaction: (connection) => connection.inTransaction,
    isFarewell: (error) => error instanceof FakeError && error.code === 'KILLED',
    preparesByName: true,
    placeholder: (position) => `$${position}`,
    isStalePlan: (error) => error instanceof FakeError && error.code === 'NOT_PREPARED',
    isUndone: (error) => error instanceof FakeError && error.code === 'UNDONE',
  }
  return lacking(driver, options.without)
}

const SAVEPOINT = { set: 'savepoint', release: 'release savepoint', rollback: 'rollback to savepoint' }

function basics(endpoint: FakeEndpoint, name = 'fake'): Driver<FakeConnection> {
  return {
    name,
    connect: (context) => endpoint.connect(context),
    close: (connection) => endpoint.close(connection),
    isAlive: async (connection) => says(await connection.send('', { operation: 'isAlive' })) ?? true,
    isDirty: (connection) => connection.inFlight > 0 || connection.session.transaction !== 'none',
    async reset(connection, how) {
      await done(connection, 'reset', how === 'full' ? 'discard all' : 'rollback')
      if (how === 'full') connection.prepared.clear()
    },
    classify,
    confirmStale: async (connection) =>
      says(await connection.send('', { operation: 'confirmStale' })) ?? false,
    onLost(connection, lost) {
      connection.onLost = lost
    },
    ref(connection) {
      connection.referenced = true
    },
    unref(connection) {
      connection.referenced = false
    },
  }
}

function classify(error: unknown, during: 'connect' | 'statement'): ErrorClass {
  if (error instanceof FakeError) return error.errorClass
  return during === 'connect' ? 'fatal' : 'statement'
}

async function done(connection: FakeConnection, operation: FakeOperation, sql: string): Promise<void> {
  await connection.send(sql, { operation })
}

function says(answer: FakeAnswer): boolean | undefined {
  return answer.says
}

async function* stream(
  connection: FakeConnection,
  sql: string,
  params: readonly unknown[],
  { batch }: { batch: number },
): AsyncGenerator<Row> {
  let sent: Sent | undefined
  const answer = await new Promise<FakeAnswer>((resolve, reject) => {
    sent = connection.enqueue(sql, { operation: 'stream', params, stays: true }, { resolve, reject })
  })
  const statement = sent as unknown as Sent
  const rows = (answer.rows ?? [])[Symbol.iterator]()
  try {
    for (;;) {
      const fetched = take(rows, batch)
      yield* fetched
      if (fetched.length < batch) return
      await connection.ask(statement)
    }
  } finally {
    connection.leave(statement)
  }
}

function take(rows: Iterator<Row>, count: number): Row[] {
  const taken: Row[] = []
  while (taken.length < count) {
    const { done, value } = rows.next()
    if (done) break
    taken.push(value)
  }
  return taken
}

/** The driver without these. */
function lacking<D extends object>(driver: D, without: readonly FakeCapability[] = []): D {
  const missing = new Set<string>(without)
  return Object.fromEntries(Object.entries(driver).filter(([name]) => !missing.has(name))) as D
}
