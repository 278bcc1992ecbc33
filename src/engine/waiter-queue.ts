import type { Waiter } from './waiter.ts'

/** The waiters of one priority, in order of arrival. */
class Level {
  readonly priority: number
  first: Waiter | undefined = undefined
  last: Waiter | undefined = undefined

  constructor(priority: number) {
    this.priority = priority
  }
}

/**
 * Waiters by priority, within one priority by arrival. Joining, leaving and serving take constant time; only a new
 * priority costs a search among the levels.
 *
 *     levels: [ 5: w3 -> w9 ] [ 0: w1 -> w2 -> w4 ... ]     first = w3
 */
export class WaiterQueue {
  readonly #ordinary = new Level(0)
  /** Highest priority first. The level of the default priority is always there. */
  readonly #levels: Level[] = [this.#ordinary]
  #arrivals = 0
  #size = 0
  /** Of those, who would be content with a place beside others, by arrival. Most pools never have any. */
  #sharing: Set<Waiter> | undefined = undefined
  #impatient = 0

  get sharing(): number {
    return this.#sharing?.size ?? 0
  }

  /** The first who would be content with a place beside others, whoever stands before it. */
  get firstSharing(): Waiter | undefined {
    if (this.#sharing === undefined || this.#sharing.size === 0) return undefined
    const [first] = this.#sharing
    return first
  }

  get size(): number {
    return this.#size
  }

  get first(): Waiter | undefined {
    if (this.#levels.length === 1) return this.#ordinary.first
    for (const level of this.#levels) if (level.first !== undefined) return level.first
    return undefined
  }

  /** The last arrival of the highest priority. */
  get newest(): Waiter | undefined {
    for (const level of this.#levels) if (level.last !== undefined) return level.last
    return undefined
  }

  /** Whoever has waited longest, whatever the priority. */
  get oldest(): Waiter | undefined {
    let oldest: Waiter | undefined
    for (const { first } of this.#levels) {
      if (first !== undefined && (oldest === undefined || first.since < oldest.since)) oldest = first
    }
    return oldest
  }

  join(waiter: Waiter): void {
    waiter.arrival = ++this.#arrivals
    const level = this.#level(waiter.priority)
    this.#insert(level, waiter, level.last)
  }

  /** Puts a waiter back where it stood. */
  rejoin(waiter: Waiter): void {
    const level = this.#level(waiter.priority)
    let after: Waiter | undefined
    for (let w = level.first; w !== undefined && w.arrival < waiter.arrival; w = w.next) after = w
    this.#insert(level, waiter, after)
  }

  remove(waiter: Waiter): void {
    const level = this.#level(waiter.priority)
    if (waiter.previous === undefined) level.first = waiter.next
    else waiter.previous.next = waiter.next
    if (waiter.next === undefined) level.last = waiter.previous
    else waiter.next.previous = waiter.previous
    waiter.next = undefined
    waiter.previous = undefined
    this.#size--
    if (waiter.shares) this.#sharing?.delete(waiter)
    if (waiter.impatient) this.#impatient--
    if (level.first === undefined && level !== this.#ordinary)
      this.#levels.splice(this.#levels.indexOf(level), 1)
  }

  /** The first of the impatient ones that has so many before it. */
  impatientBehind(many: number): Waiter | undefined {
    if (this.#impatient === 0) return undefined
    let rank = 0
    for (const level of this.#levels) {
      for (let w = level.first; w !== undefined; w = w.next) if (rank++ >= many && w.impatient) return w
    }
    return undefined
  }

  /** How many stand before this one, but never counted further than `most`. */
  rank(waiter: Waiter, most: number): number {
    let rank = 0
    for (const level of this.#levels) {
      for (let w = level.first; w !== undefined; w = w.next) {
        if (w === waiter || rank === most) return rank
        rank++
      }
    }
    return rank
  }

  #insert(level: Level, waiter: Waiter, after: Waiter | undefined): void {
    const before = after === undefined ? level.first : after.next
    waiter.previous = after
    waiter.next = before
    if (after === undefined) level.first = waiter
    else after.next = waiter
    if (before === undefined) level.last = waiter
    else before.previous = waiter
    this.#size++
    if (waiter.shares) this.#share(waiter)
    if (waiter.impatient) this.#impatient++
  }

  #share(waiter: Waiter): void {
    this.#sharing ??= new Set()
    this.#sharing.add(waiter)
  }

  #level(priority: number): Level {
    if (priority === 0) return this.#ordinary
    const at = this.#levels.findIndex((level) => level.priority <= priority)
    const found = this.#levels[at]
    if (found?.priority === priority) return found
    const level = new Level(priority)
    this.#levels.splice(at === -1 ? this.#levels.length : at, 0, level)
    return level
  }
}
