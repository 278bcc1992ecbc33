import { Deque } from './deque.ts'

/** A queue with so many priorities; 0 comes first. */
export class PriorityQueue<T> {
  readonly #lines: Deque<T>[]

  constructor(size: number) {
    this.#lines = Array.from({ length: Math.max(Math.trunc(Number(size)) || 0, 1) }, () => new Deque<T>())
  }

  get length(): number {
    return this.#lines.reduce((sum, { length }) => sum + length, 0)
  }

  get head(): T | undefined {
    return this.#lines.find(({ length }) => length > 0)?.head
  }

  get tail(): T | undefined {
    return [...this.#lines].reverse().find(({ length }) => length > 0)?.tail
  }

  enqueue(item: T, priority?: number): void {
    ;(this.#lines[lineOf(priority, this.#lines.length)] as Deque<T>).push(item)
  }

  dequeue(): T | undefined {
    return this.#lines.find(({ length }) => length > 0)?.shift()
  }
}

/** The line that a priority stands for; what is no priority is the last one's. */
export function lineOf(priority: unknown, lines: number): number {
  const line = Math.trunc(Number(priority)) || 0
  return line < 0 || line >= lines ? lines - 1 : line
}
