import type { PoolStats } from '../../contract/stats.ts'
import { SLACK_MS } from './lateness.ts'
import type { Plan } from './plan.ts'
import type { Socket } from './socket.ts'
import type { Stage } from './stage.ts'

/** So many lifetimes do not end at their latest by chance. */
const MANY = 30
/** Orders that have just changed, and what came due while the loop was blocked, are seen to in a moment. */
const MOMENT_MS = 1

/** Idle connections: none too many, none for too long. */
export class Upkeep {
  readonly #plan: Plan
  /** Lifetimes that have ended, and those of them that the jitter has shortened. */
  #ended = 0
  #shortened = 0

  constructor(plan: Plan) {
    this.#plan = plan
  }

  /** At any time when all promises have settled. */
  inspect(stage: Stage, s: PoolStats): void {
    const { law, ledger, options } = stage.parts
    const isCalm = stage.now - stage.disturbedAt >= MOMENT_MS
    for (const { id, phaseDeadline } of ledger.open)
      law.demand(
        !isCalm || stage.now <= phaseDeadline + MOMENT_MS,
        'phases end in time',
        () => `connection ${id}`,
      )
    if (s.idle === 0 || s.waiting > 0) return
    const { maxIdle = Number.POSITIVE_INFINITY, max = 10, min = 0 } = options
    const live = s.total - s.closing
    law.demand(s.idle <= maxIdle, 'maxIdle', () => `${s.idle} of ${maxIdle}`)
    law.demand(live <= max, 'none above max is idle', () => `${live} of ${max}`)
    if (!isCalm) return
    // Some of those that nobody seems to have may be in use by the pool itself, or on their way back.
    if (s.validating + s.resetting > 0 || s.leased !== ledger.owned) return
    for (const socket of ledger.open)
      if (socket.owner === undefined) this.#inspectIdle(stage, socket, { mayEnd: live > min })
  }

  #inspectIdle(stage: Stage, socket: Socket, { mayEnd }: { mayEnd: boolean }): void {
    const { law, ledger, options } = stage.parts
    const { orders } = ledger
    const { now } = stage
    const { keepaliveMs = 0 } = options
    const late = (since: number, ms: number) => now - since > ms + MOMENT_MS
    // A check may have taken longer.
    const isBack = late(socket.aliveAt, 0)
    const detail = () => `connection ${socket.id}`
    law.demand(!isBack || !late(socket.connectedAt, orders.maxLifetimeMs), 'lifetimes end', detail)
    const idles = mayEnd && orders.seesUse && isBack && late(socket.usedAt, orders.idleTimeoutMs)
    law.demand(!idles, 'idle ones end', detail)
    // One after the other, and each may take its time.
    const inTurnMs = keepaliveMs + ledger.open.size * (options.validateTimeoutMs ?? 5_000)
    const unchecked = orders.canCheck && orders.seesUse && keepaliveMs > 0 && late(socket.aliveAt, inTurnMs)
    law.demand(!unchecked, 'idle ones are checked', detail)
  }

  /** One was closed because its time was over. */
  closed(stage: Stage, socket: Socket, reason: 'lifetime' | 'idle'): void {
    const { law, ledger, options } = stage.parts
    const detail = () => `connection ${socket.id}`
    if (reason === 'idle') {
      const { maxIdle } = options
      const early = socket.closedEarly && ledger.orders.seesUse && maxIdle === undefined
      law.demand(!early || stage.parts.budget !== undefined, 'none ends before it has been idle', detail)
      return
    }
    const ageMs = socket.closedAt - socket.connectedAt
    const { maxLifetimeMs = Number.POSITIVE_INFINITY, lifetimeJitter = 0.25 } = this.#plan.options
    if (stage.livesChange) return
    law.demand(ageMs >= maxLifetimeMs * (1 - lifetimeJitter) - SLACK_MS, 'none ends before its time', detail)
    // One that ends late was in use, or the loop stood still.
    if (lifetimeJitter === 0 || ageMs > maxLifetimeMs + SLACK_MS) return
    this.#ended++
    if (ageMs < maxLifetimeMs * (1 - lifetimeJitter / 8)) this.#shortened++
    law.demand(this.#ended < MANY || this.#shortened > 0, 'lifetimes are spread', () => `${this.#ended}`)
  }
}
