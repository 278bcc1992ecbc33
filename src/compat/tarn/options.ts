import { aFunction, assertKnown, type Check, count } from '../../contract/check.ts'
import type { PoolOptions as RockpoolOptions } from '../../contract/options.ts'
import { assertFactoryOptions, assertOptionsObject } from '../factory-options.ts'
import type { TarnLog } from './events.ts'

/** Told of a new resource, or of the failure to make one. */
export type Callback<T> = (error: Error | null, resource: T) => unknown

/** Makes a resource: gives a promise, or calls back. */
// biome-ignore lint/suspicious/noConfusingVoidType: whoever calls back gives nothing.
export type CallbackOrPromise<T> = (callback: Callback<T>) => Promise<T> | T | void

/** Times are in milliseconds. */
export interface PoolOptions<T> {
  create: CallbackOrPromise<T>
  destroy: (resource: T) => unknown
  /** Asked whenever a resource is about to be lent; one for which it says no, or fails, is destroyed. */
  validate?: (resource: T) => boolean | Promise<boolean>
  /** Resources that are kept, once the first one could be made. */
  min: number
  /** Most resources that exist, those that are made or destroyed included. */
  max: number
  /** Default 30 000; then `TimeoutError`. */
  acquireTimeoutMillis?: number
  /** Default 30 000; then another attempt is made. What comes later is destroyed. */
  createTimeoutMillis?: number
  /** Default 5 000; then the resource is written off. */
  destroyTimeoutMillis?: number
  /** Default 30 000. */
  idleTimeoutMillis?: number
  /** Least time between a failed create and the next. Default: 20 ms, doubling up to 200 ms while somebody waits. */
  createRetryIntervalMillis?: number
  /** Not needed: what has come due is done when it comes due. */
  reapIntervalMillis?: number
  /** Where trouble is written that no caller is told of. Default: nowhere. */
  log?: (message: string, level: 'warn') => unknown
  /** `acquire` fails with the error of a failed create, in place of waiting for the next attempt. Default false. */
  propagateCreateError?: boolean
  /** Not in tarn: how long `destroy` waits for what is in use. Default 30 000; then it is destroyed. */
  drainTimeoutMillis?: number
  /** Not in tarn: registers who is told when a resource died by itself. Its place is free at once, lent or not. */
  onLost?: (resource: T, lost: (error: unknown) => void) => void
  /** Not in tarn: options of rockpool's own, over those that follow from the others. */
  rockpool?: RockpoolOptions<T>
}

const aTime: Check = (value) =>
  value === undefined || (Number.isSafeInteger(value) && (value as number) > 0)
    ? undefined
    : 'it must be a whole number of milliseconds above 0'
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null ? undefined : check(value)

const CHECKS: Record<keyof PoolOptions<unknown>, Check> = {
  create: aFunction,
  destroy: aFunction,
  validate: maybe(aFunction),
  min: count(0, { unlimited: false }),
  max: count(1, { unlimited: true }),
  acquireTimeoutMillis: aTime,
  createTimeoutMillis: aTime,
  destroyTimeoutMillis: aTime,
  idleTimeoutMillis: aTime,
  createRetryIntervalMillis: aTime,
  reapIntervalMillis: aTime,
  log: maybe(aFunction),
  propagateCreateError: () => undefined,
  drainTimeoutMillis: aTime,
  onLost: maybe(aFunction),
  rockpool: maybe((value) => (typeof value === 'object' ? undefined : 'it must be an object')),
}

/** @throws InvalidOptionError */
export function assertTarnOptions<T>(options: PoolOptions<T>): void {
  assertOptionsObject(options, 'create, destroy')
  assertKnown(options, Object.keys(CHECKS), 'the pool')
  assertFactoryOptions(options, CHECKS)
}

/** Tarn's words in ours. `min` is left out: nothing is opened before somebody asks for it. */
export function rockpoolOptions<T>(options: PoolOptions<T>): RockpoolOptions<T> {
  return {
    max: Math.min(options.max, Number.MAX_SAFE_INTEGER),
    acquireTimeoutMs: options.acquireTimeoutMillis ?? 30_000,
    connectTimeoutMs: options.createTimeoutMillis ?? 30_000,
    closeTimeoutMs: options.destroyTimeoutMillis ?? 5_000,
    idleTimeoutMs: options.idleTimeoutMillis ?? 30_000,
    maxLifetimeMs: Number.POSITIVE_INFINITY,
    ...options.rockpool,
  }
}

export const SILENT: TarnLog = () => {}
