/** A heap that grows by less than this is not a leak but noise: caches that fill up, code that is compiled. */
const NOISE_BYTES = 3 * 2 ** 20

/** Watches the heap at calm moments. The first third of a run is warm-up. */
export class HeapWatch {
  readonly #samples: number[] = []

  sample(): number {
    const { gc } = globalThis as { gc?: () => void }
    if (gc === undefined) throw new Error('the heap check needs node --expose-gc')
    for (let round = 0; round < 3; round++) gc()
    const { heapUsed, external, arrayBuffers } = process.memoryUsage()
    const used = heapUsed + external + arrayBuffers
    this.#samples.push(used)
    return used
  }

  /** From the middle third to the last. */
  get growth(): number {
    const third = Math.floor(this.#samples.length / 3)
    return median(this.#samples.slice(-third)) - median(this.#samples.slice(third, 2 * third))
  }

  get violation(): string | undefined {
    if (this.growth <= NOISE_BYTES) return undefined
    return `the heap grows: ${this.#samples.map(megabytes).join(' ')} MB`
  }

  toString(): string {
    return `${megabytes(this.#samples[0] ?? 0)} -> ${megabytes(this.#samples.at(-1) ?? 0)} MB`
  }
}

function median(numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}
