import type { PoolAttributes } from 'oracledb'
import { assertOption, type Check, count, show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { PoolOptions as RockpoolOptions } from '../../contract/options.ts'
import type { OracleConnection, OracleDefaults } from './package.ts'

/** oracledb's options, and ours. */
export interface OraclePoolAttributes extends PoolAttributes {
  /** Options of rockpool's own, over those that follow from the others. */
  rockpool?: RockpoolOptions<OracleConnection>
}

const POOL_ONLY = [
  'poolAlias',
  'poolIncrement',
  'poolMax',
  'poolMaxPerShard',
  'poolMin',
  'poolPingInterval',
  'poolPingTimeout',
  'poolTimeout',
  'maxLifetimeSession',
  'queueMax',
  'queueRequests',
  'queueTimeout',
  'sessionCallback',
  'enableStatistics',
  'sodaMetaDataCache',
  'homogeneous',
  'rockpool',
] as const

/** What the attributes come to with the program's defaults. */
export type Settled = Required<
  Pick<
    PoolAttributes,
    | 'poolMax'
    | 'poolMin'
    | 'poolIncrement'
    | 'poolTimeout'
    | 'poolPingInterval'
    | 'poolPingTimeout'
    | 'queueMax'
    | 'queueTimeout'
    | 'stmtCacheSize'
  >
> & { maxLifetimeSession: number; enableStatistics: boolean }

/** Defaults that the package does not show. */
const UNTOLD = { maxLifetimeSession: 0, enableStatistics: false, queueMax: 500, queueTimeout: 60_000 }

const whole: Check = (value) => (Number.isInteger(value) ? undefined : 'it must be a whole number')

const CHECKS: Record<keyof Settled, Check> = {
  poolMax: count(1, { unlimited: false }),
  poolMin: count(0, { unlimited: false }),
  poolIncrement: count(0, { unlimited: false }),
  poolTimeout: count(0, { unlimited: false }),
  poolPingInterval: whole,
  poolPingTimeout: count(0, { unlimited: false }),
  queueMax: whole,
  queueTimeout: count(0, { unlimited: false }),
  stmtCacheSize: count(0, { unlimited: false }),
  maxLifetimeSession: count(0, { unlimited: false }),
  enableStatistics: () => undefined,
}

/** @throws InvalidOptionError */
export function settled(given: OraclePoolAttributes, defaults: OracleDefaults): Settled {
  if (typeof given !== 'object' || given === null)
    throw new InvalidOptionError('attributes', `createPool takes an object, not ${show(given)}`)
  const wanted = { ...UNTOLD, ...present(given) } as Record<string, unknown>
  const names = Object.keys(CHECKS) as (keyof Settled)[]
  const all = Object.fromEntries(
    names.map((name) => [name, wanted[name] ?? (defaults as unknown as Record<string, unknown>)[name]]),
  ) as unknown as Settled
  for (const name of names) assertOption(name, all[name], CHECKS[name])
  if (all.poolMin > all.poolMax)
    throw new InvalidOptionError(
      'poolMin',
      `option "poolMin" is ${all.poolMin}: it must not be above poolMax`,
    )
  return all
}

/** Pools that lend by user or by tag stay with oracledb's own. @throws InvalidOptionError */
export function assertLendable(given: OraclePoolAttributes): void {
  if (given.homogeneous === false || (given.externalAuth === true && given.user !== undefined)) {
    throw new InvalidOptionError(
      'homogeneous',
      'option "homogeneous" is false: connections of several users are lent by the pool of oracledb itself',
    )
  }
  if (typeof given.sessionCallback === 'string') {
    throw new InvalidOptionError(
      'sessionCallback',
      'option "sessionCallback" is a text: it must be a function; procedures are called by the pool of oracledb itself',
    )
  }
}

/** What a single connection is opened with. */
export function connectionAttributes(given: OraclePoolAttributes): Record<string, unknown> {
  const attributes: Record<string, unknown> = { ...given }
  for (const name of POOL_ONLY) delete attributes[name]
  return attributes
}

/** In our words, but for what the lender sees to: seconds become milliseconds, and their 0 = without limit. */
export function rockpoolOptions(settings: Settled): RockpoolOptions<OracleConnection> {
  return { ...changeableOptions(settings), connectTimeoutMs: 60_000 }
}

/** Those of them that a pool takes while it runs. */
export function changeableOptions(settings: Settled) {
  const { poolPingInterval } = settings
  return {
    max: settings.poolMax,
    min: settings.poolMin,
    acquireTimeoutMs: limit(settings.queueTimeout),
    idleTimeoutMs: limit(settings.poolTimeout * 1_000),
    maxLifetimeMs: limit(settings.maxLifetimeSession * 1_000),
    validateAfterIdleMs: poolPingInterval < 0 ? Number.POSITIVE_INFINITY : poolPingInterval * 1_000,
    validateTimeoutMs: limit(settings.poolPingTimeout),
  }
}

function limit(ms: number): number {
  return ms === 0 ? Number.POSITIVE_INFINITY : ms
}

/** What is given as undefined is not given. */
export function present(given: object): object {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
