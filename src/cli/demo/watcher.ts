import { setTimeout as sleep } from 'node:timers/promises'
import type { SqlPool } from '../../contract/sql.ts'
import { createPool } from '../../create-pool.ts'
import type { Cleanup } from '../cleanup.ts'
import type { Database } from './database.ts'

const SETTLE_LIMIT_MS = 3000

// A user's own backends only, and of them only this run's.
const OURS = 'from pg_stat_activity where application_name = $1 and usename = session_user'

/** Sees the demo's connections as the server counts them, by a connection of its own. */
export class Watcher {
  readonly #pool: SqlPool
  readonly #application: string

  constructor(database: Database, cleanup: Cleanup) {
    this.#application = database.application
    this.#pool = createPool(database.driver(`${database.application}-watch`), {
      name: 'watcher',
      max: 1,
      acquireTimeoutMs: 10_000,
    })
    cleanup.add(() => this.#pool.close({ drainTimeoutMs: 0 }))
  }

  async about(): Promise<{ version: string; database: string; user: string }> {
    const [row] = await this.#ask<{ version: string; database: string; user: string }>(
      `select current_setting('server_version') as version, current_database() as database, session_user as user`,
    )
    if (row === undefined) throw new Error('the server does not say what it is')
    return row
  }

  /** How many more connections the server would take from us. */
  async room(): Promise<number> {
    const [row] = await this.#ask<{ room: number }>(
      `select least(
         current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true), '0')::int
           - (select sum(numbackends) from pg_stat_database),
         (select rolconnlimit from pg_roles where rolname = session_user and rolconnlimit >= 0),
         (select datconnlimit - pg_stat_get_db_numbackends(oid) from pg_database
           where datname = current_database() and datconnlimit >= 0)
       )::int as room`,
    )
    return row?.room ?? 0
  }

  async connections(): Promise<number> {
    const [row] = await this.#ask<{ n: number }>(`select count(*)::int as n ${OURS}`, [this.#application])
    return row?.n ?? Number.NaN
  }

  /** Waits until the server has seen the last of our connections; how many it still counts. */
  async settled(): Promise<number> {
    const deadline = performance.now() + SETTLE_LIMIT_MS
    for (;;) {
      const left = await this.connections()
      if (left === 0 || performance.now() > deadline) return left
      await sleep(10)
    }
  }

  /** Ends all of our connections but this one; how many were ended. */
  async endAll(): Promise<number> {
    const [row] = await this.#ask<{ n: number }>(
      `select count(*) filter (where pg_terminate_backend(pid))::int as n ${OURS}`,
      [this.#application],
    )
    return row?.n ?? 0
  }

  async #ask<R>(sql: string, params: readonly unknown[] = []): Promise<R[]> {
    return (await this.#pool.query<R>(sql, params)).rows
  }
}
