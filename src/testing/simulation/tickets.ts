import type { PoolErrorCode } from '../../contract/errors.ts'
import type { CountedSignal } from './counted-signal.ts'
import { type Lateness, SLACK_MS } from './lateness.ts'
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
  /** The signal was aborted before the call. */
  readonly stillborn: boolean
  readonly key: unknown
  /** The pool is too full to take it. */
  readonly excess: boolean
  /** It waits for a lease. */
  readonly acquires: boolean
  readonly waitsUntilReady: boolean
}

/** What may go wrong for callers of this pool; changes with the run. */
export interface Expectations {
  closed: boolean
  mayBeFull: boolean
  mayShed: boolean
  /** Nothing is open: the server's refusal is the callers'. */
  mayBeRefused(): boolean
  /** All who wait are known here. */
  readonly knowsAll: boolean
}

/** Under overload nobody is turned away before. */
const SHED_AFTER_MS = 20
/** A queue is watched for as long before it is taken for overload. */
const WATCHED_MS = 100

/** All who wait: each must be settled once, in time, for a reason, and in order. */
export class Tickets {
  readonly expected: Expectations
  readonly lateness: Lateness
  readonly #law: Law
  readonly #now: () => number
  readonly #pending = new Set<Ticket>()
  /** Those in turn, by priority. */
  readonly #turns = new Map<number, Set<Ticket>>()
  timedOut = 0
  #acquires = 0
  rejected = 0
  /** Since when somebody has waited all the time. */
  #busySince = 0

  constructor(facts: { law: Law; now: () => number; lateness: Lateness }, expected: Expectations) {
    this.#law = facts.law
    this.#now = facts.now
    this.lateness = facts.lateness
    this.expected = expected
  }

  get pending(): number {
    return this.#pending.size
  }

  /** Of the pending, those who wait for a connection of the pool's. */
  get waiting(): number {
    return this.#acquires
  }

  /** Of the pending, those who wait for the pool to be ready. */
  get readies(): number {
    let readies = 0
    for (const { waitsUntilReady } of this.#pending) if (waitsUntilReady) readies++
    return readies
  }

  /** Since when the first of those who wait for a lease has waited. */
  get oldest(): number {
    for (const { acquires, since } of this.#pending) if (acquires) return since
    return Number.POSITIVE_INFINITY
  }

  /** The keys that somebody waits with. */
  get keys(): unknown[] {
    const keys: unknown[] = []
    for (const { key } of this.#pending) if (key !== undefined) keys.push(key)
    return keys
  }

  open(ticket: Ticket): Ticket {
    this.#pending.add(ticket)
    if (ticket.acquires && this.#acquires++ === 0) this.#busySince = ticket.since
    if (!ticket.inTurn) return ticket
    const turn = this.#turns.get(ticket.priority)
    if (turn === undefined) this.#turns.set(ticket.priority, new Set([ticket]))
    else turn.add(ticket)
    return ticket
  }

  granted(ticket: Ticket, step: number): void {
    this.#judgeTime(ticket)
    if (ticket.stillborn) this.#law.breaks('signals that were aborted before', `${ticket.caller}`)
    if (ticket.excess && ticket.key === undefined)
      this.#law.breaks('maxWaiting', `${ticket.caller} was served`)
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
    const left = this.#acquires + this.readies
    if (left > 0) this.#law.breaks('nobody waits for a closed pool', `${left} do`)
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
    const { signal, since, deadline, atOnce, excess } = ticket
    if (signal?.aborted === true && error === signal.reason) return undefined
    const { closed, mayBeFull, mayShed, mayBeRefused, knowsAll } = this.expected
    const code = codeOf(error)
    if (code === 'ACQUIRE_TIMEOUT') {
      if (excess && ticket.key === undefined) return 'it waited for a pool that was full'
      if (ticket.acquires) this.timedOut++
      if (this.#now() >= deadline - SLACK_MS || atOnce) return undefined
      return `timed out ${deadline - this.#now()} ms early`
    }
    this.rejected++
    if (code === 'POOL_CLOSED' && closed) return undefined
    if (code === 'QUEUE_FULL' && mayBeFull) return excess ? undefined : 'the pool is not full'
    if (code === 'OVERLOADED' && mayShed) {
      const now = this.#now()
      if (now - since < SHED_AFTER_MS - SLACK_MS) return `turned away after ${now - since} ms`
      const busyMs = now - this.#busySince
      return knowsAll && busyMs < WATCHED_MS - SLACK_MS ? `a burst of ${busyMs} ms is turned away` : undefined
    }
    // Who waits until the pool is ready is told of every refusal.
    if (code === 'CONNECT_FAILED')
      return mayBeRefused() || !ticket.acquires
        ? undefined
        : `refused beside open connections: ${String(error)}`
    return String(error)
  }
}

export function codeOf(error: unknown): PoolErrorCode | undefined {
  return error instanceof Error && 'code' in error ? (error.code as PoolErrorCode) : undefined
}
