import { pgPool } from '../../compat/pg-pool/around.ts'
import type { PgPoolShape } from '../../compat/pg-pool/pool-shape.ts'
import type { ConnectCallback, PgPackage } from '../../compat/pg-pool/types.ts'
import { loadPackage } from '../../drivers/load-package.ts'
import { guestOf } from '../pg-guest.ts'
import { type Asked, assertPoolDecides, type MakePackage, nodeAt, REPLICA, refusing } from './node.ts'

/** TypeORM itself reads it, where it builds schemas. */
const MEANT = ['database']

/** What TypeORM takes for the package `pg`. Without `native`, or an installed `pg-native` would go before it. */
export const pgPackage: MakePackage = (nodes, ssl) => {
  function Pool(asked: Asked) {
    const index = indexOf(asked.application_name)
    assertPoolDecides(asked, ssl, index === undefined ? MEANT : [...MEANT, 'application_name'])
    const { pool, ownsPool } = nodeAt(nodes, index ?? 0)
    return lendingGuests(pgPool(pool, { ownsPool, identity: 'connection' }))
  }
  const pg = {
    Pool,
    /** Where `parseInt8` is set, for the whole program, as ever. */
    get defaults(): unknown {
      return defaultsOf((nodes[0]?.module ?? loadPackage('pg')) as PgPackage)
    },
  }
  return Object.defineProperties(
    pg,
    refusing(['createPool', 'createPoolCluster', 'ConnectionPool'], '"postgres" or "cockroachdb"'),
  )
}

/** Which node it is that TypeORM wants, if it says so. */
function indexOf(name: unknown): number | undefined {
  return typeof name === 'string' && name.startsWith(REPLICA) ? Number(name.slice(REPLICA.length)) : undefined
}

function defaultsOf(pg: object): unknown {
  const { defaults, default: inner } = pg as { defaults?: unknown; default?: { defaults?: unknown } }
  return defaults ?? inner?.defaults
}

/**
 * A query runner shows its client to whoever asks, and after its release goes on with what it had begun: each has a client of
 * its own.
 */
function lendingGuests(pool: PgPoolShape): PgPoolShape {
  const lend = pool.connect.bind(pool) as (callback: ConnectCallback) => void
  const connect = (callback: ConnectCallback) =>
    lend((error, client, release) => {
      if (client === undefined) {
        callback(error, undefined, release)
        return
      }
      const guest = guestOf(client, release)
      callback(undefined, guest, (reason) => guest.release(reason))
    })
  return Object.assign(pool, { connect })
}
