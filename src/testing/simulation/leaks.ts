import type { LedgerFacts } from './fitness.ts'
import type { Lateness } from './lateness.ts'
import type { Socket } from './socket.ts'

/** Leases that are out for too long: each is told of, once, and no other is. */
export class Leaks {
  readonly #facts: LedgerFacts
  readonly #lateness: Lateness
  readonly #thresholdMs: number
  told = 0

  constructor(facts: LedgerFacts, lateness: Lateness, thresholdMs: number) {
    this.#facts = facts
    this.#lateness = lateness
    this.#thresholdMs = thresholdMs
  }

  /** The pool tells of one. */
  tell(socket: Socket | undefined): void {
    this.told++
    // Only the pool knows how long its own leases are out.
    if (socket?.owner === undefined) return
    const { law } = this.#facts
    const heldMs = this.#facts.now() - socket.lentAt
    law.demand(!socket.leakTold, 'a leak is told once', () => `connection ${socket.id}`)
    law.demand(heldMs >= this.#thresholdMs - 0.01, 'leaks are leaks', () => `after ${heldMs} ms`)
    socket.leakTold = true
  }

  givenBack(socket: Socket): void {
    if (this.#thresholdMs === 0) return
    const inTime =
      socket.leakTold || this.#lateness.excuses(socket.lentAt + this.#thresholdMs, this.#facts.now())
    this.#facts.law.demand(inTime, 'leaks are told', () => `connection ${socket.id}`)
  }
}
