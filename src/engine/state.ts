import type { ResolvedOptions } from '../contract/options.ts'
import type { CloseReason } from '../contract/stats.ts'
import { Backoff } from './backoff.ts'
import { Deadlines } from './deadlines.ts'
import { Forecast } from './forecast.ts'
import { IdleList } from './idle-list.ts'
import { Overload } from './overload.ts'
import { noSlots, type Slot } from './slot.ts'
import type { Waiter } from './waiter.ts'
import { WaiterQueue } from './waiter-queue.ts'

/** Pools of fewer connections have none to spare for those who share. */
const ONE_SHARED_OF = 4
/** Without anybody served for so long, the connections lent do not come round. */
const ROUND_MS = 100

/** Most pools have nobody who waits for them to be ready; ten thousand idle pools need no sets for that. */
const NOBODY: ReadonlySet<Waiter> = new Set()

/** All that the engine knows. Its policies read it; the engine alone changes it. */
export class EngineState<R, H> {
  options: ResolvedOptions<R>
  /** The driver has a liveness check. */
  readonly canCheck: boolean
  readonly slots = new Set<Slot<R, H>>()
  readonly counts = noSlots()
  readonly idle = new IdleList<R, H>()
  readonly queue = new WaiterQueue()
  #readies: Set<Waiter> | undefined = undefined
  readonly deadlines = new Deadlines<Waiter>()
  readonly backoff = new Backoff()
  readonly forecast = new Forecast()
  /** Watches the queue; only with `overload: 'shed'`. */
  readonly overload: Overload | undefined
  /** Leased connections that statements share: they do not come back for the queue. */
  shared = 0
  /** When somebody who waited for a connection of his own last got it. */
  servedAt = Number.NEGATIVE_INFINITY
  /** Connections that `onAcquire` prepares: those of the validating ones that have a waiter. */
  preparing = 0
  /** Connections of an older generation are not lent again. */
  generation = 0
  /** Why the generation moved on. */
  outdated: CloseReason = 'refresh'
  /** Connections that were last proven alive before this time must prove it again. */
  suspectAt = Number.NEGATIVE_INFINITY
  suspended = false
  closing = false
  /** Closing: when leases are ended. */
  drainDeadline = Number.POSITIVE_INFINITY

  constructor(options: ResolvedOptions<R>, facts: { canCheck: boolean }) {
    this.options = options
    this.overload = options.overload === 'shed' ? new Overload() : undefined
    this.canCheck = facts.canCheck
  }

  /** Who waits in `ready`. */
  get readies(): ReadonlySet<Waiter> {
    return this.#readies ?? NOBODY
  }

  awaitReady(waiter: Waiter): void {
    this.#readies ??= new Set()
    this.#readies.add(waiter)
  }

  awaitReadyNoLonger(waiter: Waiter): void {
    this.#readies?.delete(waiter)
  }

  /** Most connections that may exist, those above `max` included. */
  get cap(): number {
    return this.options.max + this.options.maxOverflow
  }

  /** All connections: a slot is in one state, or gone. */
  get total(): number {
    return this.slots.size
  }

  /** Connections that are there or coming: all but those on their way out. */
  get live(): number {
    return this.slots.size - this.counts.closing
  }

  /** Connections that are usable or in use. */
  get open(): number {
    const { idle, leased, validating, resetting } = this.counts
    return idle + leased + validating + resetting
  }

  /** Connections that nobody uses: idle ones, and those among them that are being checked. */
  get unused(): number {
    return this.idle.size + this.counts.validating - this.preparing
  }

  /** How many connections make the pool ready. */
  get readyAt(): number {
    return Math.max(this.options.min, 1)
  }

  /** Who is served next. */
  next(now: number): Waiter | undefined {
    if (this.overload?.isOn === true) return this.queue.newest
    const { first, firstSharing } = this.queue
    return firstSharing !== undefined && this.shared === 0 && this.keepsOneShared(now) ? firstSharing : first
  }

  /**
   * Of several connections one is left to those who share, while they come: it serves them all in no time, and behind those
   * who each want one for a while all of them would be slow. But the others must come round.
   */
  keepsOneShared(now: number): boolean {
    if (this.cap < ONE_SHARED_OF || now - this.servedAt >= ROUND_MS) return false
    return (this.queue.first?.priority ?? 0) <= 0
  }

  get waiting(): number {
    return this.queue.size + this.preparing
  }
}
