import type { TlsOptions } from 'node:tls'
import { PoolBypassedError } from '../../contract/errors.ts'

/** Read by `pg`, and by `mysql2`, before they open anything. */
const READ_FIRST = ['key', 'rejectUnauthorized']

/**
 * Whoever passes another `driver` along with ours would silently connect to wherever the environment says: the TLS options
 * that ours never reads stop any other.
 */
export function trap(pool: string): TlsOptions {
  const spring = () => {
    throw new PoolBypassedError(
      pool,
      'TypeORM',
      'another "driver" stands in its options. Leave it out, or put rockpoolTypeorm(pool) after it',
    )
  }
  const ssl = {}
  for (const name of READ_FIRST) Object.defineProperty(ssl, name, { get: spring })
  return ssl
}
