import { type AroundOptions, pgPool } from '../../compat/pg-pool/around.ts'
import type { PgPoolShape } from '../../compat/pg-pool/pool-shape.ts'
import type { ConnectCallback } from '../../compat/pg-pool/types.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { Pool } from '../../contract/pool.ts'

interface Guest {
  readonly pg: { readonly Client: unknown }
  readonly ownsPool: boolean
}

/** What pg-promise takes for its own pool. */
export function guestPool(pool: Pool<never> | Pool<unknown>, { pg, ownsPool }: Guest): PgPoolShape {
  const Client = pg.Client as NonNullable<AroundOptions['Client']>
  // pg-promise keeps its own count of uses on each client, and refuses by itself what comes after the release.
  const guest = pgPool(pool, { ownsPool, Client, identity: 'connection' })
  const lend = guest.connect.bind(guest) as (callback: ConnectCallback) => void
  // Only a client itself tells which copy of `pg` it is from: looked at until the first of the right one was lent.
  const lendLookedAt = (callback: ConnectCallback) =>
    lend((error, client, release) => {
      if (error === undefined && !(client instanceof Client)) {
        release()
        callback(fromAnotherCopy(pool.name), undefined, release)
        return
      }
      if (error === undefined) Reflect.deleteProperty(guest, 'connect')
      callback(error, client, release)
    })
  Object.defineProperty(guest, 'connect', { value: lendLookedAt, configurable: true })
  return guest
}

function fromAnotherCopy(pool: string): Error {
  const problem = `the clients of pool "${pool}" are from another copy of "pg" than pg-promise's, whose type parsers would silently not apply. Make it by createPool(pg(config, { module: pgp.pg }))`
  return new InvalidOptionError('pool', problem)
}
