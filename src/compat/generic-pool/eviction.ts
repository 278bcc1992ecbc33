import type { Clock, Timer } from '../../contract/clock.ts'
import type { EvictionConfig, Evictor, PooledResource } from './evictor.ts'

export interface EvictionParts<T> {
  readonly clock: Clock
  readonly evictor: Evictor<T>
  readonly config: EvictionConfig
  readonly everyMs: number
  readonly atATime: number
  readonly destroy: (resource: T) => void
}

type Known<T> = { -readonly [K in keyof PooledResource<T>]: PooledResource<T>[K] }

/** Shows the evictor a few resources that are not lent, in turn, every now and then. */
export class Eviction<T> {
  readonly #parts: EvictionParts<T>
  readonly #known = new Map<T, Known<T>>()
  /** Those that are not lent, the next to be looked at first. */
  readonly #idle = new Set<T>()
  #timer: Timer | undefined = undefined

  constructor(parts: EvictionParts<T>) {
    this.#parts = parts
  }

  start(): void {
    const { clock, everyMs } = this.#parts
    this.#timer = clock.after(everyMs, () => {
      this.#look()
      this.start()
    })
    this.#timer.unref()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  created(obj: T): void {
    const now = Date.now()
    const times = { creationTime: now, lastBorrowTime: null, lastReturnTime: null, lastIdleTime: now }
    this.#known.set(obj, { obj, ...times, state: 'IDLE' })
    this.#idle.add(obj)
  }

  borrowed(obj: T): void {
    this.#idle.delete(obj)
    const known = this.#known.get(obj)
    if (known !== undefined) known.lastBorrowTime = Date.now()
  }

  returned(obj: T): void {
    const known = this.#known.get(obj)
    if (known === undefined) return
    known.lastReturnTime = known.lastIdleTime = Date.now()
    this.#idle.add(obj)
  }

  destroyed(obj: T): void {
    this.#known.delete(obj)
    this.#idle.delete(obj)
  }

  #look(): void {
    const { evictor, config, atATime, destroy } = this.#parts
    for (const obj of [...this.#idle].slice(0, atATime)) {
      const known = this.#known.get(obj) as Known<T>
      // To the end of the line, for the next time.
      this.#idle.delete(obj)
      this.#idle.add(obj)
      if (evictor.evict(config, known, this.#idle.size)) destroy(obj)
    }
  }
}
