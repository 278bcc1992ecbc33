import type { QueryResult, Row } from '../../contract/sql-driver.ts'
import type { Statement } from '../mysql-family/family.ts'
import type { Flow, RowReader } from '../mysql-family/rows.ts'
import type { Column, OkPacket } from './client.ts'
import type { MariadbSpeaker } from './speaker.ts'

/** Values are written into the text by the package, which knows how the session reads backslashes. */
export async function query(
  { connection }: MariadbSpeaker,
  { sql, values }: Statement,
  isPrepared: boolean,
): Promise<QueryResult> {
  const options = { sql, metaAsArray: false, metaEnumerable: false, values }
  return resultOf(await (isPrepared ? connection.execute(options) : connection.query(options)))
}

export function stream({ connection }: MariadbSpeaker, { sql, values }: Statement, reader: RowReader): Flow {
  const rows = connection.queryStream({ sql, values })
  let hasRows = false
  let failure: Error | undefined
  rows.on('fields', () => {
    hasRows = true
  })
  rows.on('data', (row) => {
    if (hasRows) reader.push(row as Row)
  })
  // Comes twice.
  rows.on('error', (error) => {
    failure ??= error
    queueMicrotask(() => reader.finish(failure))
  })
  rows.on('end', () => queueMicrotask(() => reader.finish(failure)))
  return rows as Flow
}

/** A procedure, or several statements in one text, give several results: the last one that has rows counts. */
function resultOf(given: unknown): QueryResult {
  if (!Array.isArray(given)) return doneOf(given as OkPacket)
  const { meta } = given as { meta?: Column[] }
  if (meta !== undefined) {
    return { rows: given, rowCount: given.length, fields: meta.map((column) => ({ name: column.name() })) }
  }
  return resultOf([...given].reverse().find(Array.isArray) ?? given.at(-1))
}

function doneOf({ affectedRows, insertId }: OkPacket): QueryResult {
  const done = { rows: [], rowCount: affectedRows, fields: [] }
  return String(insertId) === '0' ? done : { ...done, insertId }
}
