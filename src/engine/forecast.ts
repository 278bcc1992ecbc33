import type { Slot } from './slot.ts'

/** How much the latest duration counts. */
const WEIGHT = 0.3
/** A lease may be late by this share of a connect before it is no longer counted on: waiting for it costs no more than that. */
const GRACE = 0.05
/** Without history, leases under way are given the grace only where they are outnumbered like this. */
const CROWD = 4

/**
 * Foretells which waiters the leases under way will serve before a new connection could: for those none is opened. It
 * knows how long leases and connects took so far.
 */
export class Forecast {
  // NaN as long as nobody knows: a field that is now a number and now undefined costs an allocation at each change.
  #holdMs = Number.NaN
  #connectMs = Number.NaN

  /** How long a connect takes; 0 as long as nobody knows. */
  get connectMs(): number {
    return this.#connectMs || 0
  }

  /** How long a lease is out; 0 as long as nobody knows. */
  get holdMs(): number {
    return this.#holdMs || 0
  }

  /** How long a shared connection is out says nothing of what a caller does. */
  learnHold(ms: number, { shared }: { readonly shared: boolean }): void {
    if (shared) return
    this.#holdMs = Number.isNaN(this.#holdMs) ? ms : this.#holdMs + WEIGHT * (ms - this.#holdMs)
  }

  learnConnect(ms: number): void {
    this.#connectMs = Number.isNaN(this.#connectMs) ? ms : this.#connectMs + WEIGHT * (ms - this.#connectMs)
  }

  /** When this lease is no longer expected back. */
  lateAt(slot: Slot): number {
    return slot.since + Math.max(this.holdMs, 0) + GRACE * this.connectMs
  }

  /** How many waiters these leases will have served by the time that a connect started now would be done. */
  servedBy(
    leases: Iterable<Slot>,
    { leased, waiters, now }: { leased: number; waiters: number; now: number },
  ): number {
    const window = this.connectMs
    if (leased === 0) return 0
    if (Number.isNaN(this.#holdMs) && waiters <= CROWD * leased) return 0
    const { holdMs } = this
    let served = 0
    for (const slot of leases) {
      if (slot.state !== 'leased' || slot.shared || now >= this.lateAt(slot)) continue
      const backInMs = Math.max(0, slot.since + holdMs - now)
      if (backInMs < window) served += 1 + (window - backInMs) / Math.max(holdMs, 0.001)
      if (served >= waiters) return waiters
    }
    return Math.floor(served)
  }
}
