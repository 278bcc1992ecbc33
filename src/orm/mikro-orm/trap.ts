import { PoolBypassedError } from '../../contract/errors.ts'

/**
 * Stands in the place of MikroORM's option `pool`, which is read only by what is about to open a pool of its own: there
 * another `driverOptions` has taken the place of ours, or a Kysely from another copy of the package, which MikroORM ignores.
 */
export class Trap {
  readonly #pool: string

  constructor(pool: string) {
    this.#pool = pool
  }

  get min(): never {
    return this.#spring()
  }

  get max(): never {
    return this.#spring()
  }

  get idleTimeoutMillis(): never {
    return this.#spring()
  }

  #spring(): never {
    throw new PoolBypassedError(
      this.#pool,
      'MikroORM',
      'it was about to open a pool of its own: another "driverOptions" stands in its options, or in those of a replica. Leave it out, or spread rockpoolMikroOrm(pool) after it',
    )
  }
}
