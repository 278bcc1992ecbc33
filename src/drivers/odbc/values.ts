import type { QueryResult, Row } from '../../contract/sql-driver.ts'
import type { OdbcColumn, OdbcResult } from './client.ts'

const INT64 = 2n ** 63n

/** What the package would cut, or take for something else, is refused or said in words that every database reads. */
export function toParameter(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return whole(value)
  if (typeof value === 'bigint') {
    if (value >= -INT64 && value < INT64) return value
    throw new RangeError('a bigint parameter has more than 64 bits: pass it as a text')
  }
  if (typeof value === 'number' || typeof value === 'boolean' || Buffer.isBuffer(value)) return value
  if (value instanceof ArrayBuffer) return Buffer.from(value)
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (value instanceof Date) return value.toISOString().replace('T', ' ').replace('Z', '')
  if (typeof value === 'object') return whole(JSON.stringify(value))
  throw new TypeError(`a parameter is a ${typeof value}`)
}

function whole(text: string): string {
  if (!text.includes('\0')) return text
  throw new TypeError('a text parameter has a zero byte, where ODBC would cut it off: pass it as a Buffer')
}

/** ODBC's numbers of binary types. */
const BINARY = new Set([-2, -3, -4])

export function resultOf(given: OdbcResult, isSqlite: boolean): QueryResult {
  const columns = given.columns ?? []
  if (columns.length === 0) return { rows: [], rowCount: Math.max(0, given.count), fields: [] }
  const rows = rowsOf(given, columns, isSqlite)
  return { rows, rowCount: rows.length, fields: columns.map(({ name }) => ({ name })) }
}

/** Rows without what the package hangs on them, binary values as a Buffer. */
export function rowsOf(given: OdbcResult, columns: readonly OdbcColumn[], isSqlite: boolean): Row[] {
  const binary = columns.filter(({ dataType }) => BINARY.has(dataType))
  const short = isSqlite ? columns.filter(({ columnSize }) => columnSize > 0 && columnSize <= 255) : []
  const rows = Array.from(given)
  for (const row of rows) {
    for (const column of short) assertWhole(row[column.name], column)
    for (const { name } of binary) {
      const value = row[name]
      if (value instanceof ArrayBuffer) row[name] = Buffer.from(value)
    }
  }
  return rows
}

/**
 * SQLite's ODBC driver says of every expression, and of a column of no long type, that it has 255 characters or bytes, and
 * the package cuts the value there without a word: an error is better.
 */
function assertWhole(value: unknown, { name, columnSize }: OdbcColumn): void {
  const isCut =
    (typeof value === 'string' &&
      value.length >= columnSize &&
      Buffer.byteLength(value) > columnSize * 4 - 4) ||
    (value instanceof ArrayBuffer && value.byteLength >= columnSize)
  if (!isCut) return
  throw new RangeError(
    `the value of "${name}" fills the ${columnSize} characters that SQLite's ODBC driver grants it, and may have been cut: declare the column as longvarchar or longvarbinary, and read it by its name`,
  )
}
