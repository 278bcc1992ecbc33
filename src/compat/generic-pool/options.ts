import { aFunction, assertOption, type Check, milliseconds } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { PoolOptions as RockpoolOptions } from '../../contract/options.ts'

export interface Factory<T> {
  create(): Promise<T>
  destroy(client: T): Promise<void>
  /** Asked with `testOnBorrow` and `testOnReturn`. */
  validate?(client: T): Promise<boolean>
}

/** Times are in milliseconds. What is no number means the default. */
export interface Options {
  /** Most resources that exist, those that are made or destroyed included. Default 1. */
  max?: number
  /** Resources that are kept. Default 0. */
  min?: number
  /** Callers that may wait; more are refused. Default: without limit. */
  maxWaitingClients?: number
  /** Validates a resource before it is lent. Default false. */
  testOnBorrow?: boolean
  /** Validates a resource that comes back before it is lent again. Default false. */
  testOnReturn?: boolean
  /** Default: without limit. */
  acquireTimeoutMillis?: number
  /** When a destroy is told of as failed and the resource is written off. Default 30 000. */
  destroyTimeoutMillis?: number
  /** Lends the resource that has been idle for longest. Default true. */
  fifo?: boolean
  /** Priorities that there are; 0 is served first. Default 1. */
  priorityRange?: number
  /** Makes `min` resources at once, not with the first acquire. Default true. */
  autostart?: boolean
  /** How often idle resources are looked at by the evictor. Default 0 = never. */
  evictionRunIntervalMillis?: number
  /** Resources that it looks at each time. Default 3. */
  numTestsPerEvictionRun?: number
  /** Idleness after which those above `min` are destroyed. Default -1 = off. */
  softIdleTimeoutMillis?: number
  /** Idleness after which a resource is destroyed, be it above `min` or not. Default 30 000. */
  idleTimeoutMillis?: number
  /** What promises are made with. Default: the language's. */
  Promise?: PromiseConstructorLike
  /** Not in generic-pool: how long `drain` waits for what is lent. Default 30 000; then it is destroyed. */
  drainTimeoutMillis?: number
  /** Not in generic-pool: options of rockpool's own, without its hooks, over those that follow from the others. */
  rockpool?: Omit<RockpoolOptions, 'onConnect' | 'onAcquire' | 'onRelease' | 'reset'>
}

/** Options with their defaults. */
export interface Settings {
  readonly max: number
  readonly min: number
  readonly maxWaiting: number
  readonly testOnBorrow: boolean
  readonly testOnReturn: boolean
  readonly acquireTimeoutMs: number
  readonly destroyTimeoutMs: number
  readonly drainTimeoutMs: number
  readonly fifo: boolean
  readonly priorityRange: number
  readonly autostart: boolean
  readonly evictionRunIntervalMillis: number
  readonly numTestsPerEvictionRun: number
  readonly softIdleTimeoutMillis: number
  readonly idleTimeoutMillis: number
}

export function settingsOf(given?: Options | null): Settings {
  const options = given ?? {}
  for (const name of ['maxWaitingClients', 'acquireTimeoutMillis', 'destroyTimeoutMillis'] as const)
    assertOption(name, options[name], atLeast0)
  const drainTimeoutMs = options.drainTimeoutMillis ?? 30_000
  assertOption('drainTimeoutMillis', drainTimeoutMs, milliseconds({ zero: 'wait for nobody' }))
  const max = Math.max(whole(options.max) ?? 1, 1)
  return {
    max,
    min: Math.max(0, Math.min(whole(options.min) ?? 0, max)),
    maxWaiting: whole(options.maxWaitingClients) ?? Number.POSITIVE_INFINITY,
    testOnBorrow: options.testOnBorrow === true,
    testOnReturn: options.testOnReturn === true,
    acquireTimeoutMs: whole(options.acquireTimeoutMillis || undefined) ?? Number.POSITIVE_INFINITY,
    destroyTimeoutMs: whole(options.destroyTimeoutMillis || undefined) ?? 30_000,
    drainTimeoutMs,
    fifo: typeof options.fifo === 'boolean' ? options.fifo : true,
    priorityRange: Math.max(1, whole(options.priorityRange || 1) ?? 1),
    autostart: typeof options.autostart === 'boolean' ? options.autostart : true,
    evictionRunIntervalMillis: options.evictionRunIntervalMillis || 0,
    numTestsPerEvictionRun: options.numTestsPerEvictionRun || 3,
    softIdleTimeoutMillis: options.softIdleTimeoutMillis || -1,
    idleTimeoutMillis: options.idleTimeoutMillis || 30_000,
  }
}

/** Settings in our words. */
export function rockpoolOptions<T>(settings: Settings, factory: Factory<T>): RockpoolOptions<T> {
  const { testOnReturn, fifo, autostart, min, max, maxWaiting, acquireTimeoutMs } = settings
  const options: RockpoolOptions<T> = {
    max,
    min: autostart ? min : 0,
    maxWaiting,
    acquireTimeoutMs,
    // There is no such option: a create that hangs must not keep its place for ever.
    connectTimeoutMs:
      acquireTimeoutMs === Number.POSITIVE_INFINITY ? 60_000 : Math.max(30_000, acquireTimeoutMs),
    closeTimeoutMs: settings.destroyTimeoutMs,
    idleOrder: fifo ? 'fifo' : 'lifo',
    idleTimeoutMs: Number.POSITIVE_INFINITY,
    maxLifetimeMs: Number.POSITIVE_INFINITY,
  }
  if (!testOnReturn) return options
  const reset = async (resource: T) => {
    if ((await factory.validate?.(resource)) === false) throw new Error('it failed its validation on return')
  }
  return { ...options, reset, resetTimeoutMs: 30_000 }
}

/** @throws InvalidOptionError */
export function assertFactory<T>(factory: Factory<T>, { testOnBorrow, testOnReturn }: Settings): void {
  if (typeof factory !== 'object' || factory === null) {
    throw new InvalidOptionError('factory', 'createPool takes an object with create() and destroy()')
  }
  assertOption('create', factory.create, aFunction)
  assertOption('destroy', factory.destroy, aFunction)
  if (factory.validate !== undefined || testOnBorrow || testOnReturn) {
    assertOption('validate', factory.validate, aFunction)
  }
}

const atLeast0: Check = (value) =>
  (whole(value) ?? 0) >= 0 ? undefined : 'it must be a whole number of at least 0'

function whole(value: unknown): number | undefined {
  const number = Number.parseInt(String(value), 10)
  return Number.isNaN(number) ? undefined : number
}
