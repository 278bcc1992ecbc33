import Database from 'libsql'
import type { ErrorClass, QueryResult, Row, SqlDriver } from '../../src/index.ts'

type Handle = InstanceType<typeof Database>

/**
 * A connection whose handle is opened anew by a full reset, SQLite having no other way to forget all of a session; and
 * after a statement that the package leaves half done, which would hold on to what it has read of the database.
 */
export interface LibsqlConnection {
  handle: Handle
  readonly id: number
  /** Streams that are being read. */
  reading: number
  halfDone: boolean
  readOnly: boolean
}

export interface LibsqlDriver extends SqlDriver<LibsqlConnection> {
  /** Connections whose handle is open. */
  readonly open: ReadonlyMap<number, LibsqlConnection>
}

/**
 * An adapter for `libsql` that runs everything in the calling thread: nothing is ever in flight when anybody can look,
 * nothing can be cancelled, and nobody but this process can end a connection.
 */
export function libsql(file: string): LibsqlDriver {
  const open = new Map<number, LibsqlConnection>()
  let ids = 0

  function openHandle(id: number): Handle {
    // No waiting for locks: it would block the only thread, and with it whoever could free them.
    const handle = new Database(file, { timeout: 0 })
    handle.exec('pragma journal_mode = wal; pragma foreign_keys = on')
    handle.exec(`create temp table session as select ${id} as id`)
    return handle
  }

  function renew(connection: LibsqlConnection): void {
    end(connection)
    connection.handle = openHandle(connection.id)
    connection.halfDone = false
  }

  function rollback(connection: LibsqlConnection): void {
    if (connection.handle.inTransaction) connection.handle.exec('rollback')
    if (connection.halfDone) renew(connection)
    else writable(connection)
  }

  return {
    name: 'libsql',
    open,
    async connect() {
      const id = ++ids
      const connection = { handle: openHandle(id), id, reading: 0, halfDone: false, readOnly: false }
      open.set(id, connection)
      return connection
    },
    close(connection) {
      open.delete(connection.id)
      end(connection)
    },
    isAlive: ({ handle }) => handle.open && handle.prepare('select 1').all().length === 1,
    isDirty: ({ handle, reading, halfDone }) =>
      handle.open && (handle.inTransaction || reading > 0 || halfDone),
    reset(connection, how) {
      rollback(connection)
      if (how === 'full') renew(connection)
    },
    classify,
    async query(connection, sql, params) {
      try {
        return run(connection.handle, sql, params)
      } catch (error) {
        connection.halfDone ||= isBusy(error)
        throw error
      }
    },
    async begin(connection, { readOnly = false }) {
      connection.handle.exec('begin')
      connection.readOnly = readOnly
      // The `readonly` of a handle is ignored by this package.
      if (readOnly) connection.handle.exec('pragma query_only = on')
    },
    async commit(connection) {
      connection.handle.exec('commit')
      writable(connection)
    },
    rollback: async (connection) => rollback(connection),
    async savepoint({ handle }, name, move) {
      handle.exec(`${move === 'set' ? 'savepoint' : move === 'release' ? 'release' : 'rollback to'} ${name}`)
    },
    async *stream(connection, sql, params) {
      connection.reading++
      connection.halfDone = true
      try {
        const statement = connection.handle.prepare(sql).safeIntegers(true)
        for (const row of statement.iterate(params.map(bindable)) as Iterable<Row>) yield readable(row)
        connection.halfDone = false
      } finally {
        connection.reading--
      }
    },
  }
}

/** Closing alone keeps the locks of an open transaction until its statements are garbage. */
export function end({ handle }: LibsqlConnection): void {
  if (handle.open && handle.inTransaction) handle.exec('rollback')
  handle.close()
}

function run(handle: Handle, sql: string, params: readonly unknown[]): QueryResult {
  const statement = handle.prepare(sql).safeIntegers(true)
  const values = params.map(bindable)
  if (statement.reader) {
    const rows = (statement.all(values) as Row[]).map(readable)
    return { rows, rowCount: rows.length, fields: statement.columns().map(({ name }) => ({ name })) }
  }
  const { changes, lastInsertRowid } = statement.run(values)
  const result: QueryResult = { rows: [], rowCount: Number(changes), fields: [] }
  if (/^\s*(insert|replace)\b/i.test(sql)) result.insertId = fitting(lastInsertRowid) as number | bigint
  return result
}

function writable(connection: LibsqlConnection): void {
  if (connection.readOnly) connection.handle.exec('pragma query_only = off')
  connection.readOnly = false
}

/** The package ends the whole process when it is given a value of a kind that it does not know. */
function bindable(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value instanceof Date) return value.toISOString()
  if (value === null || value === undefined || ArrayBuffer.isView(value)) return value ?? null
  if (['number', 'bigint', 'string'].includes(typeof value)) return value
  throw new TypeError(`a value of type ${typeof value} cannot be a parameter`)
}

function readable(row: Row): Row {
  for (const [name, value] of Object.entries(row)) row[name] = fitting(value)
  return row
}

/** Whole numbers are read as bigint, so that large ones are not rounded; those that fit become numbers again. */
function fitting(value: unknown): unknown {
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  const fits =
    typeof value === 'bigint' && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
  return fits ? Number(value) : value
}

function classify(error: unknown, during: 'connect' | 'statement'): ErrorClass {
  if (during === 'connect') return 'permanent'
  if (isBusy(error)) return 'conflict'
  return (error as Error).message === 'The database connection is not open' ? 'fatal' : 'statement'
}

function isBusy(error: unknown): boolean {
  return String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')
}
