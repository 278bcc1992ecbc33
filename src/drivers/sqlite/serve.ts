import type { Row } from '../../contract/sql-driver.ts'
import type { Cursor, Engine, LibraryKind, Opening, openEngine } from './engine.ts'

/** How a thread finds its library. */
export interface ThreadStart {
  readonly kind: LibraryKind
  /** The file of the package; undefined for what the runtime brings along. */
  readonly place: string | undefined
  readonly opening: Opening
  /** One number: the request that began what is to be given up. */
  readonly stop: SharedArrayBuffer
}

/** What a thread is asked; one at a time. */
export type Ask =
  | { readonly op: 'open' }
  | {
      readonly op: 'run'
      readonly text: string
      readonly params: readonly unknown[]
      readonly writable: boolean
      /** Read row by row: can be given up between two rows. Else all at once, as what writes must be. */
      readonly byRows: boolean
      /** Rows of the first answer at most. */
      readonly batch: number
    }
  | { readonly op: 'script'; readonly text: string; readonly writable: boolean }
  | { readonly op: 'more'; readonly batch: number }
  | { readonly op: 'end' }
  | { readonly op: 'close' }

/** An error as it travels: structured clones of errors lose what makes them useful. */
export interface Thrown {
  readonly message: string
  readonly name: string
  readonly stack: string | undefined
  readonly facts: Record<string, unknown>
}

export interface Reply {
  readonly id: number
  readonly inTransaction: boolean
  readonly thrown?: Thrown
  /** The values of all rows, one after another. */
  readonly values?: unknown[]
  readonly names?: readonly string[]
  readonly done?: boolean
  readonly changes?: number
  readonly insertId?: number | bigint | undefined
  /** How long the statement took, in the thread. */
  readonly ms?: number
}

/** The program of a thread. It becomes a text, so it must not refer to anything outside of itself but globals. */
export function serve(open: typeof openEngine): void {
  /** A batch ends where it becomes heavy: unpacking it must not hold up the other side. */
  const HEAVY = 256 * 1024
  const builtin = (name: string) => process.getBuiltinModule(name) as unknown
  const { parentPort, workerData } = builtin('node:worker_threads') as typeof import('node:worker_threads')
  const { kind, place, opening, stop } = workerData.rockpool as ThreadStart
  const port = parentPort as NonNullable<typeof parentPort>
  const stopped = new Int32Array(stop)
  let engine: Engine | undefined
  /** The request that began what is under way. */
  let task = 0
  let cursor: Cursor | undefined
  let waiting: { rows: Row[]; names: readonly string[] } | undefined

  function load(): unknown {
    if (place !== undefined) {
      return (builtin('node:module') as typeof import('node:module')).createRequire(place)(place)
    }
    // The calling thread has shown the notice of an experimental feature already.
    process.emitWarning = () => undefined
    return builtin(kind)
  }

  function thrownBy(error: unknown): Thrown {
    const { message = String(error), name = 'Error', stack } = (error ?? {}) as Error
    const facts: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(error ?? {}))
      if (typeof value === 'string' || typeof value === 'number') facts[key] = value
    return { message, name, stack, facts }
  }

  function interrupted(): Error {
    return Object.assign(new Error('interrupted'), { code: 'SQLITE_INTERRUPT', errcode: 9 })
  }

  function endCursor(): void {
    const open = cursor
    cursor = undefined
    waiting = undefined
    open?.close()
  }

  /** An error ends the statement, and the library has closed it. */
  function read(): Row | undefined {
    const open = cursor
    cursor = undefined
    const row = open?.next()
    cursor = open
    return row
  }

  /** The next rows of the open statement, as one list of values. */
  function batchOf(most: number): Partial<Reply> {
    const values: unknown[] = []
    let names = waiting?.names
    let weight = 0
    for (let count = 0; count < most && weight < HEAVY; count++) {
      if ((count & 15) === 0 && Atomics.load(stopped, 0) === task) throw interrupted()
      const row = waiting === undefined ? read() : waiting.rows.pop()
      if (row === undefined) {
        names ??= cursor?.names() ?? []
        cursor = undefined
        waiting = undefined
        return { values, names, done: true }
      }
      names ??= cursor?.names() ?? []
      for (const name of names) {
        const value = row[name]
        if (typeof value === 'string') weight += value.length
        else if (typeof value === 'object' && value !== null) weight += (value as Uint8Array).byteLength
        values.push(value)
      }
      weight += 8
    }
    return { values, names: names ?? [], done: false }
  }

  function run(ask: Extract<Ask, { op: 'run' }>, on: Engine): Partial<Reply> {
    const start = performance.now()
    on.allowWrites(ask.writable)
    if (ask.byRows) {
      cursor = on.open(ask.text, ask.params)
      return { ...batchOf(ask.batch), ms: performance.now() - start }
    }
    const { rows, names, changes, insertId } = on.run(ask.text, ask.params)
    waiting = { rows: rows.reverse(), names }
    return { ...batchOf(ask.batch), changes, insertId, ms: performance.now() - start }
  }

  function answer(ask: Ask): Partial<Reply> {
    if (ask.op === 'open') {
      engine?.close()
      engine = undefined
      engine = open(kind, load(), opening)
      return {}
    }
    if (engine === undefined) {
      if (ask.op === 'close') return {}
      throw new Error('the database is not open')
    }
    if (ask.op === 'run') return run(ask, engine)
    if (ask.op === 'more') return batchOf(ask.batch)
    if (ask.op === 'script') {
      engine.allowWrites(ask.writable)
      engine.script(ask.text)
      return {}
    }
    endCursor()
    if (ask.op === 'close') {
      const closing = engine
      engine = undefined
      closing.close()
    }
    return {}
  }

  port.on('message', ({ id, ask }: { id: number; ask: Ask }) => {
    let reply: Partial<Reply>
    if (ask.op !== 'more') task = id
    try {
      reply = answer(ask)
    } catch (error) {
      endCursor()
      reply = { thrown: thrownBy(error) }
    }
    port.postMessage({ ...reply, id, inTransaction: engine?.inTransaction() ?? false } satisfies Reply)
  })
}
