/** First in, first out, without moving anything: a ring that doubles when it is full. */
export class Ring<T> {
  #items: (T | undefined)[] = new Array(16)
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: T): void {
    if (this.#size === this.#items.length) this.#grow()
    this.#items[(this.#head + this.#size++) & (this.#items.length - 1)] = item
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#items.length - 1)
    this.#size--
    return item
  }

  #grow(): void {
    const old = this.#items
    this.#items = [...old.slice(this.#head), ...old.slice(0, this.#head), ...new Array(old.length)]
    this.#head = 0
  }
}

/**
 * The least that a correct pool can do: a stack of idle resources, a ring of waiters, one promise for each acquire.
 * No deadline, no growth, no lease, no check, no counter.
 */
export class RingPool<R> {
  readonly #idle: R[]
  readonly #waiting = new Ring<(resource: R) => void>()

  constructor(resources: readonly R[]) {
    this.#idle = [...resources]
  }

  acquire(): Promise<R> {
    const resource = this.#idle.pop()
    if (resource !== undefined) return Promise.resolve(resource)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  tryAcquire(): R | undefined {
    return this.#idle.pop()
  }

  release(resource: R): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#idle.push(resource)
    else next(resource)
  }
}
