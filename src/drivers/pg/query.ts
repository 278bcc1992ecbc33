import type { QueryResult, RowForm } from '../../contract/sql-driver.ts'
import type { PgClient, PgResult } from './client.ts'
import { endsSession, isStalePlan } from './errors.ts'
import { exchange } from './exchange.ts'
import { fly, isUndone } from './flight.ts'
import { linkOf } from './link.ts'
import { writeValues } from './values.ts'

/** Several statements in one text without parameters give several results: the last one counts. */
export function query(
  client: PgClient,
  text: string,
  params: readonly unknown[],
  { name, together, form }: { name?: string | undefined; together?: boolean; form?: RowForm | undefined },
): Promise<QueryResult> {
  try {
    const values = params.length === 0 ? params : writeValues(client, params)
    const question = { text, values, name, form }
    const answer = (together === true ? fly(client, question) : undefined) ?? exchange(client, question)
    return answer.catch((error) => {
      if (isUndone(error)) throw error
      // As pg does: the stack leads to whoever waits for the answer, not to the socket.
      if (error instanceof Error) Error.captureStackTrace(error)
      return failed(client, error, name)
    })
  } catch (error) {
    return failed(client, error, name)
  }
}

async function failed(client: PgClient, error: unknown, name: string | undefined): Promise<never> {
  if (name !== undefined && isStalePlan(error)) forget(client, name)
  throw await settledError(client, error)
}

/** A statement of our own. */
export async function run(client: PgClient, text: string): Promise<PgResult> {
  try {
    return last(await client.query(text))
  } catch (error) {
    throw await settledError(client, error)
  }
}

function last(result: PgResult | PgResult[]): PgResult {
  return Array.isArray(result) ? (result[result.length - 1] as PgResult) : result
}

/** The error is the caller's when the server is done with the statement. */
export async function settledError(client: PgClient, error: unknown): Promise<unknown> {
  const link = linkOf(client)
  await link.settled()
  // The server's last word says more than that we closed after it.
  if (endsSession(error)) return error
  // Our own close has cancelled it: that is not for the caller to wonder about.
  return link.isClosing ? new Error('Connection terminated', { cause: error }) : error
}

/**
 * The next use of the name prepares it anew. The server may still have the statement, and would refuse a second one of
 * that name; Close cannot fail, is allowed in a failed transaction, and travels with whatever is sent next.
 */
export function forget(client: PgClient, name: string): void {
  const { connection } = client
  delete connection.parsedStatements[name]
  delete connection.submittedNamedStatements?.[name]
  linkOf(client).forget(name)
  connection.close({ type: 'S', name })
}

/** As after DISCARD ALL. */
export function forgetAll(client: PgClient): void {
  const { connection } = client
  connection.parsedStatements = {}
  if (connection.submittedNamedStatements !== undefined) connection.submittedNamedStatements = {}
  linkOf(client).forgetAll()
}
