import type { IMain } from 'pg-promise'
import { InvalidOptionError } from '../../contract/errors.ts'

/** What pg-promise takes for the details of a connection. */
export type Connection = Parameters<IMain>[0]

const NO_DIRECT =
  'a direct connection goes past the pool, which does not give its credentials away: rockpoolPgPromise(pgp, pool, { direct: connection }) says where to'

let made = 0

/**
 * The details of the connection as pg-promise wants them. It warns of two databases with the same ones, because each would have a
 * pool of its own; here they share one, so each has another name.
 */
export function connectionNamed(pool: string, direct: Connection | undefined): Connection {
  const rockpool = `${pool} (${++made})`
  if (typeof direct === 'string') return { connectionString: direct, rockpool } as Connection
  if (direct !== undefined) return { ...direct, rockpool } as Connection
  return Object.defineProperty({ rockpool }, 'connectionString', { get: refuse }) as Connection
}

function refuse(): never {
  throw new InvalidOptionError('direct', NO_DIRECT)
}
