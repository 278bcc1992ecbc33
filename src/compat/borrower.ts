import type { Clock } from '../contract/clock.ts'
import type { Lease } from '../contract/lease.ts'
import type { Pool } from '../contract/pool.ts'
import type { Withdrawal } from './withdrawal.ts'

/** Puts a caller whose resource was found dead before all others who came with the same priority. */
export const AHEAD = 0.5

export interface Validation<R> {
  readonly clock: Clock
  /** What an acquire may take, validation included. */
  readonly timeoutMs: number
  /** The answer is never a promise. */
  readonly answersAtOnce: boolean
  /** Must not throw. */
  readonly isGood: (resource: R) => boolean | Promise<boolean>
}

/** What is asked for, and what was found of it at once. */
interface Asked<R> {
  readonly withdrawal: Withdrawal
  readonly priority: number
  readonly idle: Lease<R> | undefined
  readonly verdict: boolean | Promise<boolean> | undefined
}

/**
 * Borrows resources that the user's own validation finds good, each time they are lent. The pool has a check of its own, but
 * it is made for those that ask a server: an answer that is there at once is had without it.
 */
export class Borrower<R> {
  /** Resources whose validation has not ended. */
  validating = 0
  readonly #pool: Pool<R>
  readonly #validation: Validation<R> | undefined

  constructor(pool: Pool<R>, validation?: Validation<R>) {
    this.#pool = pool
    this.#validation = validation
  }

  /** What is idle, and known to be good at once: it is had without a promise. */
  borrowIdle(): Lease<R> | undefined {
    const validation = this.#validation
    if (this.#pool.closed || validation?.answersAtOnce === false) return undefined
    const idle = this.#pool.tryAcquire()
    if (idle === undefined || validation === undefined || validation.isGood(idle.connection) === true)
      return idle
    idle.destroy(new Error('it failed its validation'))
    return undefined
  }

  /** A lease on a resource that is good. One that is not is destroyed, and the caller keeps its place. */
  borrow(withdrawal: Withdrawal, priority: number): Promise<Lease<R>> {
    // What is idle is had without a place in the queue.
    const idle = this.#pool.closed ? undefined : this.#pool.tryAcquire()
    const validation = this.#validation
    const { signal } = withdrawal
    if (validation === undefined) {
      return idle === undefined ? this.#pool.acquire({ signal, priority }) : Promise.resolve(idle)
    }
    const verdict = idle === undefined ? undefined : validation.isGood(idle.connection)
    if (idle !== undefined && verdict === true) return Promise.resolve(idle)
    return this.#borrowGood({ withdrawal, priority, idle, verdict }, validation)
  }

  async #borrowGood(asked: Asked<R>, { clock, timeoutMs, isGood }: Validation<R>): Promise<Lease<R>> {
    const { withdrawal, priority } = asked
    const { signal } = withdrawal
    const since = clock.now()
    let lease = asked.idle ?? (await this.#pool.acquire({ signal, priority }))
    let verdict = asked.verdict ?? (isHeld(lease) && isGood(lease.connection))
    for (;;) {
      if (typeof verdict !== 'boolean') verdict = await this.#inTime(verdict, since + timeoutMs, withdrawal)
      if (verdict && isHeld(lease)) return lease
      const left = Math.max(0, since + timeoutMs - clock.now())
      // First back into the queue: what the death of this resource makes room for is for this caller.
      const next = this.#pool.acquire({ signal, priority: priority + AHEAD, timeoutMs: left })
      lease.destroy(new Error('it failed its validation'))
      // Resources that all are bad, and are made at once, must not keep the loop from everything else.
      const turn = new Promise<void>((resolve) => void clock.after(1, resolve))
      lease = (await Promise.all([next, turn]))[0]
      verdict = isHeld(lease) && isGood(lease.connection)
    }
  }

  /** A validation that does not end in time, or whose caller has left, says nothing good. */
  #inTime(verdict: Promise<boolean>, deadline: number, withdrawal: Withdrawal): Promise<boolean> {
    const { clock } = this.#validation as Validation<R>
    this.validating++
    return new Promise<boolean>((resolve) => {
      const giveUp = () => resolve(false)
      const left = Math.max(0, deadline - clock.now())
      const limit = left === Number.POSITIVE_INFINITY ? undefined : clock.after(left, giveUp)
      withdrawal.addEventListener('abort', { handleEvent: giveUp })
      // Who has left in the moment in which he was served is told of it no more.
      if (withdrawal.aborted) giveUp()
      verdict
        .then((good) => resolve(Boolean(good)), giveUp)
        .finally(() => {
          limit?.cancel()
        })
    }).finally(() => {
      withdrawal.removeEventListener()
      this.validating--
    })
  }
}

/** A connection can die before its borrower has had a turn. */
export function isHeld(lease: Lease<unknown>): boolean {
  try {
    lease.connection
    return true
  } catch {
    return false
  }
}
