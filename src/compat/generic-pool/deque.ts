/** A queue with two ends. */
export class Deque<T> implements Iterable<T> {
  readonly #items: T[] = []

  get length(): number {
    return this.#items.length
  }

  get head(): T | undefined {
    return this.#items[0]
  }

  get tail(): T | undefined {
    return this.#items.at(-1)
  }

  shift(): T | undefined {
    return this.#items.shift()
  }

  unshift(item: T): void {
    this.#items.unshift(item)
  }

  push(item: T): void {
    this.#items.push(item)
  }

  pop(): T | undefined {
    return this.#items.pop()
  }

  /** From the first to the last. */
  iterator(): IterableIterator<T> {
    return this.#items.values()
  }

  /** From the last to the first. */
  reverseIterator(): IterableIterator<T> {
    return [...this.#items].reverse().values()
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.iterator()
  }
}
