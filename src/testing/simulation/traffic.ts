import type { LedgerFacts } from './fitness.ts'
import { SLACK_MS } from './lateness.ts'
import type { Ledger } from './ledger.ts'
import type { Socket } from './socket.ts'

/** A token says whose statement it is. */
export const TOKENS_EACH = 1_000
/** Whoever sends it is not known yet. */
export const UNKNOWN = -1
/** Statements in flight on a shared connection. */
const MOST_IN_FLIGHT = 32
/** Nobody is put behind a statement that has been served for this long. */
const SLOW_MS = 5

export function callerOf(token: number): number {
  return Math.floor(token / TOKENS_EACH)
}

/** Statements on their way: each goes to a connection that is its caller's, or fit for anybody. */
export class Traffic {
  readonly #facts: LedgerFacts
  readonly #ledger: Ledger
  /** Given to the pool or to a lease, and not sent yet. */
  readonly #given = new Map<number, 'pool' | 'lease'>()
  /** Their callers were told of a failure before they were sent. */
  readonly #dropped = new Set<number>()

  constructor(facts: LedgerFacts, ledger: Ledger) {
    this.#facts = facts
    this.#ledger = ledger
  }

  given(token: number, to: 'pool' | 'lease'): void {
    this.#given.set(token, to)
  }

  failed(token: number): void {
    if (this.#given.delete(token)) this.#dropped.add(token)
  }

  /** A statement may only run on its caller's own connection, and never in somebody else's transaction. */
  sends(socket: Socket, params: readonly unknown[]): void {
    const { connection } = socket
    const inFlight = connection?.inFlight ?? 0
    this.#demand(inFlight < MOST_IN_FLIGHT, 'few in flight', () => `${inFlight} on connection ${socket.id}`)
    const [token] = params
    if (typeof token === 'number') this.#judge(socket, token, inFlight)
    if (inFlight === 0) socket.turnAt = this.#facts.now()
  }

  answered(socket: Socket): void {
    socket.turnAt = this.#facts.now()
  }

  #judge(socket: Socket, token: number, inFlight: number): void {
    const caller = callerOf(token)
    if (!socket.beginning && socket.connection?.session.transaction === 'none')
      socket.transactionOf = undefined
    const { owner, transactionOf } = socket
    this.#demand(socket.closes === 0 && !socket.detached, 'no statement after the end', () => `${token}`)
    this.#demand(!this.#dropped.has(token), 'nothing is sent that was given up', () => `${token}`)
    this.#demand(
      owner === undefined || owner.callers.includes(caller),
      'statements on own connections',
      () => `connection ${socket.id} of ${owner?.callers} got one of ${caller}`,
    )
    if (transactionOf === UNKNOWN) socket.transactionOf = caller
    else if (transactionOf !== undefined)
      this.#demand(
        transactionOf === caller,
        'statements in own transactions',
        () => `${transactionOf}, ${caller}`,
      )
    const to = this.#given.get(token)
    if (to === undefined) return
    this.#given.delete(token)
    if (to === 'pool') this.#judgeFirst(socket, inFlight)
  }

  /** The pool has just chosen this connection for the statement: it must be fit to be lent. */
  #judgeFirst(socket: Socket, inFlight: number): void {
    const detail = () => `a statement on connection ${socket.id}`
    const waitedMs = this.#facts.now() - socket.turnAt
    this.#demand(inFlight === 0 || waitedMs < SLOW_MS + SLACK_MS, 'nobody behind a slow one', detail)
    const rule = this.#ledger.fitness.unfit(socket)
    if (rule !== undefined) this.#facts.law.breaks(rule, detail())
  }

  #demand(holds: boolean, rule: string, detail: () => string): void {
    this.#facts.law.demand(holds, rule, detail)
  }
}
