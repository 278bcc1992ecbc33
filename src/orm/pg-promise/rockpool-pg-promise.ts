import type { IDatabase, IMain } from 'pg-promise'
import { aBoolean, assertKnown, assertOption, show } from '../../contract/check.ts'
import { InvalidOptionError, PoolBypassedError } from '../../contract/errors.ts'
import type { Pool } from '../../contract/pool.ts'
import type { SqlPool } from '../../contract/sql.ts'
import { guestOf } from '../pg-guest.ts'
import { dialectOf } from '../pool-dialect.ts'
import { type Connection, connectionNamed } from './connection.ts'
import { GuestPool } from './guest-pool.ts'

/** Options of `rockpoolPgPromise`. */
export interface RockpoolPgPromiseOptions {
  /** pg-promise's "database context", which its events are given. Default: none. */
  dc?: unknown
  /**
   * `db.$pool.end()` and `pgp.end()` close the pool. Default false: they let go of it, `db` refuses further use, and others go on.
   */
  ownsPool?: boolean
  /**
   * Where `db.connect({ direct: true })` connects to: such a connection is outside of any pool. Default: nowhere, and it is
   * refused.
   */
  direct?: Connection
}

type Main<Ext> = IMain<Ext>
type Database<Ext> = IDatabase<Ext> & Ext

const OPTIONS = ['dc', 'ownsPool', 'direct']

/**
 * pg-promise on a pool: `const db = rockpoolPgPromise(pgp, pool)` where `pgp(connection)` was. The pool's clients must come from
 * pg-promise's own copy of `pg`, by `createPool(pg(config, { module: pgp.pg }))`, so that its type parsers apply.
 * @throws InvalidOptionError for what is no such pool
 * @throws PoolBypassedError if this version of pg-promise makes itself a pool all the same
 */
export function rockpoolPgPromise<Ext>(
  pgp: Main<Ext>,
  pool: Pool<never> | Pool<unknown>,
  options: RockpoolPgPromiseOptions = {},
): Database<Ext> {
  assertKnown(options, OPTIONS, 'rockpoolPgPromise')
  const { dc, ownsPool = false, direct } = options
  assertOption('ownsPool', ownsPool, aBoolean)
  assertPgp(pgp)
  assertPostgres(pool)
  const guest = new GuestPool(pool, { pg: pgp.pg, ownsPool })
  const db = withPool(pgp, guest, () => pgp(connectionNamed(pool.name, direct), dc))
  if (db.$config.options.pgNative) {
    db.$pool.end()
    const problem =
      '"pgNative" is set, and the pool\'s clients are not native: leave it out of the options of pg-promise'
    throw new InvalidOptionError('pgp', problem)
  }
  if ((db.$pool as unknown) === guest) return guardingClients(db)
  db.$pool.end()
  const remedy = 'this version of pg-promise does not take its pool from pgp.pg.Pool'
  throw new PoolBypassedError(pool.name, 'pg-promise', remedy)
}

/** What pg-promise itself does with a connection it refuses after the release; its client, which it shows, it does not. */
function guardingClients<Ext>(db: Database<Ext>): Database<Ext> {
  const connect = db.connect.bind(db)
  const guarded: typeof connect = async (options) => {
    const connected = await connect(options)
    // It is nobody else's, and closed by `done`.
    if (options?.direct) return connected
    const end = connected.done.bind(connected)
    const client = guestOf(connected.client, (kill) => end(kill as boolean))
    let isDone = false
    const done = (kill?: boolean) => {
      // The second time pg-promise itself refuses, in its own words.
      if (isDone) return end(kill)
      isDone = true
      client.release(kill)
    }
    return Object.assign(connected, { client, done })
  }
  return Object.assign(db, { connect: guarded })
}

/** pg-promise makes its pool while it makes the database: for that moment `pgp.pg` has ours. */
function withPool<T>(pgp: { pg: object }, pool: object, make: () => T): T {
  const { pg } = pgp
  function Pool() {
    return pool
  }
  pgp.pg = Object.create(pg, { Pool: { value: Pool } })
  try {
    return make()
  } finally {
    pgp.pg = pg
  }
}

function assertPgp(pgp: unknown): void {
  const { pg } = (pgp ?? {}) as { pg?: { Client?: unknown } }
  if (typeof pgp === 'function' && typeof pg?.Client === 'function') return
  const problem = `rockpoolPgPromise was given ${show(pgp)}: it wants the initialized library first, const pgp = pgPromise(options), and then the pool`
  throw new InvalidOptionError('pgp', problem)
}

function assertPostgres(pool: Pool<never> | Pool<unknown>): void {
  const dialect = dialectOf(pool as SqlPool<unknown>, 'rockpoolPgPromise')
  if (dialect === 'postgres') return
  const problem = `pg-promise speaks to PostgreSQL, and pool "${pool.name}" to ${dialect}`
  throw new InvalidOptionError('pool', problem)
}
