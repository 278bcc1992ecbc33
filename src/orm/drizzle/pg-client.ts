import { AroundPgPool } from '../../compat/pg-pool/around.ts'
import { pinName } from '../../compat/pg-pool/kin.ts'
import type { PgPoolClient, PgQuery } from '../../compat/pg-pool/types.ts'
import { ConnectionLostError } from '../../contract/errors.ts'
import type { SqlPool, SqlText } from '../../contract/sql.ts'
import type { QueryResult, RowForm } from '../../contract/sql-driver.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import { FormedStatement } from '../../sql/statement.ts'
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
      if (args.length === 2 && isBuilt(asked) && this.#isUnwatched) return this.#run(asked, values)
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

  /** Nobody has listened for what becomes of single clients: there need be none. */
  get #isUnwatched(): boolean {
    return !this.ending && this.eventNames().length === 0
  }

  /** By the pool itself, where a read may share a connection with others. */
  async #run(built: Built, values: unknown): Promise<QueryResult> {
    const statement: unknown = new FormedStatement(built.text, values as unknown[], built)
    this.countRunning(1)
    try {
      return await this.#pool.query(statement as SqlText)
    } catch (error) {
      // In the words of pg, as from a client.
      throw error instanceof ConnectionLostError ? (error.cause ?? error) : error
    } finally {
      this.countRunning(-1)
    }
  }
}

/** What Drizzle's builder asks. */
interface Built extends RowForm {
  readonly text: string
}

/**
 * Of these Drizzle shows the rows alone, and never as they come: what else is in pg's results is for statements of the
 * user's own, as are names.
 */
function isBuilt(asked: unknown): asked is Built {
  const { text, name, rowMode } = (asked ?? {}) as { text?: unknown; name?: unknown; rowMode?: unknown }
  return rowMode === 'array' && name === undefined && typeof text === 'string'
}
