import type { Connection, PoolOptions as OriginalOptions } from 'mysql2'
import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { PoolOptions as RockpoolOptions } from '../../contract/options.ts'
import type { Mysql2Package, PoolConfig } from './package.ts'

/** What `createPool` takes: mysql2's own options, and rockpool's for those who want more. */
export interface PoolOptions extends OriginalOptions {
  /** Not in mysql2: options of rockpool's own, over those that follow from the others. */
  rockpool?: RockpoolOptions<Connection>
  /** Not in mysql2: the package `mysql2` itself, where it cannot be found: in a bundle. Default: the one that is installed. */
  module?: unknown
}

/** The pool's own words among the options, which a connection has no use for. */
const POOLS_OWN = [
  'connectionLimit',
  'idleTimeout',
  'maxIdle',
  'module',
  'pool',
  'Promise',
  'queueLimit',
  'resetOnRelease',
  'rockpool',
  'waitForConnections',
]

/** The options of a pool, read as mysql2 reads them. */
export interface Reading {
  readonly config: PoolConfig
  /** For the driver: what is about the connection. */
  readonly connection: Record<string, unknown>
  readonly rockpool: RockpoolOptions<Connection>
}

/** @throws InvalidOptionError */
export function readOptions(given: unknown, mysql2: Mysql2Package): Reading {
  const options = fieldsOf(given, mysql2)
  const connection = Object.fromEntries(Object.entries(options).filter(([name]) => !POOLS_OWN.includes(name)))
  const connectionConfig = new mysql2.ConnectionConfig({ ...connection })
  // It stays readable for those who ask for it, and out of what is printed.
  for (const secret of ['password', 'password1', 'password2', 'password3', 'passwordSha1'])
    if (secret in connectionConfig) Object.defineProperty(connectionConfig, secret, { enumerable: false })
  const connectionLimit = limit(options, 'connectionLimit', 10)
  const config: PoolConfig = {
    connectionConfig,
    waitForConnections: options.waitForConnections === undefined || Boolean(options.waitForConnections),
    connectionLimit,
    maxIdle: numberOr(options.maxIdle, connectionLimit),
    idleTimeout: numberOr(options.idleTimeout, 60_000),
    queueLimit: limit(options, 'queueLimit', 0),
    resetOnRelease: Boolean(options.resetOnRelease),
  }
  return { config, connection, rockpool: { ...translated(config), ...options.rockpool } }
}

/** mysql2's words in ours. */
function translated(config: PoolConfig): RockpoolOptions<Connection> {
  const { connectionLimit, maxIdle, idleTimeout, queueLimit, resetOnRelease, waitForConnections } = config
  const { connectTimeout = 0 } = config.connectionConfig
  return {
    max: Math.min(connectionLimit || Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    // The package's own limit comes first, with its own error.
    connectTimeoutMs: connectTimeout > 0 ? connectTimeout + 1_000 : Number.POSITIVE_INFINITY,
    maxWaiting: waitForConnections ? queueLimit || Number.POSITIVE_INFINITY : 0,
    // What is 0 for the package, at once, the pool refuses as no time at all.
    idleTimeoutMs: idleTimeout > 0 ? idleTimeout : 1,
    reset: resetOnRelease ? 'full' : 'rollback',
    ...(maxIdle < connectionLimit && { maxIdle: Math.max(maxIdle, 0) }),
  }
}

function fieldsOf(given: unknown, mysql2: Mysql2Package): PoolOptions & Record<string, unknown> {
  if (typeof given === 'string') return parse(given, mysql2)
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidOptionError('config', `createPool takes a URL or an object, not ${show(given)}`)
  }
  const { uri, ...fields } = given as PoolOptions & Record<string, unknown>
  if (uri === undefined) return fields
  const present = Object.entries(fields).filter(([, value]) => Boolean(value))
  return { ...fields, ...parse(uri, mysql2), ...Object.fromEntries(present) }
}

/** By mysql2 itself, whose message would show the URL and the password in it. */
function parse(url: string, { ConnectionConfig }: Mysql2Package): PoolOptions & Record<string, unknown> {
  try {
    const { port, ...fields } = ConnectionConfig.parseUrl(url)
    return Number.isNaN(port) ? fields : { ...fields, port }
  } catch {
    throw new InvalidOptionError(
      'uri',
      'the MySQL URL cannot be read: it is mysql://user:password@host:3306/database, and in a user name or password the characters / ? # @ : % must be written as %2F %3F %23 %40 %3A %25',
    )
  }
}

/** 0 and Infinity mean that there is none. */
function limit(options: object, name: string, otherwise: number): number {
  const given: unknown = Reflect.get(options, name)
  const value = numberOr(given, otherwise)
  if (value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value >= 0)) return value
  const must = 'it must be a whole number of at least 0 (0 = no limit)'
  throw new InvalidOptionError(name, `option "${name}" is ${show(given)}: ${must}`)
}

function numberOr(value: unknown, otherwise: number): number {
  const number = Number(value)
  return value === undefined || value === null || Number.isNaN(number) ? otherwise : number
}
