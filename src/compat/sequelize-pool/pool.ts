import type { Clock } from '../../contract/clock.ts'
import { createResourcePool } from '../../pool/create-resource-pool.ts'
import { systemClock } from '../../pool/system-clock.ts'
import { FactoryDriver } from '../factory-driver.ts'
import { NewResources } from '../new-resources.ts'
import { assertFactory, type FactoryOptions, type LogLevel, rockpoolOptions } from './options.ts'
import { SequelizePoolShape } from './shape.ts'

/** A pool of what `create` makes. @throws InvalidOptionError */
export class Pool<T> extends SequelizePoolShape<T> {
  readonly #options: FactoryOptions<T>
  #isWarm = false

  constructor(options: FactoryOptions<T>) {
    assertFactory(options)
    const clock = options.rockpool?.clock ?? systemClock
    const { drainTimeoutMillis = 30_000, min, max } = options
    const log = logger(options)
    const fresh = new NewResources<T>(clock)
    const driver = new FactoryDriver<T>({
      name: 'sequelize-pool',
      create: options.create,
      destroy: options.destroy,
      clock,
      destroyTimeoutMs: 30_000,
      created: (resource) => {
        fresh.add(resource)
        this.#created()
      },
      createFailed: (error) => this.desk.createFailed(error),
      destroyFailed: (error) => log(`destroying a resource failed: ${error}`, 'error'),
    })
    const pool = createResourcePool<T>(driver, rockpoolOptions(options))
    const validation = validationOf(options, { clock, fresh, log })
    const limits = () => ({ min, max })
    super({ pool, ownsPool: true, clock, drainTimeoutMillis, log, limits, validation, driver })
    this.#options = options
  }

  override get name(): string {
    return this.#options.name as string
  }

  /** Not before one could be made: a program that finds no server must be able to end. */
  #created(): void {
    if (this.#isWarm || this.pool.closed) return
    this.#isWarm = true
    this.pool.resize({ min: this.#options.min })
  }
}

type Log = (message: string, level: LogLevel) => void

function validationOf<T>(
  { validate, acquireTimeoutMillis }: FactoryOptions<T>,
  { clock, fresh, log }: { clock: Clock; fresh: NewResources<T>; log: Log },
) {
  const isGood = (resource: T): boolean => {
    if (fresh.take(resource)) return true
    try {
      return Boolean(validate(resource))
    } catch (error) {
      log(`validate failed: ${error}`, 'error')
      return false
    }
  }
  return { clock, timeoutMs: acquireTimeoutMillis ?? 30_000, answersAtOnce: true, isGood }
}

function logger<T>({ log, name = '' }: FactoryOptions<T>): Log {
  if (typeof log === 'function') return log
  if (log !== true) return () => {}
  return (message, level) => console.log(`${level.toUpperCase()} pool ${name} - ${message}`)
}
