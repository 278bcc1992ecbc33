import type { PgClient, PgQuery, PgResult } from '../../drivers/pg/client.ts'
import type { Types } from './reading.ts'

type Done = (error: Error | null | undefined, result?: unknown) => void
type Told = PgQuery & { name?: string }
type QueryClass = new (text: string, values: readonly unknown[], done: Done) => Told

/** By the class that each copy of pg has for its statements. */
const classes = new WeakMap<QueryClass, QueryClass>()
/** Those of the statement that is being made: pg's constructor asks for them before it has any members. */
let typesOfNext: Types | undefined

/**
 * Runs one statement by the protocol that takes one, and reads its rows by these types. pg copies what it is told as an object, member by
 * member, which takes it longer than the rest of its work; a text and values it takes as they are.
 */
export function runStatement(
  client: PgClient,
  types: Types,
  { sql, values, name }: { sql: string; values: readonly unknown[]; name: string | undefined },
): Promise<PgResult> {
  const { Query } = client.constructor as unknown as { Query: QueryClass }
  return new Promise((resolve, reject) => {
    typesOfNext = types
    const done: Done = (error, result) => (error ? reject(error) : resolve(result as PgResult))
    const statement = new (classes.get(Query) ?? classFrom(Query))(sql, values, done)
    if (name !== undefined) statement.name = name
    client.query(statement as never)
  })
}

function classFrom(Query: QueryClass): QueryClass {
  class Statement extends Query {
    get types(): unknown {
      return typesOfNext
    }

    // pg's own constructor sets what its config says: nothing.
    set types(_: unknown) {}

    get queryMode(): string {
      return 'extended'
    }

    set queryMode(_: unknown) {}
  }
  classes.set(Query, Statement)
  return Statement
}
