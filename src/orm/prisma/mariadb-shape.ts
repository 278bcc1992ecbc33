import type { Pool, PoolConnection, QueryOptions } from 'mariadb'
import { mariadbPool } from '../../compat/mariadb/index.ts'
import type { SqlPool } from '../../contract/sql.ts'
import { inWordsOfPrisma } from './errors.ts'

/** The pool of the `mariadb` package, as far as Prisma's adapter uses it. */
export class PrismaMariadbPool {
  readonly #pool: Pool

  constructor(pool: SqlPool<unknown>, ownsPool: boolean) {
    this.#pool = mariadbPool(pool, { ownsPool })
  }

  getConnection(): Promise<PoolConnection> {
    return this.#pool.getConnection().catch(refused)
  }

  query(sql: QueryOptions, values?: unknown): Promise<unknown> {
    return this.#pool.query(sql, values).catch(refused)
  }

  execute(sql: QueryOptions, values?: unknown): Promise<unknown> {
    return this.#pool.execute(sql, values).catch(refused)
  }

  end(): Promise<void> {
    return this.#pool.end()
  }
}

/** What the pool itself says stands behind the words of the `mariadb` package. */
function refused(error: unknown): never {
  const { cause } = (error ?? {}) as { cause?: unknown }
  const inside = inWordsOfPrisma(cause)
  throw inside === cause ? inWordsOfPrisma(error) : inside
}
