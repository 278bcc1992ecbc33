import { isBusy } from './errors.ts'
import type { Ticket, WriterLock } from './writer-lock.ts'

const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 50

/** Waiting for locks: for the writer of this process in line, for other processes by asking again. Both can be stopped. */
export class Patience {
  readonly #lock: WriterLock
  readonly #limitMs: number
  #isStopped = false
  #ticket: Ticket | undefined = undefined
  #wake: (() => void) | undefined = undefined

  constructor(lock: WriterLock, limitMs: number) {
    this.#lock = lock
    this.#limitMs = limitMs
  }

  /** A new statement, to which an earlier stop means nothing. */
  start(): void {
    this.#isStopped = false
  }

  stop(): void {
    this.#isStopped = true
    this.#ticket?.leave(interrupted())
    this.#wake?.()
  }

  async forLock(): Promise<void> {
    this.#assertGoing()
    if (this.#lock.tryTake()) return
    this.#ticket = this.#lock.wait(this.#limitMs)
    try {
      await this.#ticket.turn
    } finally {
      this.#ticket = undefined
    }
    if (!this.#isStopped) return
    this.#lock.give()
    throw interrupted()
  }

  /** Runs it again while another process has the lock. `once`: within a transaction only its owner can begin anew. */
  async whileBusy<T>(once: boolean, run: () => Promise<T>): Promise<T> {
    const start = performance.now()
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      this.#assertGoing()
      try {
        return await run()
      } catch (error) {
        const leftMs = this.#limitMs - (performance.now() - start)
        if (once || !isBusy(error) || leftMs <= 0) throw error
        await this.#pause(Math.min(pauseMs, leftMs))
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #assertGoing(): void {
    if (this.#isStopped) throw interrupted()
  }
}

function interrupted(): Error {
  return Object.assign(new Error('interrupted'), { code: 'SQLITE_INTERRUPT', errcode: 9 })
}
