import type { PoolConnection } from 'mysql2'
import type { Mysql2Package } from '../../compat/mysql2/package.ts'
import type { Asked } from './node.ts'

/** Of mysql2's settings of a connection those that can be had for one statement. */
export const WITH_EACH_STATEMENT = [
  'supportBigNumbers',
  'bigNumberStrings',
  'dateStrings',
  'timezone',
  'typeCast',
] as const

type Format = Mysql2Package['format']

/** How TypeORM wants values written and read; other users of the pool may want them otherwise. */
export interface Settings {
  readonly format: Format
  readonly timezone: string | undefined
  /** As mysql2's options of a statement. */
  readonly options: Record<string, unknown>
}

export function settingsOf(asked: Asked, { format }: Mysql2Package): Settings {
  const given = WITH_EACH_STATEMENT.filter((name) => asked[name] !== undefined)
  const options = Object.fromEntries(given.map((name) => [name, asked[name]]))
  return { format, timezone: asked.timezone as string | undefined, options }
}

type Query = (statement: unknown, values?: unknown, callback?: unknown) => unknown

/** Puts a `query` in the place of this borrowing's own that knows them. */
export function underSettings(connection: PoolConnection, settings: Settings): void {
  const query = connection.query.bind(connection) as unknown as Query
  const under: Query = (statement, values, callback) => {
    const asked = textOf(statement)
    if (asked === undefined || !isList(values)) return query(statement, values, callback)
    const sql = values === undefined ? asked.sql : written(asked.sql, values, { connection, settings })
    const done = typeof values === 'function' ? values : callback
    return query({ ...settings.options, ...asked, sql }, done)
  }
  connection.query = under as unknown as PoolConnection['query']
}

/** An object among the values is a value, never a piece of SQL: `{ id: { id: 1 } }` would be true of every row. */
function written(
  sql: string,
  values: unknown,
  { connection, settings }: { connection: PoolConnection; settings: Settings },
): string {
  if (!Array.isArray(values)) return sql
  const timezone = settings.timezone ?? (connection.config as { timezone?: string }).timezone
  return settings.format(sql, values, true, timezone)
}

/** A text, or mysql2's options of a statement. A command that is made already is let be. */
function textOf(statement: unknown): { readonly sql: string } | undefined {
  if (typeof statement === 'string') return { sql: statement }
  if (typeof statement !== 'object' || statement === null) return undefined
  const isPlain = Object.getPrototypeOf(statement) === Object.prototype
  return isPlain && 'sql' in statement ? (statement as { sql: string }) : undefined
}

/** Values by position, or none: those by name are mysql2's to find. */
function isList(values: unknown): boolean {
  return values === undefined || values === null || typeof values === 'function' || Array.isArray(values)
}
