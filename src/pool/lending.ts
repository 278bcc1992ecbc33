import type { Driver } from '../contract/driver.ts'
import type { AcquireOptions } from '../contract/lease.ts'
import type { Engine } from '../engine/engine.ts'
import type { Slot } from '../engine/slot.ts'
import type { Caretaker, Cleaning } from './caretaker.ts'
import { holdProcess } from './hold-process.ts'
import { JoinedLeases } from './joined-leases.ts'
import type { Journal } from './journal.ts'
import type { AnyPending, Pending } from './pending.ts'
import type { Holder, Lender, PoolLease, Revocation } from './pool-lease.ts'

/** `beside` is a lease on the same connection, which the new one joins. */
export type LeaseMaker<C, L> = (
  lender: Lender<C>,
  slot: Slot<C, Holder>,
  trace: Error | undefined,
  beside?: L,
) => L

export interface LendingParts<C, L> {
  name: string
  driver: Driver<C>
  engine: Engine<C, Holder>
  journal: Journal
  caretaker: Caretaker<C, Holder>
  makeLease: LeaseMaker<C, L>
}

/** The way out of the pool and back: makes leases, and takes what they return. */
export class Lending<C, L extends PoolLease<C>> implements Lender<C> {
  readonly name: string
  readonly #driver: Driver<C>
  readonly #engine: Engine<C, Holder>
  readonly #journal: Journal
  readonly #caretaker: Caretaker<C, Holder>
  readonly #makeLease: LeaseMaker<C, L>
  readonly #joined = new JoinedLeases<C>()
  /** Those who wait with a key: the first to be served takes the others along. */
  #waitingByKey: Map<unknown, Set<Pending<L>>> | undefined = undefined

  constructor(parts: LendingParts<C, L>) {
    this.name = parts.name
    this.#driver = parts.driver
    this.#engine = parts.engine
    this.#journal = parts.journal
    this.#caretaker = parts.caretaker
    this.#makeLease = parts.makeLease
  }

  /** Four arguments and no object for them: this runs for every acquire. */
  lend(slot: Slot<C, Holder>, options: AcquireOptions, trace: Error | undefined, waitedMs: number): L {
    const lease = this.#makeLease(this, slot, trace)
    slot.holder = lease
    slot.affinity = options.affinity
    slot.label = options.label
    if (options.key !== undefined) this.#joined.join(options.key, slot, lease)
    if (this.#engine.state.options.exitWhenIdle) holdProcess(this.#driver, slot.connection as C)
    this.#journal.lent(slot.id, waitedMs)
    return lease
  }

  /** Another lease on the connection that is out under this key. */
  join(key: unknown, trace: Error | undefined): L | undefined {
    const slot = this.#joined.slotOf(key)
    if (slot === undefined) return undefined
    const lease = this.#makeLease(this, slot, trace, this.#joined.oneOf(key) as L)
    this.#joined.join(key, slot, lease)
    this.#journal.acquired++
    return lease
  }

  waits(pending: AnyPending): void {
    const { key } = pending.options
    if (key === undefined) return
    this.#waitingByKey ??= new Map()
    const same = this.#waitingByKey.get(key) ?? new Set()
    this.#waitingByKey.set(key, same.add(pending as Pending<L>))
  }

  waitsNoLonger(pending: AnyPending): void {
    const { key } = pending.options
    if (key === undefined) return
    const same = this.#waitingByKey?.get(key)
    same?.delete(pending as Pending<L>)
    if (same?.size === 0) this.#waitingByKey?.delete(key)
  }

  /** Who waits with a key under which a connection is out now. */
  waitingWith(key: unknown): Pending<L>[] {
    return [...(this.#waitingByKey?.get(key) ?? [])]
  }

  giveBack(lease: PoolLease<C>, slot: Slot<C, Holder>, quiet: Promise<unknown> | undefined): void {
    if (!this.#joined.leave(slot, lease) || !this.#ended(slot)) return
    const cleaning = this.#caretaker.cleaningOf(slot)
    if (quiet === undefined && cleaning === 'none') this.#engine.release(slot)
    else this.#mend(slot, cleaning, quiet)
  }

  #mend(slot: Slot<C, Holder>, cleaning: Cleaning, quiet: Promise<unknown> | undefined): void {
    if (quiet === undefined && cleaning === 'discard') this.#engine.discard(slot, 'dirty')
    // With statements in flight it is asked again when they have ended.
    else this.#clean(slot, quiet)
  }

  destroy(lease: PoolLease<C>, slot: Slot<C, Holder>, reason: unknown): void {
    slot.death = reason
    // Its own end is the holder's doing; those that had joined it are told of the pool's.
    const ended = this.#joined.leave(slot, lease) ? this.#ended(slot) : this.revoke(slot, 'destroyed', reason)
    if (ended) this.#engine.discard(slot, 'destroyed')
  }

  retire(slot: Slot<C, Holder>): void {
    slot.retiring = 'destroyed'
  }

  detach(lease: PoolLease<C>, slot: Slot<C, Holder>): C {
    this.#joined.leave(slot, lease)
    const connection = slot.connection as C
    if (this.#ended(slot)) {
      this.#engine.detach(slot)
      this.#journal.tell('detach', { id: slot.id })
    }
    return connection
  }

  isJoined(slot: Slot<C, Holder>): boolean {
    return this.#joined.isJoined(slot)
  }

  wanted(slot: Slot<C, Holder>): boolean {
    return this.#engine.wanted(slot)
  }

  share(slot: Slot<C, Holder>): void {
    this.#engine.share(slot)
  }

  lost(slot: Slot<C, Holder>, error: unknown): void {
    slot.death = error
    this.#engine.lost(slot)
  }

  broken(slot: Slot<C, Holder>, error: unknown): void {
    slot.death = error
    if (this.revoke(slot, 'broken', error)) this.#engine.discard(slot, 'dirty')
  }

  /** The pool ends a lease, and all that have joined it. False when nothing is left to be done with its connection. */
  revoke(slot: Slot<C, Holder>, why: Revocation, cause: unknown): boolean {
    const { holder } = slot
    if (holder === undefined) return false
    this.#joined.end(slot)
    holder.revoke(why, cause)
    return this.#ended(slot)
  }

  #clean(slot: Slot<C, Holder>, quiet: Promise<unknown> | undefined): void {
    const engine = this.#engine
    const journal = this.#journal
    engine.reset(slot)
    const since = slot.since
    this.#caretaker.clean(slot, quiet).then(
      () => {
        if (slot.state === 'resetting' && journal.heard('reset')) {
          journal.tell('reset', { id: slot.id, ms: engine.read() - since })
        }
        engine.resetDone(slot, true)
      },
      (error) => {
        if (slot.state === 'resetting') journal.tell('error', { id: slot.id, error })
        engine.resetDone(slot, false)
      },
    )
  }

  /** False when somebody who was told of it has made an end of the connection as well. */
  #ended(slot: Slot<C, Holder>): boolean {
    slot.holder = undefined
    const isHeard = this.#journal.hearsRelease
    const heldMs = (isHeard ? this.#engine.read() : this.#engine.glance()) - slot.since
    this.#journal.useTime.add(heldMs)
    this.#engine.state.forecast.learnHold(heldMs, slot)
    if (isHeard) this.#journal.tell('release', { id: slot.id, ms: heldMs })
    return slot.state === 'leased'
  }
}
