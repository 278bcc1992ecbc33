import type { Pool as MysqlPool, PoolConnection } from 'mysql2/promise'
import { around } from '../../compat/mysql2/around.ts'
import type { Pool } from '../../contract/pool.ts'
import { begins, unpinned, untilBegun } from './beginning.ts'

/** What Drizzle takes for a pool of `mysql2/promise`. */
export function mysqlClient(
  pool: Pool<never> | Pool<unknown>,
  options: { ownsPool: boolean; module: unknown },
): MysqlPool {
  const client = around(pool, options).promise()
  const lend = client.getConnection.bind(client)
  const query = client.query.bind(client) as (...args: unknown[]) => unknown
  const pinned = (...args: unknown[]) =>
    begins(args[0]) ? Promise.reject(unpinned(pool.name)) : query(...args)
  return Object.assign(client, {
    query: pinned as unknown as MysqlPool['query'],
    getConnection: async (): Promise<PoolConnection> => {
      const connection = await lend()
      return untilBegun(endingQuietly(connection), () => connection.destroy())
    },
  })
}

/** Drizzle's iterators end with it, and mysql2 prints for each that another word is meant. */
function endingQuietly(connection: PoolConnection): PoolConnection {
  Object.assign(connection.connection, { end: () => connection.release() })
  return connection
}
