import type { Clock } from '../contract/clock.ts'
import {
  AcquireTimeoutError,
  ConnectError,
  messageOf,
  OverloadError,
  PoolClosedError,
  PoolError,
} from '../contract/errors.ts'
import type { Gauges, Snapshot } from '../contract/stats.ts'
import type { Engine } from '../engine/engine.ts'
import type { Refusal } from '../engine/ports.ts'
import type { Slot } from '../engine/slot.ts'
import type { Waiter } from '../engine/waiter.ts'
import type { Holder } from './pool-lease.ts'

/** What a pool says to those whom it cannot serve: why, and what it looks like. */
export class Refusals<C> {
  readonly #name: string
  readonly #clock: Clock
  readonly #engine: Engine<C, Holder>
  /** Since the last success. */
  lastConnectError: unknown = undefined
  /** While deadlines are judged: how late they fired, and what the pool looks like to all of them. */
  #moment: { readonly lateByMs: number; snapshot: Snapshot | undefined } | undefined = undefined

  constructor(name: string, clock: Clock, engine: Engine<C, Holder>) {
    this.#name = name
    this.#clock = clock
    this.#engine = engine
  }

  /** Callers whose time is up in one moment get one picture of it. */
  inOneMoment(lateByMs: number, judge: () => void): void {
    this.#moment = { lateByMs, snapshot: undefined }
    judge()
    this.#moment = undefined
  }

  /** What the engine's decision is for the caller. */
  for(waiter: Waiter, why: Refusal): PoolError {
    return withoutStack(() => this.#for(waiter, why))
  }

  #for(waiter: Waiter, why: Refusal): PoolError {
    if (why === 'closed') return new PoolClosedError(this.#name)
    if (why === 'overload') return this.#overload(waiter)
    return why === 'permanent' ? this.permanent() : this.timeout(waiter)
  }

  /** The server's own refusal, also for those who ask while it is fresh. */
  permanent(): PoolError {
    const cause = this.lastConnectError
    // Our own says all that there is to say: a driver that is not installed, an option that is impossible.
    if (cause instanceof PoolError) return cause
    return new ConnectError(this.#name, `the server refuses connections: ${messageOf(cause)}`, { cause })
  }

  #overload(waiter: Waiter): OverloadError {
    const retryAfterMs = this.#engine.state.overload?.retryAfterMs ?? 0
    return new OverloadError(this.#name, { waitedMs: this.#clock.now() - waiter.since, retryAfterMs })
  }

  timeout(waiter: Waiter): AcquireTimeoutError {
    const { state } = this.#engine
    const phase = waiter.kind === 'ready' && !state.suspended ? 'connect' : this.#engine.phaseOf(waiter)
    const facts = { phase, waitedMs: this.#clock.now() - waiter.since, snapshot: this.#picture() }
    const cause = this.lastConnectError
    return new AcquireTimeoutError(this.#name, facts, cause === undefined ? undefined : { cause })
  }

  gauges(): Gauges {
    const { state } = this.#engine
    // Written out: a spread costs ten times as much, and snapshots are made by the thousand when many time out at once.
    const { connecting, validating, idle, leased, resetting, closing } = state.counts
    const { total, waiting } = state
    return {
      connecting,
      validating,
      idle,
      leased,
      resetting,
      closing,
      total,
      waiting,
      max: state.options.max,
    }
  }

  #picture(): Snapshot {
    if (this.#moment === undefined) return this.snapshot()
    this.#moment.snapshot ??= Object.freeze(this.snapshot())
    return this.#moment.snapshot
  }

  snapshot(): Snapshot {
    const oldest = this.#oldestLease()
    const snapshot = this.gauges() as Snapshot
    snapshot.lateByMs = this.#moment?.lateByMs ?? 0
    if (this.lastConnectError !== undefined) snapshot.lastConnectError = this.lastConnectError
    if (oldest !== undefined) snapshot.oldestLeaseMs = this.#clock.now() - oldest.since
    if (oldest?.holder?.stack !== undefined) snapshot.oldestLeaseStack = oldest.holder.stack
    return snapshot
  }

  #oldestLease(): Slot<C, Holder> | undefined {
    let oldest: Slot<C, Holder> | undefined
    for (const slot of this.#engine.state.slots) {
      if (slot.state === 'leased' && (oldest === undefined || slot.since < oldest.since)) oldest = slot
    }
    return oldest
  }
}

/** The stack of an error that a timer or somebody else's release made tells nobody anything, and is most of its cost. */
function withoutStack<T>(make: () => T): T {
  const { stackTraceLimit } = Error
  // Where intrinsics are frozen it stays as it is.
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return make()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}
