import type { Row } from '../../contract/sql-driver.ts'

/** The libraries that we know; what they do not share is told apart in this file alone. */
export type LibraryKind = 'node:sqlite' | 'better-sqlite3' | 'libsql'

/** How a database is opened, in whichever thread. */
export interface Opening {
  readonly file: string
  readonly readOnly: boolean
  /** Runs once on each new connection. */
  readonly setup: readonly string[]
  /** 64-bit integers as bigint. */
  readonly bigints: boolean
}

/** What one statement gave. */
export interface Outcome {
  readonly rows: Row[]
  readonly names: readonly string[]
  readonly changes: number
  readonly insertId: number | bigint | undefined
}

/** The rows of a statement that is not over. */
export interface Cursor {
  names(): readonly string[]
  next(): Row | undefined
  /** Ends the statement before its last row. */
  close(): void
}

/** One connection to a database, synchronous, the same for all libraries. */
export interface Engine {
  /** The library's own object. */
  readonly native: unknown
  inTransaction(): boolean
  /** Writes are possible from now on, or refused before anything happens. */
  allowWrites(on: boolean): void
  /** Several statements. */
  script(text: string): void
  run(text: string, params: readonly unknown[]): Outcome
  open(text: string, params: readonly unknown[]): Cursor
  close(): void
}

/** The part of the libraries' databases and statements that is used here. */
interface NativeDatabase {
  readonly inTransaction?: boolean
  readonly isTransaction?: boolean
  prepare(text: string): NativeStatement
  exec(text: string): unknown
  close(): void
}

interface NativeStatement {
  readonly reader?: boolean
  all(...params: unknown[]): Row[]
  get(...params: unknown[]): unknown
  run(...params: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  iterate(...params: unknown[]): Iterator<Row>
  columns(): { name: string }[]
  safeIntegers?(on: boolean): unknown
  setReadBigInts?(on: boolean): unknown
  interrupt?(): void
}

interface Prepared {
  readonly statement: NativeStatement
  readonly gives: boolean
}

/**
 * Opens a database with one of the libraries. Its text is also the program of our threads: it must not refer to anything
 * outside of itself but globals.
 */
export function openEngine(kind: LibraryKind, module: unknown, opening: Opening): Engine {
  const MOST_PREPARED = 200
  const isNode = kind === 'node:sqlite'
  const isLibsql = kind === 'libsql'
  // Deno's prepared statements do not always see what has become of the tables.
  const isDeno = 'Deno' in globalThis
  // In Node 22 and Deno, all() gives the columns that a `select *` had before they changed; iterate() does not.
  const isForgetful = isNode && (isDeno || Number.parseInt(process.versions.node, 10) < 24)
  const { DatabaseSync, default: inner } = (module ?? {}) as { DatabaseSync?: unknown; default?: unknown }
  const Database = (isNode ? DatabaseSync : (inner ?? module)) as new (
    file: string,
    options: object,
  ) => NativeDatabase
  // Waiting for locks is not left to the library: it would block a thread that nobody can then interrupt.
  const options = isNode ? { readOnly: opening.readOnly } : { readonly: opening.readOnly, timeout: 0 }
  const database = new Database(opening.file, options)
  const prepared = new Map<string, Prepared>()
  let writable: boolean | undefined

  function prepare(text: string): Prepared {
    const known = prepared.get(text)
    if (known !== undefined) return known
    const statement = database.prepare(text)
    if (opening.bigints) {
      if (isNode) statement.setReadBigInts?.(true)
      else statement.safeIntegers?.(true)
    }
    const made = { statement, gives: statement.reader ?? statement.columns().length > 0 }
    if (isDeno) return made
    if (prepared.size >= MOST_PREPARED) prepared.delete(prepared.keys().next().value as string)
    prepared.set(text, made)
    return made
  }

  /** The same row whatever the library: a plain object, with binary values as Buffer. */
  function clean(row: Row): Row {
    if (!isNode && !isLibsql) return row
    const plain: Row = isNode ? {} : row
    for (const name in row) {
      let value = row[name]
      if (typeof value === 'object' && value !== null) {
        value =
          value instanceof ArrayBuffer
            ? Buffer.from(value)
            : Buffer.from(
                (value as Uint8Array).buffer,
                (value as Uint8Array).byteOffset,
                (value as Uint8Array).byteLength,
              )
      } else if (!isNode) continue
      plain[name] = value
    }
    return plain
  }

  /** A row tells the names for nothing, unless some of them look like numbers, which objects put first. */
  function namesOf(statement: NativeStatement, row: Row | undefined): readonly string[] {
    if (row !== undefined) {
      const keys = Object.keys(row)
      let plain = true
      for (const key of keys) plain &&= !(key.charCodeAt(0) <= 57 && key.charCodeAt(0) >= 48)
      if (plain) return keys
    }
    return [...new Set(statement.columns().map((column) => column.name))]
  }

  /** libsql takes an array, the others want the values one by one. */
  const bind = (params: readonly unknown[]) => (isLibsql ? [params] : params)

  function readAll(statement: NativeStatement, params: readonly unknown[]): Row[] {
    const rows: Row[] = []
    const found = statement.iterate(...bind(params))
    for (let next = found.next(); next.done !== true; next = found.next()) rows.push(next.value)
    return rows
  }

  const engine: Engine = {
    native: database,
    inTransaction: () => (isNode ? database.isTransaction : database.inTransaction) === true,
    allowWrites(on) {
      if (on === writable) return
      database.exec(`pragma query_only = ${on ? 0 : 1}`)
      writable = on
    },
    script(text) {
      database.exec(text)
    },
    run(text, params) {
      const { statement, gives } = prepare(text)
      if (gives) {
        const rows =
          isForgetful && text.includes('*') ? readAll(statement, params) : statement.all(...bind(params))
        if (isNode || isLibsql) for (let i = 0; i < rows.length; i++) rows[i] = clean(rows[i] as Row)
        return { rows, names: namesOf(statement, rows[0]), changes: rows.length, insertId: undefined }
      }
      const { changes, lastInsertRowid } = statement.run(...bind(params))
      return { rows: [], names: [], changes: Number(changes), insertId: lastInsertRowid }
    },
    open(text, params) {
      const { statement, gives } = prepare(text)
      if (!gives) {
        engine.run(text, params)
        return { names: () => [], next: () => undefined, close: () => undefined }
      }
      const rows = statement.iterate(...bind(params))
      let first: Row | undefined
      return {
        names: () => namesOf(statement, first),
        next() {
          const { value, done } = rows.next()
          if (done === true) return undefined
          const row = clean(value)
          first ??= row
          return row
        },
        close() {
          if (rows.return !== undefined) {
            rows.return()
            return
          }
          // libsql leaves a statement that nobody reads to its end open, and with it an old view of the database.
          prepared.delete(text)
          statement.interrupt?.()
          try {
            statement.get()
          } catch {
            // Interrupted, which has reset it.
          }
        },
      }
    },
    close() {
      prepared.clear()
      // libsql would keep the locks of an open transaction until its statements are garbage.
      if (engine.inTransaction()) database.exec('rollback')
      database.close()
    },
  }

  try {
    for (const text of opening.setup) database.exec(text)
  } catch (error) {
    engine.close()
    throw error
  }
  return engine
}
