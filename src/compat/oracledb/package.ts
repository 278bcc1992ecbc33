import type * as oracledb from 'oracledb'
import { givenPackage } from '../../drivers/given-package.ts'
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
  const functions = ['createPool', 'getConnection'] as const
  return givenPackage<OraclePackage & OracleDefaults>(given ?? loadPackage('oracledb'), {
    called: '"oracledb" package',
    functions,
  })
}
