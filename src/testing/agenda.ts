import type { Timer } from '../contract/clock.ts'

/** Below this size, cancelled entries may as well stay. */
const SMALL = 64

/** Something that is to happen at a time. It is alive until it has happened or was cancelled. */
export class Entry implements Timer {
  readonly at: number
  readonly order: number
  referenced = true
  #agenda: Agenda
  #run: (() => void) | undefined

  constructor(agenda: Agenda, { at, order, run }: { at: number; order: number; run: () => void }) {
    this.#agenda = agenda
    this.at = at
    this.order = order
    this.#run = run
  }

  get alive(): boolean {
    return this.#run !== undefined
  }

  /** Gives what is to be done, once. */
  take(): (() => void) | undefined {
    const run = this.#run
    this.#run = undefined
    return run
  }

  cancel(): void {
    if (this.take() !== undefined) this.#agenda.cancelled()
  }

  ref(): void {
    this.referenced = true
  }

  unref(): void {
    this.referenced = false
  }
}

/**
 * Entries by time, equal times in the order of their creation: a binary heap. A cancelled entry is only forgotten: it
 * drops out at the top, or when more than half of the heap is such.
 */
export class Agenda {
  #heap: Entry[] = []
  #cancelled = 0

  /** How many entries are alive. */
  get size(): number {
    return this.#heap.length - this.#cancelled
  }

  /** How many of them keep the process alive. */
  get referenced(): number {
    let count = 0
    for (const entry of this.#heap) if (entry.alive && entry.referenced) count++
    return count
  }

  add(at: number, order: number, run: () => void): Entry {
    const entry = new Entry(this, { at, order, run })
    const heap = this.#heap
    let place = heap.length
    heap.push(entry)
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = heap[parent] as Entry
      if (!before(entry, above)) break
      heap[place] = above
      heap[parent] = entry
      place = parent
    }
    return entry
  }

  /** The first entry that is alive. */
  peek(): Entry | undefined {
    for (;;) {
      const top = this.#heap[0]
      if (top === undefined || top.alive) return top
      this.#removeTop()
      this.#cancelled--
    }
  }

  /** Takes out the entry that `peek` gave. */
  shift(): void {
    this.#removeTop()
  }

  /** An entry was cancelled. */
  cancelled(): void {
    this.#cancelled++
    if (this.#cancelled > SMALL && this.#cancelled > this.#heap.length / 2) this.#compact()
  }

  #removeTop(): void {
    const last = this.#heap.pop()
    if (this.#heap.length > 0 && last !== undefined) {
      this.#heap[0] = last
      this.#sink(0)
    }
  }

  #sink(start: number): void {
    const heap = this.#heap
    const entry = heap[start] as Entry
    let place = start
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) return
      const right = heap[child + 1]
      if (right !== undefined && before(right, heap[child] as Entry)) child++
      const below = heap[child] as Entry
      if (!before(below, entry)) return
      heap[place] = below
      heap[child] = entry
      place = child
    }
  }

  #compact(): void {
    this.#heap = this.#heap.filter((entry) => entry.alive)
    this.#cancelled = 0
    for (let place = (this.#heap.length >> 1) - 1; place >= 0; place--) this.#sink(place)
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
