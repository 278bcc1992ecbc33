import { type SqlError, sqlErrors } from './error.ts'
import type { Locks } from './locks.ts'
import type { Table } from './table.ts'
import { type Timeline, Transaction } from './transaction.ts'
import { INT, int, text, type Value } from './value.ts'

/** What the sessions of a server share. */
export interface Host {
  readonly version: string
  /** It takes no writes: a replica. */
  readonly isReadOnly: boolean
  readonly databases: ReadonlySet<string>
  readonly tables: Map<string, Table>
  readonly locks: Locks
  readonly timeline: Timeline
  readonly sessions: ReadonlyMap<number, Session>
  /** Ends a session; false where there is none. */
  kill(spid: number): boolean
}

export interface SessionLogin {
  readonly user: string
  readonly application: string
  readonly hostName: string
}

/** What a client of the session learns at once. */
export interface Listener {
  transaction(change: 'begin' | 'commit' | 'rollback', id: number): void
  database(now: string, before: string): void
}

const LEVELS = [
  'unspecified',
  'read uncommitted',
  'read committed',
  'repeatable read',
  'serializable',
  'snapshot',
]

/** All that a server knows of one connection. */
export class Session {
  readonly spid: number
  readonly login: SessionLogin
  readonly host: Host
  readonly #home: string
  readonly options = new Map<string, string>()
  readonly temporary = new Map<string, Table>()
  readonly prepared = new Map<number, { readonly text: string; readonly declaration: string }>()
  listener: Listener | undefined
  database: string
  /** A reset leaves it as it is: so says the protocol, and so do most versions of the server. */
  isolation = 'read committed'
  transaction: Transaction | undefined
  rowCount = 0
  identity: number | undefined
  lastError = 0
  /** The error that a CATCH block is about. */
  caught: SqlError | undefined
  #depth = 0
  /** Of the outermost BEGIN. */
  #name = ''
  #handles = 0

  constructor(
    spid: number,
    { login, host, database }: { login: SessionLogin; host: Host; database: string },
  ) {
    this.spid = spid
    this.login = login
    this.host = host
    this.#home = database
    this.database = database
  }

  get depth(): number {
    return this.#depth
  }

  get level(): number {
    return LEVELS.indexOf(this.isolation)
  }

  set level(level: number) {
    this.isolation = LEVELS[level] ?? this.isolation
  }

  get lockTimeoutMs(): number {
    return Number(this.options.get('lock_timeout') ?? -1)
  }

  isOn(option: string): boolean {
    return this.options.get(option) === 'on'
  }

  get xactState(): number {
    if (this.transaction === undefined) return 0
    return this.transaction.isDoomed ? -1 : 1
  }

  findTable(name: string): Table | undefined {
    const known = name.startsWith('#') ? this.temporary : this.host.tables
    return known.get(name.toLowerCase())
  }

  newTransaction(): Transaction {
    return new Transaction(this.spid, this.host.locks, this.host.timeline)
  }

  begin(name = ''): void {
    this.#depth++
    if (this.transaction !== undefined) return
    this.#name = name
    this.transaction = this.newTransaction()
    this.listener?.transaction('begin', this.transaction.id)
  }

  commit(): void {
    const { transaction } = this
    if (transaction === undefined) throw sqlErrors.noTransaction('COMMIT')
    if (transaction.isDoomed) throw sqlErrors.doomed()
    if (--this.#depth > 0) return
    transaction.commit()
    this.transaction = undefined
    this.listener?.transaction('commit', transaction.id)
  }

  rollback(): void {
    const { transaction } = this
    if (transaction === undefined) throw sqlErrors.noTransaction('ROLLBACK')
    this.#depth = 0
    transaction.rollback()
    this.transaction = undefined
    this.listener?.transaction('rollback', transaction.id)
  }

  /** To a savepoint, or all of it, by the name that the transaction was begun with. */
  rollbackTo(name: string): void {
    if (this.transaction === undefined) throw sqlErrors.noTransaction('ROLLBACK')
    if (name.toLowerCase() === this.#name.toLowerCase()) this.rollback()
    else if (this.transaction.isDoomed) throw sqlErrors.doomed()
    else this.transaction.rollbackTo(name)
  }

  save(name: string): void {
    if (this.transaction === undefined) throw sqlErrors.noSaveOutside()
    if (this.transaction.isDoomed) throw sqlErrors.doomed()
    this.transaction.save(name)
  }

  prepare(text: string, declaration: string): number {
    this.prepared.set(++this.#handles, { text, declaration })
    return this.#handles
  }

  canLock(resource: string, mode: string): boolean {
    return this.host.locks.isFree(this, `application ${resource}`, lockModeOf(mode))
  }

  /** As after the login, but for the isolation level; the transaction only where the client wants it. */
  reset({ keepsTransaction }: { keepsTransaction: boolean }): void {
    if (!keepsTransaction && this.transaction !== undefined) this.rollback()
    this.options.clear()
    this.temporary.clear()
    this.prepared.clear()
    this.identity = undefined
    this.rowCount = 0
    this.host.locks.release(this)
    if (this.database !== this.#home) this.use(this.#home)
  }

  use(database: string): void {
    const before = this.database
    this.database = database
    this.listener?.database(database, before)
  }

  /** The connection is gone. */
  end(): void {
    this.listener = undefined
    this.transaction?.rollback()
    this.transaction = undefined
    this.host.locks.release(this)
  }

  /** `@@spid` and its kin. */
  fact(name: string): Value | undefined {
    if (name === '@@spid') return int(this.spid)
    if (name === '@@trancount') return int(this.#depth)
    if (name === '@@rowcount') return int(this.rowCount)
    if (name === '@@error') return int(this.lastError)
    if (name === '@@lock_timeout') return int(this.lockTimeoutMs)
    if (name === '@@textsize') return int(Number(this.options.get('textsize') ?? 4096))
    if (name === '@@datefirst') return int(Number(this.options.get('datefirst') ?? 7))
    if (name === '@@language') return text(this.options.get('language') ?? 'us_english')
    if (name === '@@version') return text(this.host.version)
    if (name === '@@servername') return text('rockpool')
    if (name === '@@identity')
      return { type: { name: 'decimal', precision: 38, scale: 0 }, plain: this.identity?.toString() ?? null }
    return undefined
  }

  caughtFact(part: 'number' | 'message' | 'severity' | 'state' | 'line'): Value {
    const { caught } = this
    if (caught === undefined) return { type: INT, plain: null }
    const plain = caught[part]
    return typeof plain === 'number' ? int(plain) : text(plain)
  }
}

/** The modes of application locks. */
export function lockModeOf(mode: string): 'IS' | 'IX' | 'S' | 'X' {
  if (/^shared$/i.test(mode)) return 'S'
  if (/^intentshared$/i.test(mode)) return 'IS'
  return /^intentexclusive$/i.test(mode) ? 'IX' : 'X'
}
