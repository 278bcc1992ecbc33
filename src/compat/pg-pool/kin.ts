import { EventEmitter } from 'node:events'
import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { PgPackage } from './types.ts'

/** Some look at the name of a pool's class to tell it from a client, and bundlers give classes names of their own. */
export function pinName(made: object, name: string): void {
  Object.defineProperty(made, 'name', { value: name, configurable: true })
}

/**
 * Makes a pool an instance of the user's own `pg.Pool`: some take what is none for a config, and silently open another pool.
 * @throws InvalidOptionError
 */
export function kinOf<P extends object>(pool: P, pg: PgPackage): P {
  const prototype = Object.create(poolOf(pg), membersOf(Object.getPrototypeOf(pool)))
  return Object.setPrototypeOf(pool, prototype) as P
}

function poolOf(pg: unknown): object {
  const { Pool, default: inner } = (pg ?? {}) as { Pool?: unknown; default?: { Pool?: unknown } }
  const found = Pool ?? inner?.Pool
  if (typeof found === 'function') return found.prototype as object
  throw new InvalidOptionError('pg', `"pg" is ${show(pg)}: it must be the "pg" package`)
}

/** Down to the EventEmitter, which `pg.Pool` has as well. */
function membersOf(own: object): PropertyDescriptorMap {
  const parent: object | null = Object.getPrototypeOf(own)
  const isLast = parent === null || parent === EventEmitter.prototype
  return { ...(isLast ? {} : membersOf(parent)), ...Object.getOwnPropertyDescriptors(own) }
}
