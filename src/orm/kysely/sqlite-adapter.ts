import type { SqliteAdapter } from 'kysely'
import type { KyselyModule } from './module.ts'

/** Whose turn it is to migrate the database of a pool. */
const turns = new WeakMap<object, Promise<void>>()

/**
 * Kysely's own adapter has one connection, on which one statement or transaction waits for the other: that is also what
 * keeps two migrations apart. A pool has many, so here they take turns.
 */
export function sqliteAdapter(kysely: KyselyModule, pool: object): SqliteAdapter {
  class PooledSqliteAdapter extends kysely.SqliteAdapter {
    #leave: () => void = () => undefined

    override get supportsMultipleConnections(): boolean {
      return true
    }

    override async acquireMigrationLock(): Promise<void> {
      const before = turns.get(pool)
      let leave: () => void = () => undefined
      turns.set(
        pool,
        new Promise((resolve) => {
          leave = resolve
        }),
      )
      await before
      this.#leave = leave
    }

    override async releaseMigrationLock(): Promise<void> {
      this.#leave()
    }
  }
  return new PooledSqliteAdapter()
}
