import { around } from '../../compat/oracledb/around.ts'
import { type OracleConnection, packageOf } from '../../compat/oracledb/package.ts'
import type { Pool } from '../../contract/pool.ts'
import { type Asked, assertPoolDecides, type MakePackage, nodeAt } from './node.ts'

type Made = (error: Error | null, pool?: unknown) => void

/** The package `oracledb`, with one pool for TypeORM: around ours. Its settings are the package's own. */
export const oraclePackage: MakePackage = (nodes, ssl) => {
  const oracledb = packageOf(nodes[0]?.module)
  function createPool(asked: Asked, done: Made): void {
    try {
      // TypeORM always makes one of these.
      assertPoolDecides({ ...asked, connectString: undefined }, ssl, [])
      const { pool, ownsPool } = nodeAt(nodes, 0)
      done(null, around(pool as Pool<OracleConnection>, { ownsPool, module: oracledb }))
    } catch (error) {
      done(error as Error)
    }
  }
  const whole: object = Object.create(Object.prototype, Object.getOwnPropertyDescriptors(oracledb))
  return Object.defineProperty(whole, 'createPool', { value: createPool })
}
