import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'

/** How the values of one type are read. */
export interface TypeParser {
  /** The type's name in `pg_type`, such as `int8`. */
  readonly name: string
  readonly parse: (value: string) => unknown
}

type Timeout = number | 'DISABLE_TIMEOUT'

/** What of Slonik's configuration a driver reads. */
export interface DriverConfiguration {
  readonly connectionUri: string
  readonly typeParsers: readonly TypeParser[]
  readonly statementTimeout: Timeout
  readonly idleInTransactionSessionTimeout: Timeout
  readonly gracefulTerminationTimeout?: number
  readonly resetConnection?: (connection: { query: (sql: string) => Promise<void> }) => Promise<void>
  readonly maxPoolSize?: number
  readonly minPoolSize?: number
  readonly ssl?: unknown
  readonly password?: unknown
}

/** Slonik's defaults: what differs from them was asked for. */
const DEFAULTS = { maxPoolSize: 10, minPoolSize: 0, ssl: undefined, password: undefined } as const

/**
 * What is asked for here and would not happen must not be believed to have happened.
 * @throws InvalidOptionError
 */
export function assertPoolDecides(configuration: DriverConfiguration): void {
  for (const name of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    const given = configuration[name]
    if (given === undefined || given === DEFAULTS[name]) continue
    const value = name === 'password' ? 'given' : show(given)
    const problem = `"${name}" of Slonik's options is ${value}, and the pool has its own: leave it out here, and give it to the pool or to its driver`
    throw new InvalidOptionError(name, problem)
  }
}

/** A database that is named here and is not the pool's would be believed to be used. @throws InvalidOptionError */
export function assertSameDatabase(configuration: DriverConfiguration, database: string): void {
  const named = databaseIn(configuration.connectionUri)
  if (named === undefined || named === database) return
  const problem = `Slonik was given database ${show(named)}, and the pool is connected to ${show(database)}: name none, createPool('postgres://', ...), or the same`
  throw new InvalidOptionError('connectionUri', problem)
}

function databaseIn(uri: string): string | undefined {
  try {
    return decodeURIComponent(new URL(uri).pathname.slice(1)) || undefined
  } catch {
    return undefined // such as `postgres://`
  }
}

/**
 * Slonik reads these after it has made the driver. With no limit of its own it never queues, has no timer for what it keeps, which is
 * nothing, and never asks again for a connection that could not be had in time: waiting, keeping and trying again are the pool's.
 */
export function makePassThrough(configuration: DriverConfiguration): void {
  Object.assign(configuration, {
    maxPoolSize: Number.MAX_SAFE_INTEGER,
    minPoolSize: 0,
    connectionRetryLimit: 0,
    idleTimeout: 'DISABLE_TIMEOUT',
  })
}

/** Milliseconds by the setting's name; those that are disabled are left to the pool's driver. */
export function timeoutsOf(configuration: DriverConfiguration): Map<string, number> {
  const { statementTimeout, idleInTransactionSessionTimeout } = configuration
  const timeouts = new Map<string, number>()
  const take = (name: string, value: Timeout) => {
    // As Slonik's own driver: 0 is not "never".
    if (value !== 'DISABLE_TIMEOUT') timeouts.set(name, value === 0 ? 1 : value)
  }
  take('statement_timeout', statementTimeout)
  take('idle_in_transaction_session_timeout', idleInTransactionSessionTimeout)
  return timeouts
}
