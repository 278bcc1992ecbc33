import { EventEmitter } from 'node:events'
import type { Clock } from '../../contract/clock.ts'
import { AcquireTimeoutError, QueueFullError } from '../../contract/errors.ts'
import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import type { Validation } from '../borrower.ts'
import { Drain } from '../drain.ts'
import type { FactoryDriver } from '../factory-driver.ts'
import { LendingDesk } from '../lending-desk.ts'
import { Withdrawal } from '../withdrawal.ts'
import type { Eviction } from './eviction.ts'
import { lineOf } from './priority-queue.ts'

export interface ShapeParts<T> {
  readonly pool: RockpoolPool<T>
  readonly ownsPool: boolean
  readonly clock: Clock
  readonly drainTimeoutMs: number
  readonly priorityRange: number
  readonly limits: () => { min: number; max: number }
  readonly validation?: Validation<T> | undefined
  readonly eviction?: Eviction<T> | undefined
  /** Where the pool was made here. */
  readonly driver?: FactoryDriver<T>
}

const DONE = Promise.resolve()

/** Any pool of rockpool, as those see it who know generic-pool. */
export class GenericPoolShape<T> extends EventEmitter {
  /** The pool behind it: its `stats()`, `on` and `resize`. */
  readonly pool: RockpoolPool<T>
  protected readonly desk: LendingDesk<T>
  readonly #parts: ShapeParts<T>
  readonly #drain: Drain<T>

  constructor(parts: ShapeParts<T>) {
    super()
    this.#parts = parts
    this.pool = parts.pool
    this.desk = new LendingDesk(parts.pool, parts.validation)
    const { pool, ownsPool, clock, drainTimeoutMs: timeoutMs, driver } = parts
    this.#drain = new Drain({ pool, ownsPool, clock, timeoutMs, desk: this.desk, driver })
  }

  /** Resources that could still be made. */
  get spareResourceCapacity(): number {
    return this.max - this.size
  }

  /** All resources, those included that are being made. */
  get size(): number {
    const { total, closing } = this.pool.stats()
    return total - closing
  }

  /** Resources that wait to be lent. */
  get available(): number {
    return this.pool.stats().idle
  }

  /** Resources that are lent. */
  get borrowed(): number {
    return this.pool.stats().leased
  }

  /** Callers that wait. */
  get pending(): number {
    return this.pool.stats().waiting
  }

  get max(): number {
    return this.#parts.limits().max
  }

  get min(): number {
    return this.#parts.limits().min
  }

  /** Keeps `min` resources from now on, where `autostart` is off. */
  start(): void {}

  /**
   * Asks for a resource; 0 is the highest priority.
   * @throws an error called TimeoutError, or one that says that too many wait or that the pool is draining
   */
  acquire(priority?: number): Promise<T> {
    this.start()
    const idle =
      this.#drain.hasBegun || this.#parts.eviction !== undefined ? undefined : this.desk.borrowNow()
    return this.promise(idle ?? this.#acquire(priority))
  }

  /** Gives a resource back. Rejects for what is not lent; who does not look at that is not harmed. */
  release(resource: T): Promise<void> {
    const lease = this.desk.take(resource)
    if (lease === undefined) return this.#notLent()
    this.#parts.eviction?.returned(resource)
    lease.release()
    return this.promise(DONE)
  }

  /** Destroys a lent resource. Rejects for what is not lent; who does not look at that is not harmed. */
  destroy(resource: T): Promise<void> {
    const lease = this.desk.take(resource)
    if (lease === undefined) return this.#notLent()
    lease.destroy(new Error('it was destroyed by its user'))
    return this.promise(Promise.resolve())
  }

  /** Lends a resource for as long as `work` runs. It is destroyed if `work` fails, even if it throws at once. */
  use<U>(work: (resource: T) => U | Promise<U>, priority?: number): Promise<U> {
    return this.promise(this.#use(work, priority))
  }

  isBorrowedResource(resource: T): boolean {
    return this.desk.isLent(resource)
  }

  /** Refuses new callers, and resolves when those who wait have been served and what is lent has come back. */
  drain(): Promise<void> {
    return this.promise(this.#end())
  }

  /** Destroys what is not lent; after `drain`, ends the pool, if it owns it. */
  clear(): Promise<void> {
    return this.promise(this.#clear())
  }

  /** Resolves when `min` resources are there. @throws what `pool.ready` throws */
  ready(): Promise<void> {
    this.start()
    return this.promise(this.min === 0 ? Promise.resolve() : this.pool.ready())
  }

  /** The draining has begun. */
  protected get draining(): boolean {
    return this.#drain.hasBegun
  }

  /** Of the kind that the user wants. */
  protected promise<V>(promise: Promise<V>): Promise<V> {
    return promise
  }

  #notLent(): Promise<never> {
    const rejected = Promise.reject(new Error('Resource not currently part of this pool'))
    const shown = this.promise(rejected)
    for (const one of [rejected, shown]) one.then(undefined, () => {})
    return shown
  }

  async #acquire(priority: number | undefined): Promise<T> {
    const { priorityRange, eviction } = this.#parts
    this.#drain.assertLending()
    const line = priority ? lineOf(priority, priorityRange) : 0
    try {
      const resource = await this.desk.borrow(new Withdrawal(), line === 0 ? 0 : -line)
      eviction?.borrowed(resource)
      return resource
    } catch (error) {
      throw translated(error)
    }
  }

  async #use<U>(work: (resource: T) => U | Promise<U>, priority: number | undefined): Promise<U> {
    const resource = await this.acquire(priority)
    try {
      const result = await work(resource)
      this.release(resource)
      return result
    } catch (error) {
      this.destroy(resource)
      throw error
    }
  }

  async #end(): Promise<void> {
    await this.#drain.begin()
    this.#parts.eviction?.stop()
  }

  async #clear(): Promise<void> {
    if (this.#parts.ownsPool) await this.#drain.clear()
  }
}

/** Our errors as its users know them. */
function translated(error: unknown): unknown {
  if (error instanceof QueueFullError) return new Error('max waitingClients count exceeded', { cause: error })
  if (!(error instanceof AcquireTimeoutError)) return error
  const timeout = new Error(`ResourceRequest timed out: ${error.message}`, { cause: error })
  timeout.name = 'TimeoutError'
  return timeout
}
