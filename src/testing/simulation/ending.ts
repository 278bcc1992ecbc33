import type { CloseReport } from '../../contract/pool.ts'
import { SLACK_MS } from './lateness.ts'
import type { Stage } from './stage.ts'

/** What the pool looked like when it was closed. */
interface Before {
  readonly since: number
  readonly waiting: number
  readonly connecting: number
  readonly told: number
}

/** Closes the pool, or closes it once more. */
export function closePool(stage: Stage, drainTimeoutMs: number): void {
  if (stage.ending === undefined) stage.ending = new Ending(stage, drainTimeoutMs)
  else void stage.ending.again(drainTimeoutMs)
}

/** The end of the pool: in time, however often it is asked for, and with a true account of it. */
class Ending {
  readonly #stage: Stage
  readonly #before: Before
  readonly done: Promise<void>
  /** The end of the drain that was asked for and everything after it, without the time in which the loop stood still. */
  #limit = Number.POSITIVE_INFINITY

  constructor(stage: Stage, drainTimeoutMs: number) {
    this.#stage = stage
    const { ledger, tickets, pool, audit } = stage.parts
    ledger.close()
    tickets.expected.closed = true
    const { connecting } = pool.stats()
    this.#before = { since: stage.now, waiting: tickets.waiting, connecting, told: audit.closes }
    this.done = this.#close(drainTimeoutMs).then((report) => this.#judge(report))
  }

  /** How many connects the pool has given up because it was closed, at most. */
  get connecting(): number {
    return this.#before.connecting
  }

  /** Asks once more: that can only bring the end forward. */
  again(drainTimeoutMs: number): Promise<CloseReport> {
    return this.#close(drainTimeoutMs)
  }

  #close(drainTimeoutMs: number): Promise<CloseReport> {
    const { pool, options } = this.#stage.parts
    const { closeTimeoutMs = 5_000 } = options
    const limit = this.#time + drainTimeoutMs + closeTimeoutMs + SLACK_MS
    this.#limit = Math.min(this.#limit, limit)
    return this.#stage.during('close', pool.close({ drainTimeoutMs }))
  }

  get #time(): number {
    return this.#stage.now - this.#stage.blockedMs
  }

  #judge(report: CloseReport): void {
    const { law, ledger, audit, plan } = this.#stage.parts
    const { since, waiting, told } = this.#before
    const lateMs = this.#time - this.#limit
    law.demand(lateMs <= 0, 'close in time', () => `${lateMs} ms late`)
    const is = (rule: string, holds: boolean) => law.demand(holds, rule, () => JSON.stringify(report))
    const { closed, destroyed, abandoned, rejected, durationMs } = report
    law.demand(ledger.counted === 0, 'close waits for all', () => `${ledger.counted} are open`)
    is('the report is complete', closed + destroyed + abandoned === audit.closes - told)
    is('the report says how long it took', durationMs === this.#stage.now - since)
    if (plan.sql) return
    is('the report tells of those who waited', rejected === waiting)
    const { surely, perhaps } = ledger.takenAway
    is('the report tells of leases that were ended', destroyed <= surely + perhaps)
    is('the report tells of leases that were ended', destroyed + abandoned >= surely)
  }
}
