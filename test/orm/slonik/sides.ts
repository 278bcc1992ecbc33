import { ask, PG_URL, poolFor, type SlonikPool, slonik, slonikOn, uncaught } from './lab.ts'

export interface Limits {
  readonly max?: number
  readonly waitMs?: number
  readonly options?: object
}

/** Slonik with one pool or the other. */
export interface Open {
  readonly db: SlonikPool
  /** How many connections the server counts. */
  readonly connections: () => Promise<number>
  /** Whether the pool is open still. */
  readonly isOpen: () => boolean
  readonly end: () => Promise<unknown>
}

export type Side = (limits: Limits) => Promise<Open>

const connections = async () =>
  (
    await ask(
      `select from pg_stat_activity where backend_type = 'client backend' and application_name <> 'admin'`,
    )
  ).length

export const theirs: Side = async ({ max = 3, waitMs = 5_000, options = {} }) => {
  const db = await slonik.createPool(PG_URL, { maxPoolSize: max, connectionTimeout: waitMs, ...options })
  return { db, connections, isOpen: () => db.state().state === 'ACTIVE', end: () => db.end() }
}

export const ours: Side = async ({ max = 3, waitMs = 5_000, options = {} }) => {
  const pool = poolFor({ max, acquireTimeoutMs: waitMs })
  const db = await slonikOn(pool, options)
  return {
    db,
    connections,
    isOpen: () => !pool.closed,
    end: () => db.end().then(() => pool.close({ drainTimeoutMs: 0 })),
  }
}

/** What a behaviour tells of one side. */
export async function tried(side: Side, run: (side: Side) => Promise<string>): Promise<string> {
  uncaught.length = 0
  const told = await run(side).catch((error) => `${error.name}: ${error.message}`)
  return uncaught.length > 0 ? `uncaughtException; ${told}` : told
}
