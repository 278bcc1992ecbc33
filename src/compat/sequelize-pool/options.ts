import { aFunction, type Check, count } from '../../contract/check.ts'
import type { PoolOptions as RockpoolOptions } from '../../contract/options.ts'
import { assertFactoryOptions, assertOptionsObject } from '../factory-options.ts'

export type LogLevel = 'verbose' | 'info' | 'warn' | 'error'
export type FactoryLogger = (message: string, level: LogLevel) => void

/** Times are in milliseconds. */
export interface FactoryOptions<T> {
  /** Names the pool in its log. */
  name?: string
  create: () => Promise<T>
  destroy: (resource: T) => void | Promise<void>
  /** Asked whenever a used resource is about to be lent again; one for which it says no, or throws, is destroyed. */
  validate: (resource: T) => boolean
  /** Most resources that exist, those that are made or destroyed included. */
  max: number
  /** Resources that are kept, once the first one could be made. */
  min: number
  /** How often a resource is lent. Default: without limit. */
  maxUses?: number
  /** Default 30 000. */
  idleTimeoutMillis?: number
  /** Default 30 000; then `TimeoutError`. */
  acquireTimeoutMillis?: number
  /** Not needed: what has come due is done when it comes due. */
  reapIntervalMillis?: number
  /** Where it is written what happens; `true` = the console. Default false. */
  log?: FactoryLogger | boolean
  /** Not in sequelize-pool: how long `drain` waits for what is in use. Default 30 000; then it is destroyed. */
  drainTimeoutMillis?: number
  /** Not in sequelize-pool: options of rockpool's own, over those that follow from the others. */
  rockpool?: RockpoolOptions<T>
}

const aTime: Check = (value) =>
  value === undefined || value === null || (typeof value === 'number' && value >= 0)
    ? undefined
    : 'it must be a number of milliseconds from 0'

const aCount = count(0, { unlimited: true })

const CHECKS: Partial<Record<keyof FactoryOptions<unknown>, Check>> = {
  create: aFunction,
  destroy: aFunction,
  validate: aFunction,
  min: count(0, { unlimited: false }),
  max: count(1, { unlimited: true }),
  maxUses: (value) => (value === undefined || value === null ? undefined : aCount(value)),
  idleTimeoutMillis: aTime,
  acquireTimeoutMillis: aTime,
  drainTimeoutMillis: aTime,
}

/** @throws InvalidOptionError */
export function assertFactory<T>(options: FactoryOptions<T>): void {
  assertOptionsObject(options, 'create, destroy, validate')
  assertFactoryOptions(options, CHECKS)
}

/** The factory's words in ours. `min` is left out: nothing is opened before somebody asks for it. */
export function rockpoolOptions<T>(options: FactoryOptions<T>): RockpoolOptions<T> {
  const acquireTimeoutMs = options.acquireTimeoutMillis ?? 30_000
  return {
    max: Math.min(options.max, Number.MAX_SAFE_INTEGER),
    acquireTimeoutMs,
    // There is no such option: a create that hangs must not keep its place for ever, nor one that is slow be cut off.
    connectTimeoutMs: Math.max(30_000, acquireTimeoutMs),
    closeTimeoutMs: 30_000,
    idleTimeoutMs: Math.max(1, options.idleTimeoutMillis ?? 30_000),
    maxUses: Math.max(1, Math.ceil(options.maxUses ?? Number.POSITIVE_INFINITY)),
    maxLifetimeMs: Number.POSITIVE_INFINITY,
    ...options.rockpool,
  }
}
