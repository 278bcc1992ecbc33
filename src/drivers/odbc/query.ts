import type { QueryResult, Row } from '../../contract/sql-driver.ts'
import type { OdbcCursor, OdbcResult } from './client.ts'
import type { Link } from './link.ts'
import { resultOf, rowsOf, toParameter } from './values.ts'

export async function query(link: Link, sql: string, params: readonly unknown[]): Promise<QueryResult> {
  const given = (await link.send(sql, params.map(toParameter))) as OdbcResult
  return resultOf(given, link.family.name === 'sqlite')
}

/** Rows by a cursor. In between nothing is read; PostgreSQL's driver has all rows in memory by then, unless told otherwise. */
export async function* stream(
  link: Link,
  { sql, params, batch }: { sql: string; params: readonly unknown[]; batch: number },
): AsyncGenerator<Row, void, undefined> {
  const options = link.family.fetchesBlocks ? { cursor: true, fetchSize: batch } : { cursor: true }
  const cursor = (await link.send(sql, params.map(toParameter), options)) as OdbcCursor
  try {
    while (!cursor.noData) {
      const rows = (await link.call('holding', () => cursor.fetch())) as OdbcResult
      if (rows.columns === undefined) return
      yield* rowsOf(rows, rows.columns, link.family.name === 'sqlite')
    }
  } finally {
    // Of a connection that is gone there is nothing to close.
    if (!link.isLost) await link.call('freeing', () => cursor.close())
  }
}
