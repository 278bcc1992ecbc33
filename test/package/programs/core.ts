// Types of the core, without any driver's: every style of a first program.
import {
  AcquireTimeoutError,
  type CloseReport,
  createPool,
  createResourcePool,
  type Driver,
  type Lease,
  PoolError,
  type PoolOptions,
  type PoolStats,
  type SqlLease,
  type SqlPool,
  sharedPool,
} from 'rockpool'
import { pg } from 'rockpool/drivers/pg'

interface Thing {
  readonly id: number
}
const driver: Driver<Thing> = { name: 'thing', connect: async () => ({ id: 1 }), close: () => {} }
const options: PoolOptions<Thing> = { max: 2, onConnect: (thing) => void thing.id }

export async function things(): Promise<number> {
  const pool = createResourcePool(driver, options)
  const lease: Lease<Thing> = await pool.acquire({ timeoutMs: 10, signal: new AbortController().signal })
  try {
    return lease.connection.id
  } finally {
    lease.release()
  }
}

export async function rows(): Promise<string[]> {
  const pool: SqlPool = createPool(new URL('postgres://localhost/db'), { max: 5 })
  await using lease = await pool.acquire()
  const { rows } = await lease.query<{ name: string }>('select $1::text as name', ['x'])
  const names: string[] = rows.map((row) => row.name)
  const count: number = await pool.use(async (l: SqlLease<unknown>) => (await l.query('select 1')).rowCount)
  const sum: number = await pool.transaction(async (tx) => (await tx.query('select 1')).rowCount + count, {
    isolation: 'serializable',
    retries: 2,
  })
  for await (const row of pool.stream<{ n: number }>('select 1 as n', [], { batch: 10 }))
    names.push(String(row.n + sum))
  const stats: PoolStats = pool.stats()
  const report: CloseReport = await pool.close({ drainTimeoutMs: stats.idle })
  return [...names, String(report.closed)]
}

export async function scoped(): Promise<unknown> {
  await using pool = sharedPool('main', () => createPool('postgres://localhost/db'))
  return pool.query('select 1', undefined, { signal: AbortSignal.timeout(5) })
}

export function explain(error: unknown): string {
  if (error instanceof AcquireTimeoutError) return `${error.phase} ${error.snapshot.leased}`
  return error instanceof PoolError ? error.code : 'unknown'
}

// @ts-expect-error an option that does not exist
createPool('postgres://localhost/db', { acquireTimout: 5 })

/** Neither pg nor its types are needed for its driver. */
export const byConfig = createPool(pg({ host: 'localhost' }))
