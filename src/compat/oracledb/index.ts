import { installed } from '../installed.ts'
import { around } from './around.ts'
import { rockpoolOracledb } from './rockpool-oracledb.ts'

/** Of oracledb's types those that programs name; the others are where they were. */
export type {
  BindParameters,
  Connection,
  ExecuteManyOptions,
  ExecuteOptions,
  Lob,
  Metadata,
  PoolAttributes,
  Result,
  ResultSet,
} from 'oracledb'
export type { AroundOptions } from './around.ts'
export type { OraclePoolAttributes } from './attributes.ts'
export { OraclePoolError } from './errors.ts'
export { OraclePool } from './oracle-pool.ts'
export type { RockpoolOracledb } from './rockpool-oracledb.ts'
export { rockpoolOracledb } from './rockpool-oracledb.ts'

/** An existing pool of oracledb connections, as a pool of oracledb's. */
export const oraclePool = around

const oracledb = installed(() => rockpoolOracledb())
export default oracledb

export const createPool = oracledb.createPool
export const getPool = oracledb.getPool
export const getConnection = oracledb.getConnection
