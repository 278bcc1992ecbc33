const LARGEST_SEED = Number.MAX_SAFE_INTEGER
const TWO_32 = 2 ** 32

/**
 * A generator of numbers that look random and all follow from one seed: the same seed gives the same numbers on every
 * runtime. Not for secrets.
 */
export class Random {
  readonly seed: number
  #a: number
  #b: number
  #c = 0x9e3779b9
  #count = 1

  /** @param seed a whole number from 0 to 2^53-1 */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`a seed is a whole number from 0 to ${LARGEST_SEED}, not ${String(seed)}`)
    }
    this.seed = seed
    this.#a = (seed % TWO_32) | 0
    this.#b = Math.floor(seed / TWO_32) | 0
    // Neighbouring seeds begin alike; after a dozen rounds nothing of that is left.
    for (let round = 0; round < 12; round++) this.#word()
  }

  /** From 0 up to but not including 1. */
  next(): number {
    return this.#word() / TWO_32
  }

  /** A whole number, both ends included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least)
  }

  /** True in this share of calls: 0 never, 1 always. */
  chance(share: number): boolean {
    return this.next() < share
  }

  pick<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new RangeError('there is nothing to pick from')
    return choices[this.integer(0, choices.length - 1)] as T
  }

  /** A generator of its own: what is drawn from it later does not shift what this one gives. */
  fork(): Random {
    return new Random((this.#word() & 0x1fffff) * TWO_32 + this.#word())
  }

  // Three words are shifted and added into each other, and a counter guarantees a long period (the "small fast counting"
  // scheme): all in 32-bit integers, so that no runtime can round differently.
  #word(): number {
    const sum = (this.#a + this.#b + this.#count) | 0
    this.#count = (this.#count + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }
}
