import { AroundPgPool } from '../../compat/pg-pool/around.ts'
import { pinName } from '../../compat/pg-pool/kin.ts'
import type { ClientClass, ConnectCallback, PgPoolClient } from '../../compat/pg-pool/types.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { Pool } from '../../contract/pool.ts'
import type { PgClient } from '../../drivers/pg/client.ts'

interface Guest {
  readonly pg: { readonly Client: unknown }
  readonly ownsPool: boolean
}

/** What pg-promise takes for its own pool. */
export class GuestPool extends AroundPgPool {
  readonly #Client: ClientClass<unknown>
  /** Only a client itself tells which copy of `pg` it is from: looked at until the first of the right one was lent. */
  #isOfThisCopy = false

  static {
    pinName(this, 'GuestPool')
  }

  constructor(pool: Pool<never> | Pool<unknown>, { pg, ownsPool }: Guest) {
    const Client = pg.Client as ClientClass<unknown>
    // pg-promise keeps its own count of uses on each client, and refuses by itself what comes after the release.
    super(pool as unknown as Pool<PgClient>, { ownsPool, Client, identity: 'connection' })
    this.#Client = Client
  }

  override connect(): Promise<PgPoolClient>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<PgPoolClient> | undefined {
    if (callback === undefined) return super.connect()
    super.connect(this.#isOfThisCopy ? callback : this.#looking(callback))
    return undefined
  }

  #looking(callback: ConnectCallback): ConnectCallback {
    return (error, client, release) => {
      this.#isOfThisCopy = client instanceof this.#Client
      if (error !== undefined || this.#isOfThisCopy) {
        callback(error, client, release)
        return
      }
      release()
      callback(fromAnotherCopy(this.pool.name), undefined, release)
    }
  }
}

function fromAnotherCopy(pool: string): Error {
  const problem = `the clients of pool "${pool}" are from another copy of "pg" than pg-promise's, whose type parsers would silently not apply. Make it by createPool(pg(config, { module: pgp.pg }))`
  return new InvalidOptionError('pool', problem)
}
