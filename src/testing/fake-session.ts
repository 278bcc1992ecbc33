import type { BeginOptions } from '../contract/sql-driver.ts'
import { fakeErrors } from './fake-error.ts'

/** `failed`: a statement in it failed, and it can only be rolled back. */
export type FakeTransactionState = 'none' | 'open' | 'failed'

interface Savepoint {
  readonly name: string
  readonly mark: number
}

/** What the fake server keeps for one connection. */
export class FakeSession {
  /** The connection's number, as the server counts. */
  readonly id: number
  /** What was set for this session. */
  readonly settings = new Map<string, string>()
  /** For scripted answers: whatever lives as long as the session, such as temporary tables. */
  readonly memory = new Map<string, unknown>()
  readonly prepared = new Set<string>()
  /** The server behind this session takes no writes: it was demoted. */
  standby = false
  #begun = 0
  #transaction: FakeTransactionState = 'none'
  #options: BeginOptions = {}
  #undo: (() => void)[] = []
  #savepoints: Savepoint[] = []
  #atEnd: (() => void)[] = []

  constructor(id: number) {
    this.id = id
  }

  get transaction(): FakeTransactionState {
    return this.#transaction
  }

  /** How many transactions have begun here: tells one from the next. */
  get begun(): number {
    return this.#begun
  }

  get readOnly(): boolean {
    return this.standby || this.#options.readOnly === true
  }

  get isolation(): BeginOptions['isolation'] {
    return this.#options.isolation
  }

  /** For scripted answers that change something: what a rollback, or the cancelling of the statement, does about it. */
  onRollback(undo: () => void): void {
    this.#undo.push(undo)
  }

  /** For scripted answers that take something, such as a lock: what the end of the session, or a full reset, does about it. */
  onEnd(release: () => void): void {
    this.#atEnd.push(release)
  }

  begin(options: BeginOptions): void {
    if (this.#transaction !== 'none') return
    this.#transaction = 'open'
    this.#begun++
    this.#options = options
  }

  /** Says whether it has committed: a failed transaction is rolled back instead. */
  commit(): boolean {
    const committed = this.#transaction !== 'failed'
    if (committed) this.#finish()
    else this.rollback()
    return committed
  }

  rollback(): void {
    this.undoTo(0)
    this.#finish()
  }

  /** A statement failed, and so has the transaction that it was part of. */
  fail(): void {
    if (this.#transaction === 'open') this.#transaction = 'failed'
  }

  setSavepoint(name: string): void {
    this.#assertNotFailed()
    this.#savepoints.push({ name, mark: this.#undo.length })
  }

  releaseSavepoint(name: string): void {
    this.#assertNotFailed()
    this.#savepoints.length = this.#find(name)
  }

  rollbackToSavepoint(name: string): void {
    const place = this.#find(name)
    this.undoTo((this.#savepoints[place] as Savepoint).mark)
    this.#savepoints.length = place + 1
    this.#transaction = 'open'
  }

  /** Where to go back to should the statement that begins now not count. */
  mark(): number {
    return this.#undo.length
  }

  undoTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.()
  }

  /** A statement outside of a transaction has ended: it can no longer be undone. */
  settle(): void {
    if (this.#transaction === 'none' && this.#undo.length > 0) this.#undo = []
  }

  /** The session as it was after connecting. */
  clear(): void {
    this.rollback()
    this.settings.clear()
    this.memory.clear()
    this.prepared.clear()
    for (const release of this.#atEnd.splice(0)) release()
  }

  #finish(): void {
    this.#transaction = 'none'
    this.#options = {}
    if (this.#undo.length > 0) this.#undo = []
    if (this.#savepoints.length > 0) this.#savepoints = []
  }

  #assertNotFailed(): void {
    if (this.#transaction === 'failed') throw fakeErrors.aborted()
  }

  #find(name: string): number {
    const place = this.#savepoints.map((savepoint) => savepoint.name).lastIndexOf(name)
    if (place === -1) throw fakeErrors.noSavepoint(name)
    return place
  }
}
