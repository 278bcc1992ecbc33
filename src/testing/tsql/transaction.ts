import { sqlErrors } from './error.ts'
import type { LockOwner, Locks } from './locks.ts'
import type { StoredRow, Table, Values } from './table.ts'

/** The moments of all commits, and the snapshots that are still looked at. */
export class Timeline {
  now = 0
  readonly #snapshots = new Set<Transaction>()

  open(transaction: Transaction): number {
    this.#snapshots.add(transaction)
    return this.now
  }

  close(transaction: Transaction): void {
    this.#snapshots.delete(transaction)
  }

  /** The oldest moment that somebody can still see. */
  get horizon(): number {
    let oldest = this.now
    for (const { snapshot = oldest } of this.#snapshots) oldest = Math.min(oldest, snapshot)
    return oldest
  }
}

let ids = 0

/** What a session changes between BEGIN and COMMIT; a statement outside of one has its own. */
export class Transaction implements LockOwner {
  readonly id = ++ids
  readonly spid: number
  /** It can only be rolled back. */
  isDoomed = false
  snapshot: number | undefined
  readonly #locks: Locks
  readonly #timeline: Timeline
  readonly #undo: (() => void)[] = []
  readonly #touched = new Map<StoredRow, Table>()
  readonly #savepoints: { name: string; mark: number }[] = []

  constructor(spid: number, locks: Locks, timeline: Timeline) {
    this.spid = spid
    this.#locks = locks
    this.#timeline = timeline
  }

  /** From now on the transaction sees what is committed now. */
  takeSnapshot(): void {
    this.snapshot ??= this.#timeline.open(this)
  }

  write(table: Table, row: StoredRow, values: Values | undefined): void {
    const last = row.versions.at(-1)
    if (this.snapshot !== undefined && last !== undefined && last.since > this.snapshot)
      throw sqlErrors.snapshotConflict(table.name)
    const before = row.pending
    row.pending = { by: this, values }
    this.#touched.set(row, table)
    this.onUndo(() => {
      row.pending = before
      if (before === undefined && row.versions.length === 0) table.forget(row)
    })
  }

  onUndo(undo: () => void): void {
    this.#undo.push(undo)
  }

  /** Where to go back to should the statement that begins now fail. */
  mark(): number {
    return this.#undo.length
  }

  undoTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.()
  }

  save(name: string): void {
    this.#savepoints.push({ name: name.toLowerCase(), mark: this.mark() })
  }

  rollbackTo(name: string): void {
    const place = this.#savepoints.map((savepoint) => savepoint.name).lastIndexOf(name.toLowerCase())
    const found = this.#savepoints[place]
    if (found === undefined) throw sqlErrors.noSavepoint(name)
    this.undoTo(found.mark)
    this.#savepoints.length = place + 1
  }

  commit(): void {
    const since = ++this.#timeline.now
    for (const [row, table] of this.#touched) {
      if (row.pending?.by !== this) continue
      row.versions.push({ since, values: row.pending.values })
      row.pending = undefined
      this.#prune(row, table)
    }
    this.#end()
  }

  rollback(): void {
    this.undoTo(0)
    this.#end()
  }

  #prune(row: StoredRow, table: Table): void {
    const { horizon } = this.#timeline
    const first = row.versions.map(({ since }) => since <= horizon).lastIndexOf(true)
    if (first > 0) row.versions = row.versions.slice(first)
    if (row.versions.length === 1 && row.versions[0]?.values === undefined) table.forget(row)
  }

  #end(): void {
    this.#timeline.close(this)
    this.#locks.release(this)
  }
}
