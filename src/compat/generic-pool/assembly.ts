import type { Clock } from '../../contract/clock.ts'
import { createResourcePool } from '../../pool/create-resource-pool.ts'
import { systemClock } from '../../pool/system-clock.ts'
import { FactoryDriver } from '../factory-driver.ts'
import { Eviction } from './eviction.ts'
import type { Evictor } from './evictor.ts'
import { type Factory, type Options, rockpoolOptions, type Settings } from './options.ts'
import type { ShapeParts } from './shape.ts'
import { validationOf } from './validator.ts'

type FactoryEvent = 'factoryCreateError' | 'factoryDestroyError'

export interface Wishes<T> {
  readonly factory: Factory<T>
  readonly settings: Settings
  readonly rockpool: Options['rockpool']
  readonly makeEvictor: () => Evictor<T>
  readonly tell: (event: FactoryEvent, error: unknown) => void
}

/** A pool for this factory, with all that the shape needs around it. */
export function assemble<T>(wishes: Wishes<T>): ShapeParts<T> {
  const { factory, settings, rockpool } = wishes
  const clock = rockpool?.clock ?? systemClock
  const eviction = evictionOf(wishes, clock, (resource) => driver.lose(resource, new Error('it was evicted')))
  const driver = driverOf(wishes, clock, eviction)
  const pool = createResourcePool<T>(driver, { ...rockpoolOptions(settings, factory), ...rockpool })
  const { drainTimeoutMs, priorityRange, testOnBorrow } = settings
  const validation = testOnBorrow ? validationOf(factory, settings, clock) : undefined
  const limits = () => settings
  return { pool, ownsPool: true, clock, drainTimeoutMs, priorityRange, limits, validation, eviction, driver }
}

function evictionOf<T>(
  { settings, makeEvictor }: Wishes<T>,
  clock: Clock,
  destroy: (resource: T) => void,
): Eviction<T> | undefined {
  const { evictionRunIntervalMillis: everyMs, numTestsPerEvictionRun: atATime } = settings
  if (everyMs <= 0) return undefined
  return new Eviction<T>({ clock, evictor: makeEvictor(), config: settings, everyMs, atATime, destroy })
}

function driverOf<T>(
  { factory, settings, tell }: Wishes<T>,
  clock: Clock,
  eviction: Eviction<T> | undefined,
) {
  return new FactoryDriver<T>({
    name: 'generic-pool',
    create: () => factory.create(),
    destroy: (resource) => {
      eviction?.destroyed(resource)
      return factory.destroy(resource)
    },
    clock,
    destroyTimeoutMs: settings.destroyTimeoutMs,
    created: (resource) => eviction?.created(resource),
    createFailed: (error) => tell('factoryCreateError', error),
    destroyFailed: (error) => tell('factoryDestroyError', error),
  })
}
