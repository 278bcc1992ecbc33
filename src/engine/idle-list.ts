import type { Slot } from './slot.ts'

/**
 * Idle connections from the coldest to the warmest, linked through the slots themselves.
 *
 *     coldest <-> ... <-> warmest      add: where its last use belongs; take: from the end that `idleOrder` says
 */
export class IdleList<R, H> {
  // Changed here alone; private fields with getters before them would be half of what taking and giving back does here.
  size = 0
  warmest: Slot<R, H> | undefined = undefined
  coldest: Slot<R, H> | undefined = undefined
  /** Which connection was last used with a value; only filled when callers name one. */
  #byAffinity: Map<unknown, Slot<R, H>> | undefined = undefined

  add(slot: Slot<R, H>): void {
    const warmest = this.warmest
    this.size++
    if (slot.affinity !== undefined) this.#remember(slot)
    // One that comes back from use is the warmest; one that comes back from a check goes to where it was.
    if (warmest !== undefined && warmest.usedAt > slot.usedAt) {
      this.#insert(slot, warmest)
      return
    }
    this.warmest = slot
    slot.colder = warmest
    if (warmest === undefined) this.coldest = slot
    else warmest.warmer = slot
  }

  remove(slot: Slot<R, H>): void {
    const { colder, warmer } = slot
    this.size--
    if (warmer === undefined) this.warmest = colder
    else warmer.colder = colder
    if (colder === undefined) this.coldest = warmer
    else colder.warmer = warmer
    slot.colder = undefined
    slot.warmer = undefined
    if (slot.affinity !== undefined) this.#forget(slot)
  }

  #insert(slot: Slot<R, H>, warmest: Slot<R, H>): void {
    let warmer = warmest
    while (warmer.colder !== undefined && warmer.colder.usedAt > slot.usedAt) warmer = warmer.colder
    const { colder } = warmer
    slot.warmer = warmer
    slot.colder = colder
    warmer.colder = slot
    if (colder === undefined) this.coldest = slot
    else colder.warmer = slot
  }

  #remember(slot: Slot<R, H>): void {
    this.#byAffinity ??= new Map()
    this.#byAffinity.set(slot.affinity, slot)
  }

  #forget(slot: Slot<R, H>): void {
    if (this.#byAffinity?.get(slot.affinity) === slot) this.#byAffinity.delete(slot.affinity)
  }

  lastUsedWith(affinity: unknown): Slot<R, H> | undefined {
    return this.#byAffinity?.get(affinity)
  }
}
