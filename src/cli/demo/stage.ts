import type { SqlPool } from '../../contract/sql.ts'
import type { Cleanup } from '../cleanup.ts'
import type { Screen } from '../view.ts'
import type { Database } from './database.ts'
import type { Size } from './size.ts'

/** What every act of the demo is given. */
export interface Stage {
  readonly screen: Screen
  readonly database: Database
  readonly size: Size
  readonly cleanup: Cleanup
  /** Aborted when the program is to stop. */
  readonly signal: AbortSignal
}

/** Sees to it that the pool is closed when the act is over, and at once when the program is to stop. */
export async function withPool<T>(
  { cleanup }: Stage,
  pool: SqlPool,
  act: (pool: SqlPool) => Promise<T>,
): Promise<T> {
  cleanup.add(() => pool.close({ drainTimeoutMs: 0 }))
  try {
    return await act(pool)
  } finally {
    await pool.close({ drainTimeoutMs: 0 })
  }
}
