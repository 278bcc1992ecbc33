/** Where in the list it stands; the list's own. */
export interface Listed {
  place: number
}

/**
 * What is out, where things go out and come back all the time. A Set would be made anew every few of them, and each that was
 * thrown away keeps the next, and all that was in it, from the quick rounds of garbage collection.
 */
export class Roster<T extends Listed> implements Iterable<T> {
  readonly #listed: T[] = []

  get size(): number {
    return this.#listed.length
  }

  add(one: T): void {
    one.place = this.#listed.push(one) - 1
  }

  /** One that is in it. The last one takes its place. */
  delete(one: T): void {
    const last = this.#listed.pop() as T
    if (last === one) return
    last.place = one.place
    this.#listed[one.place] = last
  }

  [Symbol.iterator](): Iterator<T> {
    return [...this.#listed].values()
  }
}
