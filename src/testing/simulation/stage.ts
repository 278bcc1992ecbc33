import type { Driver } from '../../contract/driver.ts'
import type { Lease } from '../../contract/lease.ts'
import type { PoolOptions, ResizeOptions } from '../../contract/options.ts'
import type { Pool } from '../../contract/pool.ts'
import type { SqlPool } from '../../contract/sql.ts'
import type { SqlDriver } from '../../contract/sql-driver.ts'
import type { FakeConnection } from '../fake-connection.ts'
import type { FakeServer } from '../fake-server.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import type { Attempts } from './attempts.ts'
import type { Budget } from './budget.ts'
import { CountedSignal } from './counted-signal.ts'
import type { Database } from './database.ts'
import type { Law } from './law.ts'
import type { Ledger } from './ledger.ts'
import type { Plan } from './plan.ts'
import type { Tickets } from './tickets.ts'
import type { Trace } from './trace.ts'
import { TOKENS_EACH, type Traffic } from './traffic.ts'
import type { Weather } from './weather.ts'

/** Makes the pools that are under test. */
export interface PoolMakers {
  createPool<C>(driver: SqlDriver<C>, options: PoolOptions<C>): SqlPool<C>
  createResourcePool<C>(driver: Driver<C>, options: PoolOptions<C>): Pool<C>
}

type Options = Omit<PoolOptions<FakeConnection>, 'clock' | 'permits'>

/** Compares what the pool says of itself with what happened. */
interface Auditor {
  /** Connections that were told of as closed. */
  readonly closes: number
  compare(stage: Stage): void
  settle(stage: Stage): void
  progress(): void
}

/** The end of the pool, under way. */
interface PoolsEnding {
  readonly done: Promise<void>
  /** How many connects were under way when the pool was closed. */
  readonly connecting: number
  again(drainTimeoutMs: number): unknown
}

interface StageParts {
  readonly plan: Plan
  readonly clock: VirtualClock
  readonly server: FakeServer
  readonly weather: Weather
  readonly law: Law
  readonly ledger: Ledger
  readonly tickets: Tickets
  readonly trace: Trace
  readonly database: Database
  readonly traffic: Traffic
  readonly attempts: Attempts
  readonly audit: Auditor
  readonly budget: Budget | undefined
  readonly pool: Pool<FakeConnection>
  /** The same, where it speaks SQL. */
  readonly sql: SqlPool<FakeConnection> | undefined
  options: Options
}

/** Everything that callers act on, and where their calls are counted. */
export class Stage {
  readonly parts: StageParts
  /** Listeners on the callers' signals. */
  readonly signals = { listening: 0 }
  /** Calls by simulated callers. */
  calls = 0
  /** Calls under way, by what is waited for. */
  readonly underWay = new Map<string, number>()
  /** Leases that their callers have forgotten. */
  readonly leaked: { release(): void }[] = []
  /** Leases that callers know of, joined ones included; without those within `use` and the like. */
  leases = 0
  joins = 0
  ending: PoolsEnding | undefined = undefined
  suspensions = 0
  /** For so long nobody comes. */
  hushMs = 0
  /** How long the event loop has stood still altogether. */
  blockedMs = 0
  /** When the loop last stood still, or the pool's orders changed. */
  disturbedAt = 0
  /** The pool's account is to be looked at as soon as all promises have settled. */
  auditNow = false
  /** Connections do not live as long as was planned. */
  livesChange = false
  /** Acts that have not ended. */
  readonly running = new Map<number, string>()
  /** Events so far. */
  steps = 0
  #tokens = 0

  constructor(parts: StageParts) {
    this.parts = parts
  }

  get now(): number {
    return this.parts.clock.now()
  }

  /** A caller calls something of the pool's. */
  call(what: string, caller: number): void {
    this.calls++
    this.parts.trace.note(what, caller)
  }

  /** Waits for a call of the pool's that must not be pending in the end. */
  async during<T>(what: string, work: Promise<T>): Promise<T> {
    this.underWay.set(what, (this.underWay.get(what) ?? 0) + 1)
    try {
      return await work
    } finally {
      this.underWay.set(what, (this.underWay.get(what) as number) - 1)
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.parts.clock.io(ms, resolve))
  }

  /** Marks a statement as this caller's. */
  token(caller: number): number {
    return caller * TOKENS_EACH + (++this.#tokens % TOKENS_EACH)
  }

  /** A signal that is aborted after this time. */
  signal(ms: number): CountedSignal {
    const signal = new CountedSignal(this.signals)
    this.parts.clock.io(ms, () => signal.abort(new Error('the caller has given up')))
    return signal
  }

  /** The event loop has stood still since then. */
  blocked(from: number): void {
    this.parts.tickets.lateness.blocked(from, this.now)
    this.blockedMs += this.now - from
    this.disturbedAt = this.now
    this.parts.audit.progress()
  }

  resize(change: ResizeOptions): void {
    const { pool, ledger, tickets } = this.parts
    const options = { ...this.parts.options, ...change }
    // The cap grows before it is used, and shrinks after it was.
    const { cap } = ledger.orders
    ledger.orders.cap = Math.max(cap, capOf(options))
    pool.resize(change)
    this.parts.options = options
    ledger.orders.cap = capOf(options)
    ledger.orders.validateAfterIdleMs = options.validateAfterIdleMs ?? 1_000
    ledger.orders.maxLifetimeMs = options.maxLifetimeMs ?? Number.POSITIVE_INFINITY
    ledger.orders.idleTimeoutMs = options.idleTimeoutMs ?? 600_000
    this.disturbedAt = this.now
    this.auditNow = true
    if (change.maxLifetimeMs !== undefined) this.livesChange = true
    tickets.inspect()
  }
}

export function capOf({ max = 10, maxOverflow = 0 }: Pick<PoolOptions, 'max' | 'maxOverflow'>): number {
  return max + maxOverflow
}

export type AnyLease = Lease<FakeConnection>
