import { pinName } from '../../compat/pg-pool/kin.ts'
import { keptOptions } from '../../compat/pg-pool/options.ts'
import { PgPoolShape } from '../../compat/pg-pool/pool-shape.ts'
import type { ClientClass, PgPackage, PgPoolClient, PgQuery } from '../../compat/pg-pool/types.ts'
import { StandingQueue } from '../../compat/standing-queue.ts'
import type { SqlPool } from '../../contract/sql.ts'
import type { QueryResult } from '../../contract/sql-driver.ts'
import { loadPackage } from '../../drivers/load-package.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import { type Built, isBuilt, isUnwatched, runBuilt } from '../built-statement.ts'
import { inWordsOfPrisma } from './errors.ts'

/** `pg.Pool` for Prisma's adapter. */
export class PrismaPgPool extends PgPoolShape {
  readonly #pool: SqlPool<PgClient>

  static {
    pinName(this, 'PrismaPgPool')
  }

  constructor(given: SqlPool<unknown>, ownsPool: boolean) {
    const pool = given as SqlPool<PgClient>
    super({
      pool,
      options: keptOptions({ max: pool.stats().max, idleTimeoutMillis: null }),
      Client: () => (loadPackage('pg') as PgPackage).Client as ClientClass,
      ownsPool,
      identity: 'checkout',
      queue: new StandingQueue(),
      translate: inWordsOfPrisma,
    })
    this.#pool = pool
    const query = this.query as (...args: unknown[]) => unknown
    const shared = (...args: unknown[]) => {
      const [asked] = args
      return args.length === 1 && isBuilt(asked) && isUnwatched(this)
        ? this.#run(asked)
        : Reflect.apply(query, this, args)
    }
    Object.defineProperty(this, 'query', { value: shared as PgQuery })
  }

  /** Prisma may end a transaction twice, when its time is over while COMMIT runs: the second end is none. */
  protected override present(client: PgPoolClient): PgPoolClient {
    const { release } = client
    let isBack = false
    client.release = (error) => {
      if (isBack) return
      isBack = true
      release(error)
    }
    return client
  }

  async #run(built: Built): Promise<QueryResult> {
    this.countRunning(1)
    try {
      return await runBuilt(this.#pool, built, built.values)
    } catch (error) {
      throw inWordsOfPrisma(error)
    } finally {
      this.countRunning(-1)
    }
  }
}
