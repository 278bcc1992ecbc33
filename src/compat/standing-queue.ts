import type { Lease } from '../contract/lease.ts'
import type { Pool } from '../contract/pool.ts'
import type { PoolStats } from '../contract/stats.ts'
import { AHEAD, isHeld } from './borrower.ts'

/** One acquire, which looks at the reason when it is called. */
interface Listener {
  handleEvent(): void
}

/**
 * Everybody who waits in a pool on behalf of one shape, so that a failed connect can be told to them: it is one signal for
 * all their acquires, in the order of arrival. A real AbortSignal looks through all its listeners for each that comes.
 */
export class StandingQueue {
  readonly aborted = false
  reason: unknown = undefined
  readonly #listeners = new Set<Listener>()

  /** The same object, as pools want it. */
  get signal(): AbortSignal {
    return this as unknown as AbortSignal
  }

  get size(): number {
    return this.#listeners.size
  }

  /**
   * Waits here for a lease. A connection can die on its way to its borrower, before he has had a turn: then he is next again.
   */
  acquire<R>(
    pool: Pool<R>,
    { use, fail }: { use: (lease: Lease<R>) => void; fail: (error: unknown) => void },
    priority = 0,
  ): void {
    pool.acquire({ signal: this.signal, priority }).then((lease) => {
      if (isHeld(lease)) use(lease)
      else this.acquire(pool, { use, fail }, AHEAD)
    }, fail)
  }

  addEventListener(_: 'abort', listener: Listener): void {
    this.#listeners.add(listener)
  }

  removeEventListener(_: 'abort', listener: Listener): void {
    this.#listeners.delete(listener)
  }

  /** The acquire of whoever has waited longest rejects with this. */
  refuseFirst(reason: unknown): void {
    const [first] = this.#listeners
    if (first !== undefined) this.#refuse(first, reason)
  }

  refuseAll(reason: unknown): void {
    for (const listener of [...this.#listeners]) this.#refuse(listener, reason)
  }

  /** Tells of a connect that fails: whoever is next, or all, where nobody else's connection can come back to them. */
  async telling<T>(pool: { stats(): PoolStats }, connect: () => Promise<T>): Promise<T> {
    try {
      return await connect()
    } catch (error) {
      const { idle, leased, validating, resetting, connecting } = pool.stats()
      if (idle + leased + validating + resetting === 0 && connecting <= 1) this.refuseAll(error)
      else this.refuseFirst(error)
      throw error
    }
  }

  #refuse(listener: Listener, reason: unknown): void {
    // Refusing one may have been good news for another.
    if (!this.#listeners.has(listener)) return
    this.reason = reason
    listener.handleEvent()
    this.reason = undefined
  }
}
