// The package with pools of rockpool goes where oracledb goes, its pools where oracledb's go.
import type * as original from 'oracledb'
import oracledb, { type OraclePool, rockpoolOracledb } from 'rockpool/compat/oracledb'

export const packages: (typeof original)[] = [oracledb, rockpoolOracledb()]

export async function pools(): Promise<original.Pool[]> {
  const pool: OraclePool = await oracledb.createPool({ poolMax: 2 })
  const named: oracledb.Pool = pool
  pool.getConnection((error, connection) => (error === null ? connection.close() : error.code))
  return [pool, named]
}
