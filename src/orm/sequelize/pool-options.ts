import { assertOption, oneOf } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import { type PoolOptions, DEFAULTS as RESOLVED } from '../../contract/options.ts'
import type { SequelizePoolSettings } from './host.ts'

/** Options of `rockpoolSequelize`: rockpool's own, which go before those in Sequelize's `pool`. */
export interface SequelizePoolOptions extends PoolOptions<object> {
  /**
   * What callers get when no connection is open and the server cannot be reached: Sequelize's `ConnectionError` at once
   * (`fail`, the default, and what Sequelize itself does), or they wait for it within `acquireTimeoutMs` (`wait`), which
   * lets a short restart pass unnoticed. A wrong password fails at once with either.
   */
  unreachable?: 'fail' | 'wait'
}

/** Options for a pool that is there already. */
export interface SharedPoolOptions {
  /**
   * Whether `sequelize.close()` also closes the pool. Default false: it only stops using it, for others may go on. A pool
   * that `rockpoolSequelize` has made itself always ends with its Sequelize.
   */
  ownsPool?: boolean
}

export interface Settings {
  readonly options: PoolOptions<object>
  readonly unreachable: 'fail' | 'wait'
  /** A little before the pool's own limit, so that Sequelize's callers hear of it by an error that they know. */
  readonly connectLimitMs: number
}

/** Sequelize's own defaults, which its users know: five connections, a minute to wait, ten seconds of idleness. */
const DEFAULTS = { max: 5, min: 0, idleTimeoutMs: 10_000, acquireTimeoutMs: 60_000 }

/** @throws InvalidOptionError */
export function settingsOf(
  theirs: SequelizePoolSettings,
  { unreachable = 'fail', ...ours }: SequelizePoolOptions,
): Settings {
  assertOption('unreachable', unreachable, oneOf('fail', 'wait'))
  if (ours.reset === 'full') {
    throw new InvalidOptionError(
      'reset',
      'option "reset" is "full": that would also undo what Sequelize has set in the session when it connected; use "rollback" or a function',
    )
  }
  const given = Object.fromEntries(Object.entries(ours).filter(([, value]) => value !== undefined))
  const options: PoolOptions<object> = { name: 'sequelize', ...DEFAULTS, ...translated(theirs), ...given }
  const { connectTimeoutMs = RESOLVED.connectTimeoutMs } = options
  return { options, unreachable, connectLimitMs: Math.ceil(connectTimeoutMs * 0.9) }
}

/** To Sequelize a zero means its default, but for `min`. */
function translated({ max, min, idle, acquire, maxUses }: SequelizePoolSettings): PoolOptions<object> {
  return {
    ...(max !== undefined && { max }),
    ...(min !== undefined && { min }),
    ...(idle && { idleTimeoutMs: idle }),
    ...(acquire && { acquireTimeoutMs: acquire }),
    ...(maxUses && { maxUses }),
  }
}
