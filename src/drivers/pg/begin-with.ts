import type { BeginOptions, QueryResult } from '../../contract/sql-driver.ts'
import type { PgClient } from './client.ts'
import { exchange } from './exchange.ts'
import { forget, settledError } from './query.ts'
import { beginText } from './session.ts'
import { writeValues } from './values.ts'

interface Flight {
  readonly sql: string
  readonly params: readonly unknown[]
  readonly name: string | undefined
}

/**
 * BEGIN and a statement by the extended protocol, with one Sync behind both: the server answers them with one packet, and
 * skips the statement when BEGIN has failed.
 */
export async function beginWith(
  client: PgClient,
  begin: BeginOptions,
  { sql, params, name }: Flight,
): Promise<QueryResult> {
  const isNew = name !== undefined && client.connection.parsedStatements[name] === undefined
  const question = { text: sql, values: writeValues(client, params), name, begin: beginText(begin) }
  try {
    return await exchange(client, question)
  } catch (error) {
    // The stack leads to whoever waits for the answer.
    if (error instanceof Error) Error.captureStackTrace(error)
    // The Parse of BEGIN was taken for that of the statement.
    if (isNew) forget(client, name)
    throw await settledError(client, error)
  }
}
