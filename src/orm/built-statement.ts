import type { PgPoolShape } from '../compat/pg-pool/pool-shape.ts'
import { ConnectionLostError } from '../contract/errors.ts'
import type { SqlPool, SqlText } from '../contract/sql.ts'
import type { QueryResult, RowForm } from '../contract/sql-driver.ts'
import type { PgClient } from '../drivers/pg/client.ts'
import { FormedStatement } from '../sql/statement.ts'

/** What the builder of an ORM asks, by pg's own config of a query. */
export interface Built extends RowForm {
  readonly text: string
  readonly values?: readonly unknown[]
}

/**
 * Of these an ORM shows the rows alone, and never as they come: what else is in pg's results is for statements of the user's
 * own, as are names.
 */
export function isBuilt(asked: unknown): asked is Built {
  const { text, name, rowMode } = (asked ?? {}) as { text?: unknown; name?: unknown; rowMode?: unknown }
  return rowMode === 'array' && name === undefined && typeof text === 'string'
}

/** Nobody has listened for what becomes of single clients: there need be none. */
export function isUnwatched(shape: PgPoolShape): boolean {
  return !shape.ending && shape.eventNames().length === 0
}

/** By the pool itself, where a read may share a connection with others. Its errors are those of a client of pg. */
export async function runBuilt(
  pool: SqlPool<PgClient>,
  built: Built,
  values: readonly unknown[] = [],
): Promise<QueryResult> {
  const statement: unknown = new FormedStatement(built.text, values, built)
  try {
    return await pool.query(statement as SqlText)
  } catch (error) {
    throw error instanceof ConnectionLostError ? (error.cause ?? error) : error
  }
}
