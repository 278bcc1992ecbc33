import { dispose } from '../contract/dispose.ts'
import type { Lease } from '../contract/lease.ts'
import { TextBook } from '../sql/text-book.ts'

/** Locks outlive the transaction, and even the statement that took them. */
const LOCKING_WORDS = new Set(['LOCK', 'HANDLER', 'FLUSH'])
/** Variables of the session that a query sets by the way, and a second statement in the same text. */
const BY_THE_WAY = /@\w+\s*:=|\binto\s+@|;\s*(?:set|use|lock|prepare|do|call|create\s+temporary)\b/i

const book = new TextBook()

/** What a borrower of a MySQL connection has left behind: nothing, something in the session, or a session that is another user's. */
export class Traces {
  #left: 'nothing' | 'session' | 'user' = 'nothing'

  /** A statement is sent, as a text or as options that hold one. */
  sent(statement: unknown): void {
    if (this.#left !== 'nothing') return
    const text =
      typeof statement === 'object' && statement !== null ? (statement as { sql?: unknown }).sql : statement
    if (leavesTraces(text)) this.#left = 'session'
  }

  /** The session is no longer as whoever prepares new ones has made it. */
  sessionChanged(): void {
    if (this.#left === 'nothing') this.#left = 'session'
  }

  userChanged(): void {
    this.#left = 'user'
  }

  /** Gives the connection back, so that the next borrower finds none of it. True: its session is made anew. */
  giveBack(lease: Lease<unknown>): boolean {
    if (this.#left === 'user') {
      lease.destroy()
      return false
    }
    const isTainted = this.#left === 'session'
    if (isTainted) (lease as { taint?: () => void }).taint?.()
    lease[dispose]()
    return isTainted
  }
}

function leavesTraces(text: unknown): boolean {
  if (typeof text !== 'string') return false
  const { reading } = book.look(text)
  return reading.taints || LOCKING_WORDS.has(reading.word) || (!reading.onlyReads && BY_THE_WAY.test(text))
}
