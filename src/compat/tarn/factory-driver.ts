import type { Clock } from '../../contract/clock.ts'
import type { Driver } from '../../contract/driver.ts'
import { createWith } from './create.ts'
import { stackOf, type TarnEmitter } from './events.ts'
import type { PoolOptions } from './options.ts'
import { TimeoutError } from './timeout-error.ts'

export interface Surroundings<T> {
  readonly events: TarnEmitter<T>
  readonly clock: Clock
  /** A resource has been made. */
  readonly created: () => void
  readonly createFailed: (error: Error) => void
  readonly destroyed: () => void
}

/** Makes and destroys resources with the user's functions, and tells the listeners of it. */
export class FactoryDriver<T> implements Driver<T> {
  readonly name = 'tarn'
  readonly onLost: Driver<T>['onLost']
  readonly #options: PoolOptions<T>
  readonly #around: Surroundings<T>

  constructor(options: PoolOptions<T>, around: Surroundings<T>) {
    this.#options = options
    this.#around = around
    this.onLost = options.onLost ?? undefined
  }

  async connect({ signal }: { signal: AbortSignal }): Promise<T> {
    const { events, created } = this.#around
    const eventId = events.nextId()
    events.tell('createRequest', eventId)
    const givenUp = () => this.#createFailed(eventId, new TimeoutError(this.#tooLate('create')))
    signal.addEventListener('abort', givenUp, { once: true })
    try {
      const resource = await createWith(this.#options.create)
      if (signal.aborted) return resource
      events.tell('createSuccess', eventId, resource)
      created()
      return resource
    } catch (error) {
      if (!signal.aborted) this.#createFailed(eventId, error as Error)
      throw error
    } finally {
      signal.removeEventListener('abort', givenUp)
    }
  }

  async close(resource: T): Promise<void> {
    const { events, clock, destroyed } = this.#around
    const eventId = events.nextId()
    events.tell('destroyRequest', eventId, resource)
    let told = false
    const failed = (error: unknown) => {
      if (told) return
      told = true
      events.tell('destroyFail', eventId, resource, error as Error)
      events.log(`Tarn: resource destroyer threw an exception ${stackOf(error)}`, 'warn')
    }
    const limit = clock.after(this.#options.destroyTimeoutMillis ?? 5_000, () =>
      failed(new TimeoutError(this.#tooLate('destroy'))),
    )
    try {
      await this.#options.destroy(resource)
      if (!told) events.tell('destroySuccess', eventId, resource)
    } catch (error) {
      failed(error)
    } finally {
      limit.cancel()
      destroyed()
    }
  }

  #createFailed(eventId: number, error: Error): void {
    this.#around.events.tell('createFail', eventId, error)
    this.#around.createFailed(error)
  }

  #tooLate(what: 'create' | 'destroy'): string {
    return `operation timed out: ${what} did not end within ${what}TimeoutMillis`
  }
}
