import type { QueryResult, Row } from '../../contract/sql-driver.ts'
import type { Column, TediousRequest } from './client.ts'
import type { Link } from './link.ts'
import { signatureOf, type TypedValue, typed } from './parameters.ts'

interface Statement {
  readonly sql: string
  readonly params: readonly unknown[]
  readonly name?: string | undefined
}

export async function query(link: Link, statement: Statement): Promise<QueryResult> {
  if (link.isBusy) await link.quiet()
  link.assertWhole()
  const values = valuesOf(link, statement)
  const result = new Result()
  if (statement.name === undefined)
    await send(link, { ...statement, values }, (request) => result.read(request))
  else
    await sendPrepared(link, { ...statement, values, name: statement.name }, (request) =>
      result.read(request),
    )
  return result.gather()
}

export function valuesOf({ package: { TYPES } }: Link, { params }: Statement): TypedValue[] {
  return params.map((value) => typed(value, TYPES))
}

interface Sendable extends Statement {
  readonly values: readonly TypedValue[]
}

/**
 * Without parameters a text goes as a batch, so that its temporary tables and settings stay; with parameters it runs
 * inside of `sp_executesql`, at whose end the server drops and forgets what was made in it.
 */
export function send(
  link: Link,
  { sql, values }: Sendable,
  prepare: (request: TediousRequest) => void,
): Promise<number> {
  return link.run(sql, (request) => {
    prepare(request)
    if (values.length === 0) return link.connection.execSqlBatch(request)
    add(request, values)
    link.connection.execSql(request)
  })
}

async function sendPrepared(
  link: Link,
  { sql, params, values, name }: Sendable & { name: string },
  prepare: (request: TediousRequest) => void,
): Promise<void> {
  const key = `${name} ${signatureOf(values)}`
  const known = link.prepared.get(key)
  if (known === undefined && link.prepared.size >= MOST_HANDLES) {
    await send(link, { sql, params, values }, prepare)
    return
  }
  const handle = known ?? (await prepareOn(link, sql, values))
  link.prepared.set(key, handle)
  try {
    await link.run(sql, (request) => {
      prepare(request)
      add(request, values)
      request.handle = handle
      const named = Object.fromEntries(values.map(({ value }, index) => [`p${index + 1}`, value]))
      link.connection.execute(request, named)
    })
  } catch (error) {
    if ((error as { number?: unknown }).number === UNKNOWN_HANDLE) link.prepared.delete(key)
    throw error
  }
}

const UNKNOWN_HANDLE = 8179
/** One text has several, where the types of its parameters change: a null is of another type than a number. */
const MOST_HANDLES = 100

/** tedious tells of a prepared statement by events, not by the callback. */
async function prepareOn(link: Link, sql: string, values: readonly TypedValue[]): Promise<number> {
  let made: TediousRequest | undefined
  await link.ask((done) => {
    const request = new link.package.Request(sql, (error) => done(error))
    made = request
    add(request, values)
    request.on('prepared', () => done())
    request.on('error', done)
    link.connection.prepare(request)
  })
  return made?.handle as number
}

function add(request: TediousRequest, values: readonly TypedValue[]): void {
  for (const [index, { type, value, ...facts }] of values.entries())
    request.addParameter(`p${index + 1}`, type, value, facts)
}

/** A procedure, or several statements in one text, give several results: the last one that has rows counts. */
class Result {
  #rows: Row[] = []
  #fields: { name: string }[] | undefined
  #count = 0

  read(request: TediousRequest): void {
    request.on('columnMetadata', (columns: Record<string, { colName: string }>) => {
      this.#fields = Object.values(columns).map(({ colName }) => ({ name: colName }))
      this.#rows = []
    })
    request.on('row', (columns: Column[]) => this.#rows.push(rowOf(columns)))
    // The counts of triggers come before that of the statement itself.
    const counted = (count: number | undefined) => {
      if (count !== undefined) this.#count = count
    }
    request.on('done', counted)
    request.on('doneInProc', counted)
  }

  gather(): QueryResult {
    if (this.#fields === undefined) return { rows: [], rowCount: this.#count, fields: [] }
    return { rows: this.#rows, rowCount: this.#rows.length, fields: this.#fields }
  }
}

/** Of columns with the same name the last one counts; with tedious' `useColumnNames` the first. */
export function rowOf(columns: Column[] | Record<string, Column>): Row {
  const row: Row = {}
  for (const { value, metadata } of Object.values(columns)) row[metadata.colName] = value
  return row
}
