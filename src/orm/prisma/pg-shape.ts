import { pinName } from '../../compat/pg-pool/kin.ts'
import { keptOptions } from '../../compat/pg-pool/options.ts'
import { PgPoolShape } from '../../compat/pg-pool/pool-shape.ts'
import type { ClientClass, ConnectCallback, PgPackage, PgPoolClient } from '../../compat/pg-pool/types.ts'
import { StandingQueue } from '../../compat/standing-queue.ts'
import type { SqlPool } from '../../contract/sql.ts'
import { loadPackage } from '../../drivers/load-package.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import { inWordsOfPrisma } from './errors.ts'

/** `pg.Pool` for Prisma's adapter. */
export class PrismaPgPool extends PgPoolShape {
  static {
    pinName(this, 'PrismaPgPool')
  }

  constructor(pool: SqlPool<unknown>, ownsPool: boolean) {
    super({
      pool: pool as SqlPool<PgClient>,
      options: keptOptions({ max: pool.stats().max, idleTimeoutMillis: null }),
      Client: () => (loadPackage('pg') as PgPackage).Client as ClientClass,
      ownsPool,
      identity: 'checkout',
      queue: new StandingQueue(),
      translate: inWordsOfPrisma,
    })
  }

  /** Prisma may end a transaction twice, when its time is over while COMMIT runs: the second end is none. */
  override connect(): Promise<PgPoolClient>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<PgPoolClient> | undefined {
    if (callback !== undefined) return void super.connect(callback)
    return super.connect().then(releasedOnce)
  }
}

function releasedOnce(client: PgPoolClient): PgPoolClient {
  const { release } = client
  let isBack = false
  client.release = (error) => {
    if (isBack) return
    isBack = true
    release(error)
  }
  return client
}
