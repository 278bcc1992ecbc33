import type { Slot } from './slot.ts'

/**
 * Idle connections from the coldest to the warmest, linked through the slots themselves.
 *
 *     coldest <-> ... <-> warmest      add: where its last use belongs; take: from the end that `idleOrder` says
 */
export class IdleList<R, H> {
  #warmest: Slot<R, H> | undefined = undefined
  #coldest: Slot<R, H> | undefined = undefined
  #size = 0
  /** Which connection was last used with a value; only filled when callers name one. */
  #byAffinity: Map<unknown, Slot<R, H>> | undefined = undefined

  get size(): number {
    return this.#size
  }

  get warmest(): Slot<R, H> | undefined {
    return this.#warmest
  }

  get coldest(): Slot<R, H> | undefined {
    return this.#coldest
  }

  add(slot: Slot<R, H>): void {
    // One that comes back from use is the warmest; one that comes back from a check goes to where it was.
    let colder = this.#warmest
    while (colder !== undefined && colder.usedAt > slot.usedAt) colder = colder.colder
    slot.colder = colder
    slot.warmer = colder === undefined ? this.#coldest : colder.warmer
    if (slot.warmer === undefined) this.#warmest = slot
    else slot.warmer.colder = slot
    if (colder === undefined) this.#coldest = slot
    else colder.warmer = slot
    this.#size++
    if (slot.affinity === undefined) return
    this.#byAffinity ??= new Map()
    this.#byAffinity.set(slot.affinity, slot)
  }

  remove(slot: Slot<R, H>): void {
    if (slot.warmer === undefined) this.#warmest = slot.colder
    else slot.warmer.colder = slot.colder
    if (slot.colder === undefined) this.#coldest = slot.warmer
    else slot.colder.warmer = slot.warmer
    slot.colder = undefined
    slot.warmer = undefined
    this.#size--
    if (slot.affinity !== undefined && this.#byAffinity?.get(slot.affinity) === slot) {
      this.#byAffinity.delete(slot.affinity)
    }
  }

  lastUsedWith(affinity: unknown): Slot<R, H> | undefined {
    return this.#byAffinity?.get(affinity)
  }
}
