/** A place in the line for the lock. */
export interface Ticket {
  /** Resolves when it is this one's turn. Rejects when the time is over, or with what it was left for. */
  readonly turn: Promise<void>
  /** Gives up waiting; does nothing once it is this one's turn. */
  leave(reason: unknown): void
}

/** The error of SQLite for the same event, with the reason that only we know. */
class WriterBusyError extends Error {
  override readonly name = 'WriterBusyError'
  readonly code = 'SQLITE_BUSY'
  readonly errcode = 5

  constructor(waitedMs: number) {
    super(
      `database is locked: waited ${waitedMs} ms for the writer, which another transaction of this process holds (is it awaiting this statement?)`,
    )
  }
}

/**
 * The right to write. SQLite lets one connection write at a time and turns the others away; here they wait, first come
 * first served, without asking the database again and again.
 */
export class WriterLock {
  readonly #waiting: (() => void)[] = []
  #isTaken = false

  get isFree(): boolean {
    return !this.#isTaken
  }

  /** Takes the lock if nobody has it; nobody waits for a free lock. */
  tryTake(): boolean {
    if (this.#isTaken) return false
    this.#isTaken = true
    return true
  }

  wait(limitMs: number): Ticket {
    let leave: (reason: unknown) => void = () => undefined
    const turn = new Promise<void>((resolve, reject) => {
      const timer =
        limitMs === Number.POSITIVE_INFINITY
          ? undefined
          : setTimeout(() => leave(new WriterBusyError(limitMs)), limitMs)
      const enter = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#waiting.push(enter)
      leave = (reason) => {
        const place = this.#waiting.indexOf(enter)
        if (place < 0) return
        this.#waiting.splice(place, 1)
        clearTimeout(timer)
        reject(reason)
      }
    })
    return { turn, leave }
  }

  /** Passes the lock on: it is never free in between, so that nobody overtakes. */
  give(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#isTaken = false
    else next()
  }
}
