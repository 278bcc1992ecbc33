import type { Clock } from '../contract/clock.ts'
import type { Driver } from '../contract/driver.ts'

export interface Factory<R> {
  /** Names pools that have no name. */
  readonly name: string
  readonly create: () => R | Promise<R>
  readonly destroy: (resource: R) => unknown
  readonly clock: Clock
  /** When a destroy that has not ended is told of as failed. */
  readonly destroyTimeoutMs: number
  readonly created?: (resource: R) => void
  readonly createFailed?: (error: unknown) => void
  readonly destroyFailed?: (error: unknown) => void
}

/** Makes and destroys resources with the user's functions, and can end one wherever it is. */
export class FactoryDriver<R> implements Driver<R> {
  readonly name: string
  readonly #factory: Factory<R>
  readonly #lose = new Map<R, (error: unknown) => void>()
  readonly #destroying = new Map<R, Promise<void>>()

  constructor(factory: Factory<R>) {
    this.name = factory.name
    this.#factory = factory
  }

  async connect({ signal }: { signal: AbortSignal }): Promise<R> {
    const { create, created, createFailed } = this.#factory
    const givenUp = () => createFailed?.(signal.reason)
    signal.addEventListener('abort', givenUp, { once: true })
    try {
      const resource = await create()
      if (!signal.aborted) created?.(resource)
      return resource
    } catch (error) {
      if (!signal.aborted) createFailed?.(error)
      throw error
    } finally {
      signal.removeEventListener('abort', givenUp)
    }
  }

  onLost(resource: R, lost: (error: unknown) => void): void {
    this.#lose.set(resource, lost)
  }

  close(resource: R): Promise<void> {
    this.#lose.delete(resource)
    const destroying = this.#destroy(resource).finally(() => this.#destroying.delete(resource))
    this.#destroying.set(resource, destroying)
    return destroying
  }

  /** Ends a resource that the pool has, be it idle or lent. False: it does not have it. */
  lose(resource: R, reason: Error): boolean {
    const lost = this.#lose.get(resource)
    lost?.(reason)
    return lost !== undefined
  }

  /** The destroy of this resource that is under way. */
  destroying(resource: R): Promise<void> | undefined {
    return this.#destroying.get(resource)
  }

  /** All destroys that are under way. */
  destroyingAll(): Promise<void>[] {
    return [...this.#destroying.values()]
  }

  async #destroy(resource: R): Promise<void> {
    const { clock, destroy, destroyFailed, destroyTimeoutMs } = this.#factory
    const limit = clock.after(destroyTimeoutMs, () => destroyFailed?.(new Error('destroy timed out')))
    try {
      await destroy(resource)
    } catch (error) {
      destroyFailed?.(error)
      throw error
    } finally {
      limit.cancel()
    }
  }
}
