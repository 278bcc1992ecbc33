import { endsTransaction } from './errors.ts'
import { AUTOCOMMIT, IN_TRANSACTION, NO_BACKSLASH_ESCAPES } from './flags.ts'

/** What the server's answers have told of the session. */
export class Answers {
  /** Of the last answer that was no error. */
  #flags: number | undefined
  /** An error, which carries no flags, has come since. */
  #isStale = false
  /** The error by which the server has ended a transaction of ours: set back by whoever begins or ends one. */
  endedBy: unknown

  note(flags: number): void {
    this.#flags = flags
    this.#isStale = false
  }

  noteError(error: unknown): void {
    this.#isStale = true
    if (endsTransaction(error)) this.endedBy ??= error
  }

  /** The error was of a statement that cannot have begun a transaction, where none was open. */
  forgive(): void {
    const isQuiet = ((this.#flags ?? 0) & (IN_TRANSACTION | AUTOCOMMIT)) === AUTOCOMMIT
    if (isQuiet) this.#isStale = false
  }

  /** By the last answer that told. */
  get inTransaction(): boolean {
    return this.#has(IN_TRANSACTION)
  }

  /** Also when nobody knows before the next answer. */
  get mayBeInTransaction(): boolean {
    return this.#isStale || this.#flags === undefined || this.inTransaction
  }

  /** Somebody has begun the transaction, rather than that every statement does. */
  get isBegun(): boolean {
    return this.inTransaction && this.#has(AUTOCOMMIT)
  }

  get isWithoutBackslashes(): boolean {
    return this.#has(NO_BACKSLASH_ESCAPES)
  }

  #has(flag: number): boolean {
    return ((this.#flags ?? 0) & flag) !== 0
  }
}
