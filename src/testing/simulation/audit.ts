import type { PoolEvent } from '../../contract/events.ts'
import type { Pool } from '../../contract/pool.ts'
import type { CloseReason } from '../../contract/stats.ts'
import type { FakeConnection } from '../fake-connection.ts'
import type { Attempts } from './attempts.ts'
import type { Leaks } from './leaks.ts'
import type { Ledger } from './ledger.ts'
import type { Plan } from './plan.ts'
import type { Socket } from './socket.ts'
import type { Stage } from './stage.ts'
import { Upkeep } from './upkeep.ts'

/** No pause after failed connects is as long while somebody waits. */
const LONGEST_PAUSE_MS = 1_500

/** What an audit looks at. */
interface Watched {
  readonly ledger: Ledger
  readonly attempts: Attempts
  readonly leaks: Leaks
  readonly plan: Plan
  /** Not there before the first step. */
  stage(): Stage | undefined
}

/** Compares the pool's account of itself with what happened. */
export class Audit {
  readonly #closed = new Map<CloseReason, number>()
  readonly #watched: Watched
  readonly #upkeep: Upkeep
  #opened = 0
  #closes = 0
  #closedOpened = 0
  #errors = 0
  #connects = 0
  #stalledSince: number | undefined = undefined
  /** The same, but others may be using connections. */
  #heldBackSince: number | undefined = undefined
  #longestConnectMs = 0

  constructor(pool: Pool<FakeConnection>, watched: Watched) {
    const { ledger, leaks, plan } = watched
    this.#watched = watched
    this.#upkeep = new Upkeep(plan)
    // Who listens is on a slower path.
    if (plan.listens) pool.on('release', ({ id }) => ledger.used(ledger.all[id - 1] as Socket))
    pool.on('connect', ({ id }) => this.#connected(id))
    pool.on('close', (event) => this.#closedOne(event))
    pool.on('reset', ({ id }) => ledger.cleaned(ledger.all[id - 1] as Socket))
    pool.on('error', () => this.#errors++)
    pool.on('leak', ({ id }) => leaks.tell(ledger.all[id - 1]))
  }

  get closes(): number {
    return this.#closes
  }

  /** At any time when all promises have settled. */
  compare(stage: Stage): void {
    const { pool, law, ledger, options, tickets, plan, sql } = stage.parts
    const s = pool.stats()
    const is = (holds: boolean, rule: string, facts: readonly (number | boolean)[]) =>
      law.demand(holds, rule, () => `${facts.join(', ')} of ${JSON.stringify(s)}`)
    is(s.total === ledger.counted, 'stats.total', [ledger.counted])
    is(s.max === options.max, 'stats.max', [])
    is(sql === undefined ? s.leased === ledger.owned : s.leased >= ledger.owned, 'stats.leased', [
      ledger.owned,
    ])
    if (sql === undefined) is(s.waiting === tickets.waiting, 'stats.waiting', [tickets.waiting])
    const suspended = stage.suspensions > 0
    const missed = s.idle > 0 && s.waiting > s.validating && !suspended
    is(!missed, 'nobody waits beside an idle connection', [])
    this.#upkeep.inspect(stage, s)
    this.#compareReadies(stage)
    for (const key of tickets.keys)
      for (const { id, owner } of ledger.open) is(owner?.key !== key, 'who has the key is let in', [id])
    const connects = ledger.all.length > this.#connects
    this.#connects = ledger.all.length
    const idle = s.waiting === 0 || plan.permits !== undefined || suspended
    if (idle || connects || s.connecting > 0 || s.total >= ledger.orders.cap) {
      this.progress()
      return
    }
    // Leases under way may serve them sooner than a connect would, but nobody waits for that for longer than for a connect.
    this.#heldBackSince ??= stage.now
    const since = Math.max(this.#heldBackSince, plan.sql ? stage.now : tickets.oldest)
    is(stage.now - since < LONGEST_PAUSE_MS + this.#longestConnectMs, 'growth instead of hope', [])
    if (s.validating + s.leased + s.resetting > 0) {
      this.#stalledSince = undefined
      return
    }
    this.#stalledSince ??= stage.now
    is(stage.now - this.#stalledSince < LONGEST_PAUSE_MS, 'growth for those who wait', [])
  }

  #compareReadies({ parts: { tickets, ledger, law, options } }: Stage): void {
    const { readies } = tickets
    if (readies === 0) return
    const enough = ledger.open.size >= Math.max(options.min ?? 0, 1)
    law.demand(!enough, 'ready is told', () => `${readies} wait beside ${ledger.open.size}`)
  }

  /** Whatever was standing still is not, or there was no time for it to move. */
  progress(): void {
    this.#stalledSince = undefined
    this.#heldBackSince = undefined
  }

  /** When the pool is closed and everything is over. */
  settle(stage: Stage): void {
    const { pool, law, ledger, tickets, sql } = stage.parts
    const s = pool.stats()
    const is = (rule: string, got: number, due: number) =>
      law.demand(got === due, rule, () => `${got} instead of ${due} in ${JSON.stringify(s)}`)
    is('stats.created', s.created, this.#opened)
    for (const [reason, count] of Object.entries(s.closed))
      is(`stats.closed.${reason}`, count, this.#closed.get(reason as CloseReason) ?? 0)
    is('created = closed + detached', s.created, this.#closedOpened + ledger.detached)
    is('stats.waitTime', s.waitTime.count, s.acquired - stage.joins)
    is('stats.useTime', s.useTime.count, s.acquired - stage.joins)
    is('stats.connectTime', s.connectTime.count, s.created)
    is('nothing is left in the gauges', s.total + s.waiting, 0)
    is('stats.leaked', s.leaked, this.#watched.leaks.told)
    const failed = ledger.all.length - s.created
    const givenUp = stage.ending?.connecting ?? 0
    law.demand(
      s.connectFailed <= failed && s.connectFailed >= failed - givenUp,
      'stats.connectFailed',
      () => `${s.connectFailed} of ${failed}, ${givenUp} given up`,
    )
    const told = s.connectFailed + (s.closed.abandoned ?? 0)
    law.demand(this.#errors >= told, 'errors are told', () => `${this.#errors} of ${told}`)
    if (sql !== undefined) return
    is('stats.acquired', s.acquired, stage.leases)
    is('stats.timedOut', s.timedOut, tickets.timedOut)
  }

  #connected(id: number): void {
    const { ledger, attempts } = this.#watched
    this.#opened++
    attempts.succeeded()
    const socket = ledger.all[id - 1]
    if (socket === undefined) return
    ledger.opened(socket)
    this.#longestConnectMs = Math.max(this.#longestConnectMs, socket.connectedAt - socket.since)
  }

  #closedOne({ id, reason }: PoolEvent): void {
    if (reason === undefined) return
    const { ledger } = this.#watched
    this.#closes++
    this.#closed.set(reason, (this.#closed.get(reason) ?? 0) + 1)
    const socket = ledger.all[id - 1]
    if (socket?.opened === true) this.#closedOpened++
    if (reason === 'abandoned') ledger.writtenOff(id)
    const stage = this.#watched.stage()
    if (socket === undefined || stage === undefined) return
    if (reason === 'lifetime' || reason === 'idle') this.#upkeep.closed(stage, socket, reason)
  }
}
