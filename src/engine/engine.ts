import type { ResolvedOptions } from '../contract/options.ts'
import type { AcquirePhase } from '../contract/state.ts'
import type { CloseReason } from '../contract/stats.ts'
import type { EngineSurroundings } from './core.ts'
import { incoming } from './growth.ts'
import { Maintenance } from './maintenance.ts'
import { dueReason, lifetimeEnd } from './retirement.ts'
import type { Slot } from './slot.ts'
import type { Waiter } from './waiter.ts'

/** A demoted server answers on every connection: the generation moves on at most this often. */
const STALE_EVERY_MS = 1_000

/**
 * Decides who gets which connection, when to open one and when to close one. It does nothing itself: it calls ports, and
 * is told what came of it. Every change ends in one pump.
 */
export class Engine<R, H> extends Maintenance<R, H> {
  #staleAt = Number.NEGATIVE_INFINITY

  constructor(options: ResolvedOptions<R>, surroundings: EngineSurroundings<R, H>) {
    super(options, surroundings)
    options.permits?.onFree(() => this.pump())
    options.permits?.onWanted(() => this.#giveUpOneIdle())
  }

  // ---- callers

  /** An idle connection, leased at once, when nobody waits and it needs neither check nor hook. */
  take(affinity: unknown): Slot<R, H> | undefined {
    const { state } = this
    if (state.idle.size === 0 || state.queue.size > 0 || state.suspended) return undefined
    if (state.options.onAcquire !== undefined) return undefined
    const now = this.glance()
    const slot = this.pickIdle(affinity, now)
    if (slot === undefined || this.mustCheck(slot, now)) return undefined
    state.idle.remove(slot)
    this.lease(slot, now)
    return slot
  }

  /** Starts the check that an idle connection has come due for, so that the next attempt finds it ready. */
  checkAhead(): void {
    const { state } = this
    if (state.suspended || state.queue.size > 0) return
    const now = this.read()
    const slot = this.pickIdle(undefined, now)
    if (slot !== undefined && this.mustCheck(slot, now)) this.check(slot, now)
  }

  /** Callers that the connections of this pool cannot serve without a release, were one more to come. */
  get beyondCapacity(): number {
    const { state } = this
    return state.queue.size + 1 - (state.cap - state.counts.leased - state.preparing)
  }

  /** An idle connection, one that is being checked included, is left for one more caller. */
  get idleToSpare(): boolean {
    const { state } = this
    return !state.suspended && state.unused > state.queue.size
  }

  /** The server has refused us for good a moment ago, and nothing is open. */
  get refused(): boolean {
    const { state } = this
    const { backoff } = state
    return (
      backoff.permanent &&
      state.open === 0 &&
      state.counts.connecting === 0 &&
      !state.suspended &&
      this.read() < backoff.until(true)
    )
  }

  join(waiter: Waiter): void {
    const { state } = this
    if (waiter.kind === 'ready') state.awaitReady(waiter)
    else {
      state.queue.join(waiter)
      state.overload?.joined(waiter.since, state.forecast.holdMs)
    }
    state.deadlines.add(waiter)
    this.pump()
    if (waiter.state === 'settled') return
    this.wakeBy(waiter.deadline)
    this.loseFaithLater()
  }

  /** The waiter gives up. A connect that was started for it goes on: the connection becomes idle. */
  leave(waiter: Waiter): void {
    if (waiter.state === 'settled') return
    this.withdraw(waiter)
  }

  /** What a waiter is waiting for. */
  phaseOf(waiter: Waiter): AcquirePhase {
    const { state } = this
    if (state.suspended) return 'suspended'
    if (waiter.state === 'preparing') return 'validate'
    const checking = state.counts.validating - state.preparing
    const ahead = state.queue.rank(waiter, checking + state.counts.connecting)
    if (ahead < checking) return 'validate'
    const couldConnect = state.live < state.cap || state.counts.leased + state.counts.resetting === 0
    return ahead < checking + state.counts.connecting || couldConnect ? 'connect' : 'queue'
  }

  // ---- the end of a lease

  /** The lease has ended just now, and its connection is as it should be. */
  release(slot: Slot<R, H>): void {
    const { now } = this
    slot.usedAt = now
    slot.aliveAt = now
    this.free(slot, now, 'used')
  }

  /** The lease has ended and its connection must be cleaned: `resetDone` tells how it went. */
  reset(slot: Slot<R, H>): void {
    const now = this.read()
    slot.usedAt = now
    slot.deadline = now + this.state.options.resetTimeoutMs
    this.move(slot, 'resetting', now)
    this.wakeBy(slot.deadline)
    this.loseFaithLater()
    this.pump()
  }

  resetDone(slot: Slot<R, H>, clean: boolean): void {
    if (slot.state !== 'resetting') return
    const now = this.read()
    slot.aliveAt = now
    if (clean) this.free(slot, now, 'used')
    else this.closeSlot(slot, 'dirty', now)
  }

  /** The lease has ended and its connection must not be lent again. */
  discard(slot: Slot<R, H>, reason: CloseReason): void {
    this.closeSlot(slot, reason, this.read())
  }

  /** Statements share this leased connection from now on. */
  share(slot: Slot<R, H>): void {
    slot.shared = true
    this.state.shared++
  }

  /** The connection leaves the pool alive. */
  detach(slot: Slot<R, H>): void {
    this.vanish(slot, this.read())
    this.forget()
  }

  /** Due to retire, or somebody waits with no other hope. */
  wanted(slot: Slot<R, H>): boolean {
    const { state } = this
    const now = this.read()
    if (state.suspended || dueReason(state, slot, now) !== undefined) return true
    // Who waits for a place beside others does not want this connection empty.
    if (state.queue.first === undefined || state.queue.first.shares) return false
    if (slot.shared && state.shared === 1 && state.keepsOneShared(now)) return false
    const coming = incoming(state, now) + state.idle.size
    return state.queue.size > coming && state.total >= state.cap
  }

  // ---- what came of connects, checks, hooks and closes

  /** The connect has succeeded; `slot.connection` is what it gave. */
  connected(slot: Slot<R, H>): void {
    slot.opened = true
    if (slot.state !== 'connecting') return
    const now = this.read()
    this.state.forecast.learnConnect(now - slot.since)
    slot.connectedAt = now
    slot.provenAt = now
    slot.aliveAt = now
    slot.usedAt = now
    slot.expiresAt = lifetimeEnd(this.state, slot)
    this.state.backoff.succeeded()
    this.free(slot, now, 'proven')
    this.pump()
  }

  /** Called while it is connecting. A listener that was told of the failure may have closed the pool meanwhile. */
  connectFailed(slot: Slot<R, H>, permanent: boolean): void {
    if (slot.state === 'closing') {
      if (slot.connection === undefined) this.gone(slot)
      return
    }
    const now = this.read()
    this.backOff(slot, now, permanent)
    if (slot.connection !== undefined) {
      // It stands, but `onConnect` failed on it: it counts until its socket is gone.
      this.closeSlot(slot, 'invalid', now)
      return
    }
    this.vanish(slot, now)
    this.ports.gone(slot, undefined)
    this.forget()
  }

  /** The driver noticed that the connection died. */
  lost(slot: Slot<R, H>): void {
    const { state } = slot
    if (state === 'connecting' || state === 'closing' || state === 'gone') return
    const now = this.read()
    this.suspectAll(now)
    if (state === 'idle') this.state.idle.remove(slot)
    if (state === 'leased') this.ports.revoke(slot, 'lost')
    // Who was told of that may have said the same.
    if (slot.state !== state) return
    if (state === 'validating' || state === 'resetting') this.ports.abortPhase(slot)
    this.giveUpPreparing(slot)
    this.closeSlot(slot, 'lost', now)
  }

  // ---- the pool as a whole

  resize(options: ResolvedOptions<R>): void {
    const { state } = this
    const now = this.read()
    state.options = options
    for (const slot of state.slots)
      if (slot.connection !== undefined) slot.expiresAt = lifetimeEnd(state, slot)
    const keep = Math.min(options.maxIdle ?? Number.POSITIVE_INFINITY, state.idle.size)
    while (state.idle.coldest !== undefined && (state.live > options.max || state.idle.size > keep)) {
      this.retireIdle(state.idle.coldest, 'resize', now)
    }
    this.pump()
    this.wakeBy(now)
  }

  /** No connection older than now is lent again. */
  refresh(): void {
    this.#nextGeneration('refresh')
  }

  /** The server was demoted. Many connections say so at once: the first one of its generation speaks for all. */
  stale(generation: number): void {
    if (generation < this.state.generation) return
    const now = this.read()
    if (now - this.#staleAt < STALE_EVERY_MS) return
    this.#staleAt = now
    this.#nextGeneration('stale')
  }

  suspend(): void {
    this.state.suspended = true
  }

  resume(): void {
    this.state.suspended = false
    this.pump()
  }

  /** Ends everything; leases have until the deadline. A second call can only bring the deadline forward. */
  close(drainDeadline: number): void {
    const { state } = this
    const now = this.read()
    state.closing = true
    state.drainDeadline = Math.min(state.drainDeadline, drainDeadline)
    this.refuseAll('closed')
    for (const slot of [...state.slots]) {
      if (slot.state === 'idle') this.retireIdle(slot, 'close', now)
      if (slot.state === 'connecting') this.abortConnect(slot, 'close', now)
      if (slot.state === 'validating') this.closeValidating(slot, 'close', now)
    }
    if (state.total === 0) this.ports.closed()
    else this.wakeBy(state.drainDeadline)
  }

  #nextGeneration(why: CloseReason): void {
    const { state } = this
    const now = this.read()
    state.generation++
    state.outdated = why
    for (let slot = state.idle.coldest; slot !== undefined; slot = state.idle.coldest)
      this.retireIdle(slot, why, now)
    this.pump()
  }

  #giveUpOneIdle(): boolean {
    const { coldest } = this.state.idle
    if (coldest === undefined) return false
    this.retireIdle(coldest, 'idle', this.read())
    return true
  }
}
