import type { PoolEvent } from '../../contract/events.ts'
import type { Pool } from '../../contract/pool.ts'
import type { CloseReason } from '../../contract/stats.ts'
import type { FakeConnection } from '../fake-connection.ts'
import type { Ledger } from './ledger.ts'
import type { Plan } from './plan.ts'
import type { Socket } from './socket.ts'
import type { Stage } from './stage.ts'

/** No pause after failed connects is as long while somebody waits. */
const LONGEST_PAUSE_MS = 1_500

/** Compares the pool's account of itself with what happened. */
export class Audit {
  readonly #closed = new Map<CloseReason, number>()
  #opened = 0
  #closedOpened = 0
  #connects = 0
  #stalledSince: number | undefined = undefined

  constructor(pool: Pool<FakeConnection>, ledger: Ledger, { listens }: Plan) {
    // Who listens is on a slower path.
    if (listens) pool.on('release', ({ id }) => ledger.alive(ledger.all[id - 1] as Socket))
    pool.on('connect', ({ id }) => this.#connected(ledger, id))
    pool.on('close', (event) => this.#closedOne(ledger, event))
    pool.on('reset', ({ id }) => ledger.cleaned(ledger.all[id - 1] as Socket))
    pool.on('error', () => {})
    pool.on('leak', () => {})
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
    const connects = ledger.all.length > this.#connects
    this.#connects = ledger.all.length
    const idle = s.waiting === 0 || plan.permits !== undefined || suspended
    const moves = connects || s.connecting + s.validating + s.leased + s.resetting > 0
    if (idle || moves || s.total >= ledger.orders.cap) {
      this.progress()
      return
    }
    this.#stalledSince ??= stage.now
    is(stage.now - this.#stalledSince < LONGEST_PAUSE_MS, 'growth for those who wait', [])
  }

  /** Whatever was standing still is not, or there was no time for it to move. */
  progress(): void {
    this.#stalledSince = undefined
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
    if (sql !== undefined) return
    is('stats.acquired', s.acquired, stage.leases)
    is('stats.timedOut', s.timedOut, tickets.timedOut)
  }

  #connected(ledger: Ledger, id: number): void {
    this.#opened++
    const socket = ledger.all[id - 1]
    if (socket === undefined) return
    ledger.opened(socket)
  }

  #closedOne(ledger: Ledger, { id, reason }: PoolEvent): void {
    if (reason === undefined) return
    this.#closed.set(reason, (this.#closed.get(reason) ?? 0) + 1)
    if (ledger.all[id - 1]?.opened === true) this.#closedOpened++
    if (reason === 'abandoned') ledger.writtenOff(id)
  }
}
