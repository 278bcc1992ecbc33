import type * as oracledb from 'oracledb'
import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import { loadPackage } from '../../drivers/load-package.ts'

/** The package `oracledb`. */
export type OraclePackage = typeof oracledb

export type OracleConnection = oracledb.Connection

/** What pools have by default, for the whole program. */
export interface OracleDefaults {
  readonly poolMax: number
  readonly poolMin: number
  readonly poolIncrement: number
  readonly poolTimeout: number
  readonly poolPingInterval: number
  readonly poolPingTimeout: number
  readonly stmtCacheSize: number
  readonly POOL_STATUS_OPEN: number
  readonly POOL_STATUS_DRAINING: number
  readonly POOL_STATUS_CLOSED: number
  readonly POOL_STATUS_RECONFIGURING: number
  readonly thin?: boolean
}

/** The user's oracledb: his own copy where he passes it. @throws InvalidOptionError, DriverMissingError */
export function packageOf(given?: unknown): OraclePackage & OracleDefaults {
  const found = given ?? loadPackage('oracledb')
  for (const candidate of [found, (found as { default?: unknown } | undefined)?.default]) {
    const { createPool, getConnection } = (candidate ?? {}) as Partial<OraclePackage>
    if (typeof createPool === 'function' && typeof getConnection === 'function')
      return candidate as OraclePackage & OracleDefaults
  }
  throw new InvalidOptionError('module', `"module" is ${show(given)}: it must be the "oracledb" package`)
}
