import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { PoolOptions } from '../../contract/options.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import type { KeptOptions, PgPoolOptions } from './types.ts'

/** A server that accepts and says nothing would be waited for without end. */
const SILENT_SERVER_MS = 30_000
/** Statements that were not awaited before `release` may take this long to end. */
const LEFT_RUNNING_MS = 30_000

type Given = PgPoolOptions & Record<string, unknown>

/** As pg-pool keeps them: the defaults filled in, the password and the private key where no log finds them. */
export function keptOptions(given: unknown): KeptOptions {
  if (given !== undefined && given !== null && typeof given !== 'object')
    throw new InvalidOptionError(
      'options',
      `the options of the pool are ${show(given)}: they must be an object`,
    )
  const options = { ...(given as Given | undefined) }
  if ('password' in options) hide(options, 'password')
  const { ssl } = options
  if (typeof ssl === 'object' && ssl !== null && 'key' in ssl) {
    // The user's own object stays as it is.
    options.ssl = { ...ssl }
    hide(options.ssl, 'key')
  }
  // A timer of pg's own would fire at once.
  if (options.connectionTimeoutMillis === Number.POSITIVE_INFINITY) options.connectionTimeoutMillis = 0
  return Object.assign(options, {
    max: number(options, 'max') || number(options, 'poolSize') || 10,
    min: number(options, 'min'),
    maxUses: number(options, 'maxUses') || Number.POSITIVE_INFINITY,
    allowExitOnIdle: Boolean(options.allowExitOnIdle),
    maxLifetimeSeconds: number(options, 'maxLifetimeSeconds'),
    idleTimeoutMillis:
      options.idleTimeoutMillis === undefined ? 10_000 : number(options, 'idleTimeoutMillis'),
  })
}

/** The same in our words. 0 is pg-pool's word for never. */
export function poolOptions(options: KeptOptions): PoolOptions<PgClient> {
  const patience = number(options, 'connectionTimeoutMillis')
  return {
    min: options.min,
    max: Math.min(options.max, Number.MAX_SAFE_INTEGER),
    maxUses: options.maxUses,
    acquireTimeoutMs: patience || Number.POSITIVE_INFINITY,
    connectTimeoutMs: patience || SILENT_SERVER_MS,
    resetTimeoutMs: LEFT_RUNNING_MS,
    idleTimeoutMs: options.idleTimeoutMillis || Number.POSITIVE_INFINITY,
    maxLifetimeMs: options.maxLifetimeSeconds * 1_000 || Number.POSITIVE_INFINITY,
    exitWhenIdle: options.allowExitOnIdle,
    ...options.rockpool,
  }
}

/** From the environment numbers come as texts, and as nothing or NaN where it has none: pg-pool takes them all. */
function number(options: object, name: string): number {
  const given: unknown = Reflect.get(options, name)
  if (!given) return 0
  const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
  if (typeof value === 'number' && value >= 0) return value
  throw new InvalidOptionError(name, `option "${name}" is ${show(given)}: it must be a number of at least 0`)
}

function hide(from: object, name: string): void {
  const value: unknown = Reflect.get(from, name)
  Object.defineProperty(from, name, { configurable: true, enumerable: false, writable: true, value })
}
