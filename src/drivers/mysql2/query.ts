import type { QueryResult, Row } from '../../contract/sql-driver.ts'
import type { Statement } from '../mysql-family/family.ts'
import type { Flow, RowReader } from '../mysql-family/rows.ts'
import type { Field, Header } from './core.ts'
import type { Mysql2Speaker } from './speaker.ts'

/**
 * Values are written into the text by mysql2, with backslashes; where the session says that these are ordinary characters
 * they go apart from it, as in a prepared statement.
 */
export function query(
  speaker: Mysql2Speaker,
  statement: Statement,
  isPrepared: boolean,
): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    const answer = (error: Error | null, result?: unknown, fields?: unknown) =>
      error ? reject(error) : resolve(resultOf(result, fields))
    if (isPrepared || mustBind(speaker, statement)) speaker.core.execute({ ...statement }, answer)
    else speaker.core.query({ ...statement }, answer)
  })
}

export function stream(speaker: Mysql2Speaker, statement: Statement, reader: RowReader): Flow {
  const { core } = speaker
  const command = mustBind(speaker, statement) ? core.execute({ ...statement }) : core.query({ ...statement })
  let hasRows = false
  let failure: Error | undefined
  command.on('fields', (fields) => {
    hasRows = fields !== undefined
  })
  command.on('result', (row) => {
    if (hasRows) reader.push(row as Row)
  })
  command.on('error', (error) => {
    failure = error
  })
  // Only now the server is done with it.
  command.on('end', () => queueMicrotask(() => reader.finish(failure)))
  return core
}

function mustBind({ answers }: Mysql2Speaker, { values }: Statement): boolean {
  return values.length > 0 && answers.isWithoutBackslashes
}

/** A procedure, or several statements in one text, give several results: the last one that has rows counts. */
function resultOf(result: unknown, fields: unknown): QueryResult {
  if (Array.isArray(fields) && Array.isArray(result) && isSeveral(fields)) {
    const at = fields.map(Array.isArray).lastIndexOf(true)
    return at < 0 ? resultOf(result.at(-1), undefined) : resultOf(result[at], fields[at])
  }
  if (Array.isArray(result)) return { rows: result, rowCount: result.length, fields: fields as Field[] }
  const { affectedRows, insertId, changedRows } = result as Header
  const done = { rows: [], rowCount: affectedRows, fields: [], changedRows }
  return insertId === 0 || insertId === '0' ? done : { ...done, insertId }
}

function isSeveral(fields: readonly unknown[]): boolean {
  return fields.some((one) => one === undefined || Array.isArray(one))
}
