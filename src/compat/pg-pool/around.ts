import type { Pool } from '../../contract/pool.ts'
import { loadPackage } from '../../drivers/load-package.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import { clientClassOf } from '../../drivers/pg/driver.ts'
import { assertPool } from '../existing-pool.ts'
import { StandingQueue } from '../standing-queue.ts'
import type { Identity } from './checkout.ts'
import { kinOf, pinName } from './kin.ts'
import { keptOptions } from './options.ts'
import { PgPoolShape } from './pool-shape.ts'
import type { ClientClass, PgPackage, PgPoolOptions } from './types.ts'

/** Options of `pgPool`. */
export interface AroundOptions {
  /** `end` also closes the pool. Default false: it lets go of it, and the pool stays open for others. */
  ownsPool?: boolean | undefined
  /** The user's `pg`: with it the result is an instance of `pg.Pool`, for those who ask. */
  pg?: PgPackage | undefined
  /** The client's class, for those who make a client of their own. Default: that of `pg`, or of the installed package. */
  Client?: ClientClass<unknown> | undefined
  /**
   * `checkout` (the default): what `connect` gives is a fresh object each time, so that use after release is refused.
   * `connection`: it is pg's client, the same object each time, for those who remember clients.
   */
  identity?: Identity | undefined
  /** What `options` shows: those who make a client of their own take its config from there. Default: nothing. */
  options?: PgPoolOptions | undefined
}

/**
 * A `pg.Pool` that stands around a pool of the `pg` driver: for an ORM, or for code that was written against `pg.Pool`.
 * @throws InvalidOptionError
 */
export function pgPool(pool: Pool<never> | Pool<unknown>, options: AroundOptions = {}): PgPoolShape {
  assertPool(pool, 'pgPool', 'createPool(pg(...))')
  const around = new AroundPgPool(pool as unknown as Pool<PgClient>, options)
  return options.pg === undefined ? around : kinOf(around, options.pg)
}

export class AroundPgPool extends PgPoolShape {
  static {
    pinName(this, 'PgPool')
  }

  constructor(pool: Pool<PgClient>, given: AroundOptions) {
    super({
      pool,
      options: keptOptions({ max: pool.stats().max, idleTimeoutMillis: null, ...given.options }),
      Client: () => (given.Client ?? clientClassOf(given.pg ?? loadPackage('pg'))) as ClientClass,
      ownsPool: given.ownsPool ?? false,
      identity: given.identity ?? 'checkout',
      queue: new StandingQueue(),
      // Whoever made the pool knows its errors.
      translate: (error) => error,
    })
  }
}
