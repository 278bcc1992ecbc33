import {
  aBoolean,
  aFunction,
  aName,
  assertKnown,
  assertObject,
  assertOption,
  between,
  type Check,
  count,
  milliseconds,
  oneOf,
  shapedLike,
} from './check.ts'
import type { Driver } from './driver.ts'
import { InvalidOptionError } from './errors.ts'
import type { AcquireOptions } from './lease.ts'
import { DEFAULTS, type PoolOptions, type ResizeOptions, type ResolvedOptions } from './options.ts'
import type { ReadyOptions } from './pool.ts'

const off = { zero: '0 = off' }

const CHECKS: Record<keyof PoolOptions, Check> = {
  name: aName,
  min: count(0, { unlimited: false }),
  max: count(1, { unlimited: false }),
  maxOverflow: count(0, { unlimited: true }),
  maxIdle: count(0, { unlimited: true }),
  acquireTimeoutMs: milliseconds({ zero: '0 = an idle connection or failure at once' }),
  connectTimeoutMs: milliseconds(),
  validateTimeoutMs: milliseconds(),
  resetTimeoutMs: milliseconds(),
  closeTimeoutMs: milliseconds(),
  maxWaiting: count(0, { unlimited: true }),
  idleTimeoutMs: milliseconds(),
  maxLifetimeMs: milliseconds(),
  lifetimeJitter: between(0, 1),
  maxUses: count(1, { unlimited: true, infinity: 'never' }),
  validateAfterIdleMs: milliseconds({ zero: '0 = always' }),
  keepaliveMs: milliseconds(off),
  idleOrder: oneOf('lifo', 'fifo'),
  reset: (value) =>
    typeof value === 'function'
      ? undefined
      : oneOf('rollback', 'full', 'none')(value) && 'it must be "rollback", "full", "none" or a function',
  onConnect: aFunction,
  onAcquire: aFunction,
  onRelease: aFunction,
  leakThresholdMs: milliseconds(off),
  multiplex: oneOf('auto', 'off'),
  pooler: oneOf('none', 'transaction', 'session'),
  overload: oneOf('queue', 'shed'),
  exitWhenIdle: aBoolean,
  clock: shapedLike('now', 'after', 'afterPoll'),
  permits: shapedLike('take', 'give', 'onFree', 'onWanted'),
}

export const OPTION_NAMES = Object.keys(CHECKS) as (keyof PoolOptions)[]

const RESIZABLE = OPTION_NAMES.filter(
  (name) => name.endsWith('Ms') || ['min', 'max', 'maxIdle', 'maxOverflow'].includes(name),
)

/**
 * Fills in the defaults. `undefined` means the default, 0 is respected.
 * @throws InvalidOptionError for what is unknown, impossible or not possible with this driver.
 */
export function resolveOptions<C>(given: PoolOptions<C>, driver: Driver<C>): ResolvedOptions<C> {
  assertKnown(given, OPTION_NAMES, 'the pool')
  const options = over<ResolvedOptions<C>>(DEFAULTS, checked(given))
  assertTogether(options)
  assertPossible(options, driver)
  return Object.freeze(options)
}

/** The options as they are after a `resize`: all or nothing. */
export function resizeOptions<C>(
  current: ResolvedOptions<C>,
  change: ResizeOptions,
  driver: Driver<C>,
): ResolvedOptions<C> {
  assertKnown(change, RESIZABLE, 'resize')
  const options = over<ResolvedOptions<C>>(DEFAULTS, { ...current, ...checked(change) })
  assertTogether(options)
  assertPossible(options, driver)
  return Object.freeze(options)
}

/** What is given, and the defaults behind it: a pool that keeps to them should not carry a copy. */
function over<T>(defaults: object, given: object): T {
  return Object.create(defaults, Object.getOwnPropertyDescriptors(given))
}

function checked(given: object): object {
  const present = Object.entries(given).filter(([, value]) => value !== undefined)
  for (const [name, value] of present) assertOption(name, value, CHECKS[name as keyof PoolOptions])
  return Object.fromEntries(present)
}

function assertTogether({ min, max, maxIdle }: Pick<PoolOptions, 'min' | 'max' | 'maxIdle'>): void {
  if (min !== undefined && max !== undefined && min > max) {
    throw new InvalidOptionError('min', `option "min" is ${min}: it must not be above max (${max})`)
  }
  if (min !== undefined && maxIdle !== undefined && maxIdle < min) {
    throw new InvalidOptionError(
      'maxIdle',
      `option "maxIdle" is ${maxIdle}: it must not be below min (${min})`,
    )
  }
}

function assertPossible<C>(options: ResolvedOptions<C>, driver: Driver<C>): void {
  const refuse = (option: keyof PoolOptions, problem: string): never => {
    throw new InvalidOptionError(option, `option "${option}" is ${String(options[option])}: ${problem}`)
  }
  if (options.pooler === 'transaction' && options.reset === 'full') {
    refuse('reset', 'behind a pooler that lends by transaction there is no session to reset; use "rollback"')
  }
  if (options.exitWhenIdle && driver.unref === undefined)
    refuse('exitWhenIdle', `the driver "${driver.name}" has no unref`)
  if (options.keepaliveMs > 0 && driver.isAlive === undefined)
    refuse('keepaliveMs', `the driver "${driver.name}" has no isAlive`)
  if (options.reset === 'full' && driver.reset === undefined)
    refuse('reset', `the driver "${driver.name}" has no reset`)
}

export const ACQUIRE_NAMES: readonly (keyof AcquireOptions)[] = [
  'timeoutMs',
  'signal',
  'priority',
  'key',
  'affinity',
  'readOnly',
  'label',
]
const KNOWN_TO_ACQUIRE: ReadonlySet<string> = new Set(ACQUIRE_NAMES)

/** Checks the arguments of one acquire. */
export function assertAcquire(options: AcquireOptions): void {
  assertObject(options, 'acquire')
  const { priority, label } = options
  for (const name in options) if (!KNOWN_TO_ACQUIRE.has(name)) assertKnown(options, ACQUIRE_NAMES, 'acquire')
  assertWait(options)
  if (priority !== undefined && !Number.isFinite(priority)) {
    throw new InvalidOptionError(
      'priority',
      `option "priority" is ${String(priority)}: it must be a finite number`,
    )
  }
  if (label !== undefined && typeof label !== 'string') {
    throw new InvalidOptionError('label', `option "label" is ${String(label)}: it must be a text`)
  }
}

const READY_NAMES: readonly (keyof ReadyOptions)[] = ['timeoutMs', 'signal']

/** Checks the arguments of `ready`. */
export function assertReady(options: ReadyOptions): void {
  assertKnown(options, READY_NAMES, 'ready')
  assertWait(options)
}

/** For how long somebody waits. */
function assertWait({ timeoutMs, signal }: ReadyOptions): void {
  if (timeoutMs !== undefined) assertOption('timeoutMs', timeoutMs, CHECKS.acquireTimeoutMs)
  if (signal !== undefined)
    assertOption('signal', signal, shapedLike('addEventListener', 'removeEventListener'))
}
