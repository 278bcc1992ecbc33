import { AroundPgPool } from '../../compat/pg-pool/around.ts'
import { pinName } from '../../compat/pg-pool/kin.ts'
import type { ConnectCallback, PgPoolClient, PgQuery } from '../../compat/pg-pool/types.ts'
import type { Pool } from '../../contract/pool.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import { begins, unpinned, untilBegun } from './beginning.ts'

/** What Drizzle takes for a `pg.Pool`: it knows one by the name of its class. */
export class DrizzlePgPool extends AroundPgPool {
  static {
    pinName(this, 'DrizzlePgPool')
  }

  constructor(pool: Pool<never> | Pool<unknown>, { ownsPool }: { ownsPool: boolean }) {
    super(pool as unknown as Pool<PgClient>, { ownsPool })
    const query = this.query as (...args: unknown[]) => unknown
    const pinned = (...args: unknown[]) => {
      if (begins(args[0])) return Promise.reject(unpinned(pool.name))
      return Reflect.apply(query, this, args)
    }
    Object.defineProperty(this, 'query', { value: pinned as PgQuery })
  }

  override connect(): Promise<PgPoolClient>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<PgPoolClient> | undefined {
    if (callback !== undefined) return void super.connect(callback)
    return super.connect().then(endingWithout)
  }
}

/** Whoever gives it back after a BEGIN that has failed is late, and not wrong. */
function endingWithout(client: PgPoolClient): PgPoolClient {
  const { release } = client
  let isOut = true
  let isLost = false
  client.release = (error) => {
    isOut = false
    if (!isLost) release(error)
  }
  return untilBegun(client, () => {
    if (!isOut) return
    isLost = true
    release(true)
  })
}
