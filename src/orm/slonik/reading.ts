import type { SqlPool } from '../../contract/sql.ts'
import type { RowForm } from '../../contract/sql-driver.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import type { TypeParser } from './configuration.ts'

type Parse = (value: string) => unknown

/** What pg takes as `types` of a statement. */
export interface Types {
  getTypeParser(oid: number, format?: string): Parse
}

type ClientTypes = Pick<PgClient, 'getTypeParser'>

/** What is read of the server before anything else. */
export interface ServerFacts {
  /** By the name of the type. */
  readonly types: ReadonlyMap<string, { readonly oid: number; readonly array: number }>
  readonly database: string
  /** Milliseconds, of `statement_timeout` and the like. */
  readonly settings: ReadonlyMap<string, number>
}

interface Fact {
  readonly kind: 'type' | 'database' | 'setting'
  readonly name: string
  readonly n: number
  readonly array: number
}

const FACTS = `
select 'type' as kind, typname::text as name, oid::int as n, typarray::int as "array" from pg_catalog.pg_type
  where typname = any($1::text[])
union all
select 'setting', name, setting::int, 0 from pg_catalog.pg_settings
  where name in ('statement_timeout', 'idle_in_transaction_session_timeout')
union all
select 'database', current_database()::text, 0, 0`

export async function askServer(
  pool: SqlPool<unknown>,
  typeParsers: readonly TypeParser[],
): Promise<ServerFacts> {
  const { rows } = await pool.query<Fact>(FACTS, [typeParsers.map(({ name }) => name)])
  const of = (kind: Fact['kind']) => rows.filter((row) => row.kind === kind)
  return {
    types: new Map(of('type').map(({ name, n, array }) => [name, { oid: n, array }])),
    database: of('database')[0]?.name ?? '',
    settings: new Map(of('setting').map(({ name, n }) => [name, n])),
  }
}

const TEXT_ARRAY = 1009

/**
 * Slonik's parsers by the types' numbers in this database, arrays of them too; all other values are read as the pool's own
 * clients read them.
 */
export class Reading {
  readonly #parsers = new Map<number, Parse>()
  readonly #elements = new Map<number, Parse>()
  readonly #types = new WeakMap<PgClient, Types>()

  constructor(typeParsers: readonly TypeParser[], { types }: ServerFacts) {
    for (const { name, parse } of typeParsers) {
      const type = types.get(name)
      if (type === undefined) throw new Error(`Database type "${name}" not found.`)
      this.#parsers.set(type.oid, (value) => parse(value))
      if (type.array !== 0) this.#elements.set(type.array, (value) => parse(value))
    }
  }

  /** For a statement of which nobody knows yet what client it meets. */
  readonly form: RowForm = {
    types: { getTypeParser: (oid, format, own) => this.#parser(own as ClientTypes, oid, format) },
  }

  /** For a statement on this client. */
  for(client: PgClient): Types {
    const known = this.#types.get(client)
    if (known !== undefined) return known
    const types = { getTypeParser: (oid: number, format = 'text') => this.#parser(client, oid, format) }
    this.#types.set(client, types)
    return types
  }

  #parser(client: ClientTypes, oid: number, format: string): Parse {
    const parse = this.#parsers.get(oid)
    if (parse !== undefined) return parse
    const element = this.#elements.get(oid)
    if (element === undefined) return client.getTypeParser(oid, format)
    const split = client.getTypeParser(TEXT_ARRAY, format)
    return (value) => each(split(value), element)
  }
}

/** Arrays may have several dimensions, and NULL in them. */
function each(value: unknown, parse: Parse): unknown {
  if (Array.isArray(value)) return value.map((item) => each(item, parse))
  return value === null ? null : parse(value as string)
}
