import { around } from '../../compat/mssql/around.ts'
import { packageOf, type TediousConnection } from '../../compat/mssql/package.ts'
import type { Pool } from '../../contract/pool.ts'
import { type Asked, assertPoolDecides, type MakePackage, nodeAt } from './node.ts'

/** What requests read themselves, and what TypeORM always passes. */
const MEANT = ['database', 'options', 'requestTimeout', 'stream']

/** The package `mssql`, with one connection pool for TypeORM: around ours. */
export const mssqlPackage: MakePackage = (nodes, ssl) => {
  const mssql = packageOf(nodes[0]?.module)
  function ConnectionPool(asked: Asked) {
    assertPoolDecides(asked, ssl, MEANT)
    const { pool, ownsPool } = nodeAt(nodes, 0)
    const config = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
    return around(pool as Pool<TediousConnection>, { ownsPool, config, module: mssql })
  }
  return Object.create(mssql, { ConnectionPool: { value: ConnectionPool } })
}
