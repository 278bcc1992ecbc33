import type { Clock } from '../../contract/clock.ts'
import { AcquireTimeoutError } from '../../contract/errors.ts'
import type { Pool as RockpoolPool } from '../../contract/pool.ts'
import type { Validation } from '../borrower.ts'
import { Drain } from '../drain.ts'
import type { FactoryDriver } from '../factory-driver.ts'
import { LendingDesk } from '../lending-desk.ts'
import { Withdrawal } from '../withdrawal.ts'
import { DestroyErrors, TimeoutError } from './errors.ts'
import type { LogLevel } from './options.ts'

export interface ShapeParts<T> {
  readonly pool: RockpoolPool<T>
  readonly ownsPool: boolean
  readonly clock: Clock
  readonly drainTimeoutMillis: number
  readonly log: (message: string, level: LogLevel) => void
  readonly limits: () => { min: number; max: number }
  readonly validation?: Validation<T>
  /** Where the pool was made here. */
  readonly driver?: FactoryDriver<T>
}

/** Any pool of rockpool, as those see it who know sequelize-pool. */
export class SequelizePoolShape<T> {
  /** The pool behind it: its `stats()`, `on` and `resize`. */
  readonly pool: RockpoolPool<T>
  protected readonly desk: LendingDesk<T>
  readonly #parts: ShapeParts<T>
  readonly #drain: Drain<T>

  constructor(parts: ShapeParts<T>) {
    this.#parts = parts
    this.pool = parts.pool
    this.desk = new LendingDesk(parts.pool, parts.validation)
    const { pool, ownsPool, clock, drainTimeoutMillis: timeoutMs, driver } = parts
    this.#drain = new Drain({ pool, ownsPool, clock, timeoutMs, desk: this.desk, driver })
  }

  get name(): string {
    return this.pool.name
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
  get using(): number {
    return this.pool.stats().leased
  }

  /** Callers that wait. */
  get waiting(): number {
    return this.pool.stats().waiting
  }

  get maxSize(): number {
    return this.#parts.limits().max
  }

  get minSize(): number {
    return this.#parts.limits().min
  }

  /** @throws TimeoutError, and what `create` throws */
  acquire(): Promise<T> {
    return (this.#drain.hasBegun ? undefined : this.desk.borrowNow()) ?? this.#wait()
  }

  /** Gives a resource back. One that is not lent is logged. */
  release(resource: T): void {
    const lease = this.desk.take(resource)
    lease?.release()
    if (lease === undefined) {
      this.#parts.log(`attempt to release a resource that is not lent: ${new Error().stack}`, 'error')
    }
  }

  /** Destroys a resource, be it lent or not. @throws what the factory's `destroy` throws */
  async destroy(resource: T): Promise<void> {
    const { driver } = this.#parts
    const reason = new Error('it was destroyed by its user')
    const lease = this.desk.take(resource)
    if (lease !== undefined) lease.destroy(reason)
    else if (driver?.lose(resource, reason) !== true) return
    await driver?.destroying(resource)
  }

  /** Refuses new callers, and resolves when those who wait have been served and what is lent has come back. */
  async drain(): Promise<void> {
    this.#parts.log('draining', 'info')
    await this.#drain.begin()
  }

  /** Destroys what is not lent; after `drain`, ends the pool, if it owns it. @throws AggregateError */
  async destroyAllNow(): Promise<void> {
    const { ownsPool, log } = this.#parts
    if (!ownsPool) return
    log('force destroying all objects', 'info')
    const outcomes = await this.#drain.clear()
    const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
    for (const error of errors) log(`Error destroying resource: ${error?.stack ?? error}`, 'error')
    if (errors.length > 0) throw new DestroyErrors(errors)
  }

  async #wait(): Promise<T> {
    this.#drain.assertLending()
    try {
      return await this.desk.borrow(new Withdrawal(), 0)
    } catch (error) {
      if (!(error instanceof AcquireTimeoutError)) throw error
      throw new TimeoutError(`Pool acquire operation timeout: ${error.message}`, { cause: error })
    }
  }
}
