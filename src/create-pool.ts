import { assertObject, show } from './contract/check.ts'
import { InvalidOptionError } from './contract/errors.ts'
import type { PoolOptions } from './contract/options.ts'
import type { SqlPool } from './contract/sql.ts'
import type { SqlDriver } from './contract/sql-driver.ts'
import { splitPoolParams } from './drivers/pool-params.ts'
import { driverFor } from './drivers/schemes.ts'
import { PooledSql } from './sql/pooled-sql.ts'

/**
 * A pool for the database at this URL. The driver is found by the URL's scheme, and its package is loaded when the first
 * connection is opened. Pool options may stand in the URL as `pool.max=20`; the argument wins.
 * @throws InvalidOptionError
 */
export function createPool<C = unknown>(url: string | URL, options?: PoolOptions<C>): SqlPool<C>
/** A pool for a driver such as `pg(config)` from `rockpool/drivers/pg`. @throws InvalidOptionError */
export function createPool<C>(driver: SqlDriver<C>, options?: PoolOptions<C>): SqlPool<C>
export function createPool<C>(target: string | URL | SqlDriver<C>, options: PoolOptions<C> = {}): SqlPool<C> {
  const text = textOf(target)
  if (text === undefined) return new PooledSql(driverOf(target), options)
  const { url, pool } = splitPoolParams(text)
  // The user says what the connection is when naming a URL.
  const driver = driverFor(url) as SqlDriver<C>
  return new PooledSql<C>(driver, { ...optionsOf<C>(pool), ...definedOnly(options) })
}

/** Of a URL; one of another realm, such as Jest's, is known by what it has. */
function textOf(target: unknown): string | undefined {
  if (typeof target === 'string') return target
  const href = (target as { href?: unknown } | null | undefined)?.href
  return typeof href === 'string' ? href : undefined
}

function driverOf<C>(target: unknown): SqlDriver<C> {
  const driver = target as SqlDriver<C> | null | undefined
  if (typeof driver?.connect === 'function') return driver
  throw new InvalidOptionError(
    'driver',
    `createPool takes a URL such as postgres://user:password@host:5432/database, or a driver such as pg({ host, user, password }): given was ${show(target)}`,
  )
}

const IN_CODE_ONLY = ['onConnect', 'onAcquire', 'onRelease', 'clock', 'permits']

function optionsOf<C>(params: Record<string, string>): PoolOptions<C> {
  const entries = Object.entries(params).map(([name, text]) => {
    if (IN_CODE_ONLY.includes(name))
      throw new InvalidOptionError(name, `option "${name}" cannot stand in a URL: pass it in the code`)
    return [name, readValue(name, text)]
  })
  return Object.fromEntries(entries)
}

/** What is no number and no truth value stays a text, and is judged with the other options. */
function readValue(option: string, text: string): string | number | boolean {
  if (option === 'name') return text
  if (text === 'true' || text === 'false') return text === 'true'
  if (text === 'Infinity' || /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  return text
}

function definedOnly<T extends object>(options: T): T {
  assertObject(options, 'the pool')
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}
