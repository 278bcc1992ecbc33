import { statSync } from 'node:fs'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { SqlDriver } from '../../contract/sql-driver.ts'
import { Breath } from './breath.ts'
import { resolveConfig, type SqliteConfig, type Target } from './config.ts'
import { type Engine, type LibraryKind, type Opening, openEngine } from './engine.ts'
import { classify } from './errors.ts'
import { HereSeat } from './here-seat.ts'
import { findLibrary, type Library } from './library.ts'
import { sharedEngine } from './memory.ts'
import { NearReader } from './near.ts'
import { Patience } from './patience.ts'
import type { Seat } from './seat.ts'
import { type Common, Session } from './session.ts'
import { Texts } from './texts.ts'
import { ThreadSeat } from './thread-seat.ts'
import { WriterLock } from './writer-lock.ts'

/** What a lease of this driver holds. */
export interface SqliteConnection<N = unknown> {
  /** The library's own database, where it lives in the calling thread: with `threads: false`, or in memory. */
  readonly native: N | undefined
}

/** A library as the user imports it, or the name of one. */
export type SqliteModule<N> =
  | LibraryKind
  | { readonly DatabaseSync: new (...args: never[]) => N }
  | (new (
      ...args: never[]
    ) => N)

/**
 * SQLite by `node:sqlite`, `better-sqlite3` or `libsql`, whichever is there: `sqlite('sqlite:app.db')`,
 * `sqlite({ file: 'app.db', pragmas: { synchronous: 'normal' } })`, `sqlite('sqlite::memory:')`. Each connection has a
 * thread of its own; one at a time writes, and reads known to be fast are done in the calling thread.
 * @throws InvalidOptionError for a malformed URL or an impossible config
 */
export function sqlite<N = unknown>(
  config: string | URL | SqliteConfig,
  options: { module?: SqliteModule<N> } = {},
): SqlDriver<SqliteConnection<N>> {
  const connector = new Connector(resolveConfig(config), options.module)
  const driver: SqlDriver<Session> = {
    name: 'sqlite',
    dialect: 'sqlite',
    connect: ({ signal }) => connector.connect(signal),
    close: (session) => session.close(),
    isAlive: (session) => connector.isCurrent(session),
    isDirty: (session) => session.isDirty,
    inTransaction: (session) => session.isInTransaction,
    reset: (session, how) => session.reset(how),
    classify,
    onLost: (session, lost) => connector.watch(session, lost),
    ref: ({ seat }) => seat.ref(),
    unref: ({ seat }) => seat.unref(),
    query: (session, text, params, { readOnly = false }) => session.query(text, params, readOnly),
    answer: (text, params) => connector.answer(text, params),
    begin: (session, how) => session.begin(how),
    commit: (session) => session.commit(),
    rollback: (session) => session.rollback(),
    savepoint: (session, name, move) => session.savepoint(name, move),
    stream: (session, text, params, { batch }) => session.stream(text, params, batch),
    cancel: async (session) => session.cancel(),
  }
  // The user sees the part of a session that is his.
  return driver as unknown as SqlDriver<SqliteConnection<N>>
}

/** Opens the connections of one driver, and knows what they have in common. */
class Connector {
  readonly #target: Target
  readonly #given: unknown
  readonly #common: Common
  readonly #breath = new Breath()
  /** Which file each session has opened: another one of the same name is another database. */
  readonly #files = new WeakMap<Session, string | undefined>()
  #library: Library | undefined = undefined
  /** The one connection to a database in memory, which lives as long as its driver. */
  #memory: Engine | undefined = undefined

  constructor(target: Target, given: unknown) {
    this.#target = target
    this.#given = given
    const lock = new WriterLock()
    const { isMemory, busyTimeoutMs, mode } = target
    const openNear = () => (isMemory ? sharedEngine(this.#inMemory(), false) : this.#open())
    this.#common = {
      texts: new Texts(),
      near: new NearReader(openNear, this.#breath, () => !isMemory || lock.isFree),
      lock,
      busyTimeoutMs,
      readOnly: mode === 'ro',
      shared: isMemory,
    }
  }

  async connect(signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted()
    this.#assertThere()
    const library = this.#found()
    const patience = new Patience(this.#common.lock, this.#target.busyTimeoutMs)
    const stop = () => patience.stop()
    signal.addEventListener('abort', stop, { once: true })
    try {
      const seat = await patience.whileBusy(false, () => this.#seat(library))
      const session = new Session(seat, this.#common)
      this.#files.set(session, fileId(this.#target))
      return session
    } catch (error) {
      throw signal.aborted ? signal.reason : error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  answer(text: string, params: readonly unknown[]) {
    const { near, texts } = this.#common
    return near.answer(texts.look(text), text, params)
  }

  isCurrent(session: Session): boolean {
    if (session.seat.isAlive && this.#files.get(session) === fileId(this.#target)) return true
    this.#common.near.drop()
    return false
  }

  watch(session: Session, lost: (error: unknown) => void): void {
    if (!(session.seat instanceof ThreadSeat)) return
    session.seat.onDeath((error) => {
      session.died()
      lost(error)
    })
  }

  async #seat(library: Library): Promise<Seat> {
    const { isMemory, threads } = this.#target
    if (isMemory) return new HereSeat((again) => sharedEngine(this.#inMemory(), again), this.#breath)
    if (!threads) return new HereSeat(() => this.#open(), this.#breath)
    const seat = new ThreadSeat(library, this.#opening)
    try {
      await seat.renew()
      return seat
    } catch (error) {
      await seat.close()
      throw error
    }
  }

  #open(): Engine {
    const { kind, module } = this.#found()
    return openEngine(kind, module, this.#opening)
  }

  #inMemory(): Engine {
    this.#memory ??= this.#open()
    return this.#memory
  }

  get #opening(): Opening {
    const { file, mode, setup, bigints } = this.#target
    return { file, readOnly: mode === 'ro', setup, bigints }
  }

  #found(): Library {
    this.#library ??= findLibrary(this.#given)
    const { kind, place } = this.#library
    if (this.#target.threads && kind !== 'node:sqlite' && place === undefined) {
      throw new InvalidOptionError(
        'module',
        `threads cannot load ${kind}, because it is not installed where rockpool or the program is: install it there, or set threads to false`,
      )
    }
    return this.#library
  }

  #assertThere(): void {
    const { file, mode } = this.#target
    if (mode === 'rwc' || fileId(this.#target) !== undefined) return
    // libsql would create it in spite of what it is told.
    throw Object.assign(new Error(`unable to open database file: ${file} does not exist (mode=${mode})`), {
      code: 'SQLITE_CANTOPEN',
      errcode: 14,
    })
  }
}

function fileId({ file, isMemory }: Target): string | undefined {
  const found = isMemory ? undefined : statSync(file, { throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}
