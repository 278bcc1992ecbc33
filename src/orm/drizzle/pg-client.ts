import { AroundPgPool } from '../../compat/pg-pool/around.ts'
import { pinName } from '../../compat/pg-pool/kin.ts'
import type { PgPoolClient, PgQuery } from '../../compat/pg-pool/types.ts'
import type { SqlPool } from '../../contract/sql.ts'
import type { QueryResult } from '../../contract/sql-driver.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import { type Built, isBuilt, isUnwatched, runBuilt } from '../built-statement.ts'
import { begins, unpinned, untilBegun } from './beginning.ts'

/** What Drizzle takes for a `pg.Pool`: it knows one by the name of its class. */
export class DrizzlePgPool extends AroundPgPool {
  readonly #pool: SqlPool<PgClient>

  static {
    pinName(this, 'DrizzlePgPool')
  }

  constructor(pool: SqlPool<never> | SqlPool<unknown>, { ownsPool }: { ownsPool: boolean }) {
    const sqlPool = pool as unknown as SqlPool<PgClient>
    super(sqlPool, { ownsPool })
    this.#pool = sqlPool
    const query = this.query as (...args: unknown[]) => unknown
    const pinned = (...args: unknown[]) => {
      const [asked, values] = args
      if (args.length === 2 && isBuilt(asked) && isUnwatched(this)) return this.#run(asked, values)
      if (begins(asked)) return Promise.reject(unpinned(pool.name))
      return Reflect.apply(query, this, args)
    }
    Object.defineProperty(this, 'query', { value: pinned as PgQuery })
  }

  /** Whoever gives it back after a BEGIN that has failed is late, and not wrong. */
  protected override present(client: PgPoolClient): PgPoolClient {
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

  async #run(built: Built, values: unknown): Promise<QueryResult> {
    this.countRunning(1)
    try {
      return await runBuilt(this.#pool, built, values as unknown[])
    } finally {
      this.countRunning(-1)
    }
  }
}
