import { kinOf, pinName } from './kin.ts'
import { ownPool } from './own-pool.ts'
import { PgPoolShape } from './pool-shape.ts'
import type { ClientClass, ClientLikeCtr, Config } from './types.ts'

/** In the place of `pg.Pool` and of the package `pg-pool`: the same options, methods and events. */
export class PgPool<T = unknown> extends PgPoolShape<T> {
  static {
    pinName(this, 'PgPool')
  }

  /** What `pgPool` gives is one as well. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this === PgPool) return value instanceof PgPoolShape
    return Function.prototype[Symbol.hasInstance].call(this, value)
  }

  /** @throws InvalidOptionError, DriverMissingError */
  constructor(options?: Config<T>, Client?: ClientClass<T>) {
    super(ownPool(options, Client))
    if (options?.pg !== undefined) kinOf(this, options.pg)
  }
}

/** The types of pg-pool's, for those who write `Pool.Config`. */
export declare namespace PgPool {
  export type { ClientLikeCtr, Config }
}
