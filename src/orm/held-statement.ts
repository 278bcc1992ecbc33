import { ConnectionLostError } from '../contract/errors.ts'
import type { SqlLease } from '../contract/sql.ts'
import type { QueryResult } from '../contract/sql-driver.ts'
import { isBusy, type PgClient, type PgQueryClass, type PgResult } from '../drivers/pg/client.ts'
import { linkOf } from '../drivers/pg/link.ts'

/** Of these the server tells how many rows, which pg shows; of others pg shows null, and we 0. */
const COUNTED = /^\s*(?:select|insert|update|delete|merge|with|values)\b/i

/**
 * Runs a statement with values on a client that somebody holds as the pool runs it, prepared when it has earned that: it costs
 * the server and the program less. Undefined where pg has to do it: in a transaction, which the error of an invalid plan
 * would abort, and behind statements that pg knows of, which come first.
 */
export function runHeld(
  { lease, client }: { lease: SqlLease<PgClient>; client: PgClient },
  text: unknown,
  values: unknown,
): Promise<PgResult> | undefined {
  if (typeof text !== 'string' || !Array.isArray(values) || values.length === 0) return undefined
  if (isBusy(client) || linkOf(client).status !== 'I' || !COUNTED.test(text)) return undefined
  return lease.query(text, values).then((result) => resultOf(client, result), inWordsOfPg)
}

function inWordsOfPg(error: unknown): never {
  throw error instanceof ConnectionLostError ? (error.cause ?? error) : error
}

type Result = { -readonly [K in keyof PgResult]: PgResult[K] } & { oid: number | null }
type ResultClass = new () => Result

const classes = new WeakMap<PgQueryClass, ResultClass>()

/** As pg's own, by its class. */
function resultOf(client: PgClient, { command, rowCount, rows, fields }: QueryResult): PgResult {
  const { Query } = client.constructor as unknown as { Query: PgQueryClass }
  const Result = classes.get(Query) ?? resultClassOf(Query)
  return Object.assign(new Result(), {
    command,
    rowCount,
    rows,
    fields,
    oid: command === 'INSERT' ? 0 : null,
  })
}

function resultClassOf(Query: PgQueryClass): ResultClass {
  const { _result: example } = new Query({ text: '', values: [] }) as unknown as { _result: object }
  const made = example.constructor as ResultClass
  classes.set(Query, made)
  return made
}
