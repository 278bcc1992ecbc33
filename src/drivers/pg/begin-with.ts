import type { BeginOptions, QueryResult } from '../../contract/sql-driver.ts'
import type { PgClient, PgConnection, PgQuery, PgQueryClass, PgResult } from './client.ts'
import { forget, resultOf, settledError } from './query.ts'
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
  const BeginQuery = beginQueryOf(client)
  const isNew = name !== undefined && client.connection.parsedStatements[name] === undefined
  const query = new BeginQuery({ text: sql, values: writeValues(client, params), name })
  query.begin = beginText(begin)
  try {
    return resultOf(
      await new Promise<PgResult | PgResult[]>((resolve, reject) => {
        query.callback = (error, result) => (error ? reject(error) : resolve(result as PgResult))
        client.query(query)
      }),
    )
  } catch (error) {
    // The Parse of BEGIN was taken for that of the statement.
    if (isNew) forget(client, name)
    throw await settledError(client, error)
  }
}

type BeginQuery = PgQuery & { begin: string }
type BeginQueryClass = new (...args: ConstructorParameters<PgQueryClass>) => BeginQuery

const classes = new WeakMap<PgQueryClass, BeginQueryClass>()

/** A query of the user's own copy of pg that sends a BEGIN before itself. */
function beginQueryOf(client: PgClient): BeginQueryClass {
  const { Query } = client.constructor as unknown as { Query: PgQueryClass }
  const known = classes.get(Query)
  if (known !== undefined) return known
  class WithBegin extends Query {
    begin = 'BEGIN'
    #hasBegun = false

    override requiresPreparation(): boolean {
      return true
    }

    override prepare(connection: PgConnection): void {
      connection.parse({ text: this.begin, name: '' })
      connection.bind({ portal: '', statement: '', values: [] })
      connection.execute({ portal: '', rows: 0 })
      super.prepare(connection)
    }

    /** The first is the BEGIN's. */
    override handleCommandComplete(message: unknown, connection: PgConnection): void {
      if (this.#hasBegun) super.handleCommandComplete(message, connection)
      this.#hasBegun = true
    }
  }
  classes.set(Query, WithBegin)
  return WithBegin
}
