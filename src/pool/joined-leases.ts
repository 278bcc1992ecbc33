import type { Slot } from '../engine/slot.ts'
import type { Holder, PoolLease, Revocation } from './pool-lease.ts'

/** Several leases on one connection, joined by a key. */
class Joined<C> implements Holder {
  readonly key: unknown
  readonly slot: Slot<C, Holder>
  readonly leases = new Set<PoolLease<C>>()

  constructor(key: unknown, slot: Slot<C, Holder>) {
    this.key = key
    this.slot = slot
  }

  get stack(): string | undefined {
    const [oldest] = this.leases
    return oldest?.stack
  }

  revoke(why: Revocation, cause: unknown): void {
    for (const lease of this.leases) lease.revoke(why, cause)
  }
}

/** The connections that are out under a key. */
export class JoinedLeases<C> {
  #byKey: Map<unknown, Joined<C>> | undefined = undefined

  slotOf(key: unknown): Slot<C, Holder> | undefined {
    return this.#byKey?.get(key)?.slot
  }

  /** One of the leases that are out under this key. */
  oneOf(key: unknown): PoolLease<C> | undefined {
    const [lease] = this.#byKey?.get(key)?.leases ?? []
    return lease
  }

  /** Adds a lease to those with this key, the first one included. */
  join(key: unknown, slot: Slot<C, Holder>, lease: PoolLease<C>): void {
    this.#byKey ??= new Map()
    let joined = this.#byKey.get(key)
    if (joined === undefined) {
      joined = new Joined(key, slot)
      this.#byKey.set(key, joined)
      slot.holder = joined
    }
    joined.leases.add(lease)
  }

  /** Takes a lease away; true when it was the last on its connection. */
  leave(slot: Slot<C, Holder>, lease: PoolLease<C>): boolean {
    // Nearly every lease is alone.
    return slot.holder === lease || this.#isLast(slot, lease)
  }

  #isLast({ holder }: Slot<C, Holder>, lease: PoolLease<C>): boolean {
    if (!(holder instanceof Joined)) return true
    holder.leases.delete(lease)
    if (holder.leases.size > 0) return false
    this.#byKey?.delete(holder.key)
    return true
  }

  /** Ends the key: nobody joins any more. */
  end(slot: Slot<C, Holder>): void {
    if (slot.holder instanceof Joined) this.#byKey?.delete(slot.holder.key)
  }

  isJoined(slot: Slot<C, Holder>): boolean {
    return slot.holder instanceof Joined && slot.holder.leases.size > 1
  }
}
