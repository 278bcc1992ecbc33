import { AroundPgPool } from '../../compat/pg-pool/around.ts'
import { pinName } from '../../compat/pg-pool/kin.ts'
import type { PgPackage, PgPoolClient } from '../../compat/pg-pool/types.ts'
import type { Lease } from '../../contract/lease.ts'
import type { Pool } from '../../contract/pool.ts'
import type { SqlLease } from '../../contract/sql.ts'
import { loadPackage } from '../../drivers/load-package.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
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
    return new RunnersPool(pool as Pool<PgClient>, { ownsPool, identity: 'connection' })
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
class RunnersPool extends AroundPgPool {
  static {
    pinName(this, 'RunnersPool')
  }

  protected override present(client: PgPoolClient, lease: Lease<PgClient>): PgPoolClient {
    return guestOf(client, client.release as (error?: unknown) => void, lease as SqlLease<PgClient>)
  }
}
