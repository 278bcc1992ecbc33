import type { PoolErrorCode } from '../../contract/errors.ts'
import type { CountedSignal } from './counted-signal.ts'
import type { Law } from './law.ts'

/** One call that waits for the pool. */
export interface Ticket {
  readonly caller: number
  /** The step in which it came. */
  readonly step: number
  readonly since: number
  readonly deadline: number
  /** It does not wait: it may time out at once. */
  readonly atOnce: boolean
  readonly priority: number
  /** In its turn among those of its priority; others may be served at any time. */
  readonly inTurn: boolean
  readonly signal: CountedSignal | undefined
  /** It waits for a lease. */
  readonly acquires: boolean
}

/** What may go wrong for callers of this pool; changes with the run. */
export interface Expectations {
  closed: boolean
  mayBeFull: boolean
  mayShed: boolean
  mayBeRefused: boolean
}

/** Blocks of the event loop: who is late because of them is excused. */
class Lateness {
  #from = Number.NEGATIVE_INFINITY
  #to = Number.NEGATIVE_INFINITY

  blocked(from: number, to: number): void {
    if (from > this.#to + SLACK_MS) this.#from = from
    this.#to = to
  }

  excuses(deadline: number, now: number): boolean {
    if (now <= deadline + SLACK_MS) return true
    return deadline >= this.#from - SLACK_MS && now <= this.#to + SLACK_MS
  }
}

/** Timers and sums of fractions of milliseconds are not exact. */
const SLACK_MS = 0.01

/** All who wait: each must be settled once, in time, for a reason, and in order. */
export class Tickets {
  readonly expected: Expectations
  readonly lateness = new Lateness()
  readonly #law: Law
  readonly #now: () => number
  readonly #pending = new Set<Ticket>()
  /** Those in turn, by priority. */
  readonly #turns = new Map<number, Set<Ticket>>()
  timedOut = 0
  #acquires = 0
  rejected = 0

  constructor(law: Law, now: () => number, expected: Expectations) {
    this.#law = law
    this.#now = now
    this.expected = expected
  }

  get pending(): number {
    return this.#pending.size
  }

  /** Of the pending, those who wait for a connection of the pool's. */
  get waiting(): number {
    return this.#acquires
  }

  open(ticket: Ticket): Ticket {
    this.#pending.add(ticket)
    if (ticket.acquires) this.#acquires++
    if (!ticket.inTurn) return ticket
    const turn = this.#turns.get(ticket.priority)
    if (turn === undefined) this.#turns.set(ticket.priority, new Set([ticket]))
    else turn.add(ticket)
    return ticket
  }

  granted(ticket: Ticket, step: number): void {
    this.#judgeTime(ticket)
    if (ticket.inTurn) this.#judgeTurn(ticket, step)
    this.#close(ticket)
  }

  /** The call was refused: there must be a good reason. */
  refused(ticket: Ticket, error: unknown): void {
    this.#judgeTime(ticket)
    this.#close(ticket)
    const problem = this.#problemWith(ticket, error)
    if (problem !== undefined) this.#law.breaks('refused for a reason', `${ticket.caller}: ${problem}`)
  }

  /** The call has ended; whoever made it judges how. */
  done(ticket: Ticket): void {
    this.#judgeTime(ticket)
    this.#close(ticket)
  }

  /** The pool has closed: whoever waited knows it by now. */
  closed(): void {
    if (this.#acquires > 0) this.#law.breaks('nobody waits for a closed pool', `${this.#acquires} do`)
  }

  /** Looks for those who wait although they should have been served or refused. */
  inspect(): void {
    const now = this.#now()
    for (const ticket of this.#pending) {
      if (this.lateness.excuses(ticket.deadline, now)) continue
      this.#law.breaks('deadlines', `${ticket.caller} still waits ${now - ticket.deadline} ms after its own`)
    }
  }

  #judgeTime({ caller, deadline }: Ticket): void {
    const now = this.#now()
    if (!this.lateness.excuses(deadline, now))
      this.#law.breaks('deadlines', `${caller} was settled ${now - deadline} ms after its own`)
  }

  #judgeTurn(ticket: Ticket, step: number): void {
    for (const [priority, turn] of this.#turns) {
      if (priority < ticket.priority) continue
      const [first] = turn
      // Who came in this very step may have come after the grant that we only hear of now.
      if (first === undefined || first === ticket || first.step === step) continue
      this.#law.breaks(
        'in order',
        `${ticket.caller} was served before ${first.caller} (priority ${priority})`,
      )
    }
  }

  #close(ticket: Ticket): void {
    if (ticket.acquires) this.#acquires--
    if (!this.#pending.delete(ticket)) this.#law.breaks('settled once', `${ticket.caller}`)
    if (ticket.inTurn) this.#turns.get(ticket.priority)?.delete(ticket)
  }

  #problemWith(ticket: Ticket, error: unknown): string | undefined {
    const { signal, deadline, atOnce } = ticket
    if (signal?.aborted === true && error === signal.reason) return undefined
    const { closed, mayBeFull, mayShed, mayBeRefused } = this.expected
    const code = codeOf(error)
    if (code === 'ACQUIRE_TIMEOUT') {
      if (ticket.acquires) this.timedOut++
      if (this.#now() >= deadline - SLACK_MS || atOnce) return undefined
      return `timed out ${deadline - this.#now()} ms early`
    }
    this.rejected++
    if (code === 'POOL_CLOSED' && closed) return undefined
    if (code === 'QUEUE_FULL' && mayBeFull) return undefined
    if (code === 'OVERLOADED' && mayShed) return undefined
    if (code === 'CONNECT_FAILED' && mayBeRefused) return undefined
    return String(error)
  }
}

export function codeOf(error: unknown): PoolErrorCode | undefined {
  return error instanceof Error && 'code' in error ? (error.code as PoolErrorCode) : undefined
}
