import { createResourcePool } from '../../pool/create-resource-pool.ts'
import { systemClock } from '../../pool/system-clock.ts'
import { RetryPause } from '../retry-pause.ts'
import { TarnEmitter } from './events.ts'
import { FactoryDriver } from './factory-driver.ts'
import { assertTarnOptions, type PoolOptions, rockpoolOptions, SILENT } from './options.ts'
import { TarnShape } from './shape.ts'
import { quietly } from './validator.ts'

/** A pool of what `create` makes. @throws InvalidOptionError */
export class Pool<T> extends TarnShape<T> {
  readonly #options: PoolOptions<T>
  readonly #pause: RetryPause | undefined
  #isWarm = false

  constructor(options: PoolOptions<T>) {
    assertTarnOptions(options)
    const events = new TarnEmitter<T>(options.log ?? SILENT)
    const clock = options.rockpool?.clock ?? systemClock
    const { createRetryIntervalMillis, drainTimeoutMillis = 30_000, validate } = options
    const pause =
      createRetryIntervalMillis === undefined ? undefined : new RetryPause(clock, createRetryIntervalMillis)
    const driver = new FactoryDriver<T>(options, {
      events,
      clock,
      created: () => this.#created(),
      createFailed: (error) => this.#createFailed(error),
      destroyed: () => this.shrunk(),
    })
    const permits = pause === undefined ? {} : { permits: pause }
    const pool = createResourcePool<T>(driver, { ...permits, ...rockpoolOptions(options) })
    const timeoutMs = options.acquireTimeoutMillis ?? 30_000
    const validation =
      typeof validate === 'function'
        ? { clock, timeoutMs, answersAtOnce: false, isGood: quietly(validate, events.log) }
        : undefined
    super({ pool, events, ownsPool: true, drainTimeoutMillis, validation })
    this.#options = options
    this.#pause = pause
  }

  get min(): number {
    return this.#options.min
  }

  get max(): number {
    return this.#options.max
  }

  /** Not before one could be made: a program that finds no server must be able to end. */
  #created(): void {
    if (this.#isWarm || this.pool.closed) return
    this.#isWarm = true
    this.pool.resize({ min: this.#options.min })
  }

  #createFailed(error: Error): void {
    this.#pause?.begin()
    if (this.#options.propagateCreateError === true) this.desk.createFailed(error)
  }
}
