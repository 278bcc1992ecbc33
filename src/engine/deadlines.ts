/** Something with a deadline, until it is done. */
export interface Due {
  readonly deadline: number
  readonly done: boolean
}

/** Below this size, what is done may as well stay. */
const SMALL = 64
/** All of so few are forgotten when the last is done: pools whose callers hardly ever wait keep nobody in mind. */
const FEW = 4

/**
 * A binary heap by deadline, the earliest first. What is done is only forgotten: it drops out at the top, or when more
 * than half of the heap is such. Equal timeouts arrive in order, so a push rarely moves anything.
 */
export class Deadlines<T extends Due> {
  #heap: T[] = []
  #done = 0

  /** The earliest deadline of what is not done; Infinity when there is none. */
  get earliest(): number {
    while (this.#heap[0]?.done === true) {
      this.#pop()
      this.#done--
    }
    return this.#heap[0]?.deadline ?? Number.POSITIVE_INFINITY
  }

  add(item: T): void {
    if (item.deadline === Number.POSITIVE_INFINITY) return
    const heap = this.#heap
    let at = heap.length
    // A first push would make room for seventeen: many pools never have more than one.
    if (at === 0) this.#heap = [item]
    else heap.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as T
      if (above.deadline <= item.deadline) break
      heap[at] = above
      heap[parent] = item
      at = parent
    }
  }

  /** To be told of everything that is done. */
  finished(item: T): void {
    if (item.deadline === Number.POSITIVE_INFINITY) return
    this.#done++
    if (this.#done === this.#heap.length && this.#done <= FEW) this.#clear()
    else if (this.#done > SMALL && this.#done > this.#heap.length / 2) this.#compact()
  }

  /** Takes out the next whose deadline is over. */
  takeDue(now: number): T | undefined {
    if (this.earliest > now) return undefined
    const due = this.#pop()
    // Its end will be reported as well, when it is no longer in the heap.
    this.#done--
    return due
  }

  #pop(): T | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (heap.length > 0 && last !== undefined) {
      heap[0] = last
      this.#sink(0)
    }
    return top
  }

  #sink(start: number): void {
    const heap = this.#heap
    const item = heap[start] as T
    let at = start
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) return
      const right = heap[child + 1]
      if (right !== undefined && right.deadline < (heap[child] as T).deadline) child++
      const below = heap[child] as T
      if (below.deadline >= item.deadline) return
      heap[at] = below
      heap[child] = item
      at = child
    }
  }

  #clear(): void {
    this.#heap.length = 0
    this.#done = 0
  }

  #compact(): void {
    this.#heap = this.#heap.filter((item) => !item.done)
    this.#done = 0
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#sink(at)
  }
}
