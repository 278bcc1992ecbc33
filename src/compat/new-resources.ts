import type { Clock } from '../contract/clock.ts'

/** For this long nobody expects a new resource to have died. */
const FRESH_MS = 1_000

/** Resources that were made just now, and need no validation when they are lent for the first time. */
export class NewResources<R> {
  readonly #clock: Clock
  readonly #madeAt = new Map<R, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(resource: R): void {
    const now = this.#clock.now()
    for (const [other, at] of this.#madeAt) if (now - at > FRESH_MS) this.#madeAt.delete(other)
    this.#madeAt.set(resource, now)
  }

  /** Whether it was new. From now on it is not. */
  take(resource: R): boolean {
    if (this.#madeAt.size === 0) return false
    const at = this.#madeAt.get(resource)
    if (at === undefined) return false
    this.#madeAt.delete(resource)
    return this.#clock.now() - at <= FRESH_MS
  }
}
