import type { QueryResult, Row } from '../../contract/sql-driver.ts'
import type { OracleColumn, OraclePackage } from './client.ts'
import type { Link } from './link.ts'

/** How rows are to be made, for one package. */
export function optionsFor(module: OraclePackage, lobsAsValues: boolean): object {
  const asValue = ({ dbType }: OracleColumn) => {
    if (dbType === module.DB_TYPE_CLOB || dbType === module.DB_TYPE_NCLOB) return { type: module.STRING }
    return dbType === module.DB_TYPE_BLOB ? { type: module.BUFFER } : undefined
  }
  // The user's own handler, set for the whole package, comes first.
  const reads = lobsAsValues && module.fetchTypeHandler === undefined
  return { outFormat: module.OUT_FORMAT_OBJECT, ...(reads && { fetchTypeHandler: asValue }) }
}

/** Outside of a transaction every statement is one by itself, as with other databases. */
export async function query(
  link: Link,
  { sql, params }: { sql: string; params: readonly unknown[] },
  options: object,
): Promise<QueryResult> {
  const result = await link.connection.execute(sql, params.map(toBind), {
    ...options,
    autoCommit: !link.hasBegun,
  })
  const { rows, metaData = [], rowsAffected = 0, lastRowid } = result
  const fields = metaData.map(({ name }) => ({ name }))
  if (rows !== undefined) return { rows: [...rows], rowCount: rows.length, fields }
  const done = { rows: [], rowCount: rowsAffected, fields }
  return lastRowid === undefined ? done : { ...done, insertId: lastRowid }
}

export async function* stream(
  link: Link,
  { sql, params, batch }: { sql: string; params: readonly unknown[]; batch: number },
  options: object,
): AsyncGenerator<Row, void, undefined> {
  const given = { ...options, resultSet: true, fetchArraySize: batch, prefetchRows: batch }
  const { resultSet, rows = [] } = await link.connection.execute(sql, params.map(toBind), given)
  if (resultSet === undefined) {
    yield* rows
    return
  }
  try {
    for (;;) {
      const next = await link.during(() => resultSet.getRows(batch))
      yield* next
      if (next.length < batch) return
    }
  } finally {
    if (!link.isLost) await link.during(() => resultSet.close())
  }
}

/** What the package does not take: a bigint goes as a text, which Oracle reads as a number. */
function toBind(value: unknown): unknown {
  if (value === undefined) return null
  if (typeof value === 'bigint') return String(value)
  if (ArrayBuffer.isView(value) && !Buffer.isBuffer(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return value
}
