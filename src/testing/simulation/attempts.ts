import type { LedgerFacts } from './fitness.ts'
import type { Lateness } from './lateness.ts'
import type { Ledger } from './ledger.ts'
import type { Socket } from './socket.ts'

/** Connects while connections have just been lost, and nobody knows whether the server is there. */
const A_FEW = 3
const STORM_MS = 1_000
/** With the pauses that are promised, hardly a quarter of this. */
const STORM = 40

interface Attempt {
  readonly since: number
  readonly signal: AbortSignal
}

/** The connects under way: not too many of them while the server does not answer, and none for longer than it may take. */
export class Attempts {
  readonly #facts: LedgerFacts
  readonly #ledger: Ledger
  readonly #lateness: Lateness
  readonly #underWay = new Map<Socket, Attempt>()
  /** When those began that came after the last success. */
  #begun: number[] = []
  /** The step in which the last one failed, unless one has succeeded since. */
  #failedStep = Number.POSITIVE_INFINITY
  /** The step in which a connection was lost, unless one was opened since. */
  #doubtStep = Number.POSITIVE_INFINITY
  #most = 0

  constructor(facts: LedgerFacts, ledger: Ledger, lateness: Lateness) {
    this.#facts = facts
    this.#ledger = ledger
    this.#lateness = lateness
  }

  begin(socket: Socket, signal: AbortSignal): void {
    const { law } = this.#facts
    const now = this.#facts.now()
    const step = this.#facts.step()
    let others = 0
    for (const other of this.#underWay.values()) if (!other.signal.aborted) others++
    law.demand(step <= this.#failedStep || others === 0, 'one probe at a time', () => `${others} others`)
    law.demand(step <= this.#doubtStep || others < A_FEW, 'a few after a loss', () => `${others} others`)
    this.#underWay.set(socket, { since: now, signal })
    this.#most = Math.max(this.#most, others + 1)
    this.#begun.push(now)
    const most = STORM + this.#ledger.orders.cap
    if (this.#begun.length <= most) return
    const first = this.#begun.shift() as number
    law.demand(now - first > STORM_MS, 'no storm', () => `${most} connects in ${now - first} ms`)
  }

  /** It has connected, or failed. */
  end(socket: Socket, how: 'connected' | 'failed'): void {
    const { since, signal } = this.#underWay.get(socket) as Attempt
    this.#underWay.delete(socket)
    if (signal.aborted) return
    this.#facts.law.demand(!this.#ledger.wasClosed, 'close ends connects', () => `connection ${socket.id}`)
    if (how === 'failed') this.#failedStep = this.#facts.step()
    const deadline = since + this.#ledger.orders.connectTimeoutMs
    const inTime = this.#lateness.excuses(deadline, this.#facts.now())
    this.#facts.law.demand(inTime, 'connects are aborted in time', () => `connection ${socket.id}`)
  }

  succeeded(): void {
    this.#begun = []
    this.#failedStep = Number.POSITIVE_INFINITY
    this.#doubtStep = Number.POSITIVE_INFINITY
  }

  /** A connection that was the pool's has died. */
  doubted(): void {
    this.#doubtStep = Math.min(this.#doubtStep, this.#facts.step())
  }

  /** The most that were under way at a time since this was last asked. */
  takeMost(): number {
    const most = this.#most
    this.#most = 0
    return most
  }

  /** When the pool is closed: whatever still runs was told that it is not wanted any more. */
  settle(): void {
    for (const [{ id }, { signal }] of this.#underWay)
      this.#facts.law.demand(signal.aborted, 'connects are aborted by close', () => `connection ${id}`)
  }
}
