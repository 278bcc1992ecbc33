import type { Summary } from '../contract/stats.ts'

/** Buckets to each doubling: an answer is at most 6 % off. */
const STEPS = 8
const STEP_BITS = 3
/** How many durations lie in a bucket and those before it; -1 = the zeros alone. */
interface Reached {
  readonly at: number
  readonly passed: number
}

const BEFORE: Reached = { at: -1, passed: 0 }
const NONE: readonly number[] = []
/** Microseconds: the last bucket begins at 71 minutes. */
const LARGEST = 2 ** 32 - 1

/**
 * Durations in buckets that grow with the value. Nothing is allocated before the first one that is not zero.
 *
 *     0 1 2 ... 7 | 8 9 ... 15 | 16 18 ... 30 | 32 36 ... 60 | ...   microseconds
 */
export class Distribution {
  /** Of most pools nearly all: they cost no more than this. */
  #zeros = 0
  #others = 0
  #sumMs = 0
  #maxMs = 0
  #buckets: number[] | undefined = undefined
  /** The bucket that the array begins with: who counts milliseconds needs none for microseconds. */
  #first = 0

  add(ms: number): void {
    if (ms <= 0) this.#zeros++
    else this.#addOther(ms)
  }

  #addOther(ms: number): void {
    this.#others++
    this.#sumMs += ms
    if (ms > this.#maxMs) this.#maxMs = ms
    this.#fill(bucketOf(Math.min(LARGEST, Math.ceil(ms * 1000))))
  }

  get #count(): number {
    return this.#zeros + this.#others
  }

  summary(): Summary {
    const p50 = this.#reach(0.5, BEFORE)
    const p95 = this.#reach(0.95, p50)
    const p99 = this.#reach(0.99, p95)
    return {
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : this.#sumMs / this.#count,
      p50Ms: this.#middleOf(p50),
      p95Ms: this.#middleOf(p95),
      p99Ms: this.#middleOf(p99),
      maxMs: this.#maxMs,
    }
  }

  #fill(bucket: number): void {
    if (this.#buckets === undefined) {
      this.#buckets = [1]
      this.#first = bucket
      return
    }
    for (; this.#first > bucket; this.#first--) this.#buckets.unshift(0)
    const at = bucket - this.#first
    while (this.#buckets.length <= at) this.#buckets.push(0)
    this.#buckets[at] = (this.#buckets[at] as number) + 1
  }

  /** The bucket in which this share of all durations is reached, looked for from where a smaller share was. */
  #reach(share: number, { at, passed }: Reached): Reached {
    const due = Math.ceil(share * this.#count) - this.#zeros
    const buckets = this.#buckets ?? NONE
    while (passed < due && at < buckets.length - 1) {
      at++
      passed += buckets[at] as number
    }
    return { at, passed }
  }

  #middleOf({ at }: Reached): number {
    return at === -1 ? 0 : Math.min(this.#maxMs, middleOf(this.#first + at) / 1000)
  }
}

function bucketOf(us: number): number {
  if (us < STEPS) return us
  const doublings = 31 - Math.clz32(us) - STEP_BITS
  return (doublings + 1) * STEPS + ((us >>> doublings) - STEPS)
}

function middleOf(bucket: number): number {
  if (bucket < STEPS) return bucket
  const doublings = Math.floor(bucket / STEPS) - 1
  return (STEPS + (bucket % STEPS) + 0.5) * 2 ** doublings
}
