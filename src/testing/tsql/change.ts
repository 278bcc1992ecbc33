import { type Context, lock, scopeOf } from './context.ts'
import { convert, limitOf } from './conversion.ts'
import { sqlErrors } from './error.ts'
import { evaluate, type Scope } from './evaluate.ts'
import { rowScope, rowsToChange, tableOf } from './scan.ts'
import { selected } from './select.ts'
import type { Expression, Item, Statement } from './syntax.ts'
import { committed, type StoredRow, type Table, type Values } from './table.ts'
import type { Transaction } from './transaction.ts'
import { isText, type Plain, type Value } from './value.ts'

type Insert = Extract<Statement, { kind: 'insert' }>
type Update = Extract<Statement, { kind: 'update' }>
type Delete = Extract<Statement, { kind: 'delete' }>

/** What a changed row was and is, for OUTPUT. */
interface Change {
  readonly inserted?: Values
  readonly deleted?: Values
}

export async function insert(context: Context, statement: Insert, transaction: Transaction): Promise<number> {
  const table = tableOf(context, statement.table)
  assertWritable(context, table)
  await lock(context, transaction, { thing: table.lock, mode: 'IX' })
  const places = placesOf(table, statement.columns)
  const report = new Report(context, table, statement.output)
  for await (const given of givenRows(context, statement, transaction)) {
    const values = completed(context, { table, places, given })
    await put(context, { table, transaction, values })
    await report.add({ inserted: values })
  }
  return report.count
}

async function* givenRows(
  context: Context,
  { rows, query }: Insert,
  transaction: Transaction,
): AsyncGenerator<Value[]> {
  for (const row of rows) yield row.map((value) => evaluate(value, scopeOf(context)))
  if (query === undefined) return
  const all: Value[][] = []
  for await (const row of selected(context, query, transaction))
    all.push(row.map(({ value, type }) => ({ plain: value, type })))
  yield* all
}

function placesOf(table: Table, columns: readonly string[]): number[] {
  if (columns.length === 0)
    return table.columns.flatMap(({ isIdentity }, place) => (isIdentity ? [] : [place]))
  return columns.map((name) => {
    const place = table.placeOf(name)
    if (place < 0) throw sqlErrors.noColumn(name)
    return place
  })
}

function completed(
  context: Context,
  { table, places, given }: { table: Table; places: readonly number[]; given: readonly Value[] },
): Plain[] {
  const values: Plain[] = table.columns.map((column, place) => {
    const index = places.indexOf(place)
    const value = index < 0 ? undefined : given[index]
    if (column.isIdentity && value === undefined) return nextIdentity(context, table)
    const found = value ?? fallbackOf(context, column.fallback)
    return found === undefined ? null : fitting(found, column)
  })
  for (const [place, { name, isNullable }] of table.columns.entries())
    if (!isNullable && values[place] === null) throw sqlErrors.notNull(name, table.name)
  return values
}

function nextIdentity({ session }: Context, table: Table): number {
  session.identity = ++table.identity
  return table.identity
}

function fallbackOf(context: Context, fallback: Expression | undefined): Value | undefined {
  return fallback === undefined ? undefined : evaluate(fallback, scopeOf(context))
}

function fitting(value: Value, { type }: { type: Value['type'] }): Plain {
  const limit = limitOf(type)
  if (isText(type) && limit !== undefined && String(value.plain ?? '').trimEnd().length > limit)
    throw sqlErrors.truncated()
  return convert(value, type).plain
}

interface Put {
  readonly table: Table
  readonly transaction: Transaction
  readonly values: Values
}

async function put(context: Context, { table, transaction, values }: Put): Promise<void> {
  const key = table.keyOf(values)
  const there = key === undefined ? undefined : table.find(key)
  if (there === undefined) return write(context, { table, transaction, values }, table.add(key))
  await lock(context, transaction, { thing: there.lock, mode: 'X' })
  // While we waited it may have gone altogether.
  if (!table.rows.has(there)) return put(context, { table, transaction, values })
  const now = there.pending === undefined ? committed(there) : there.pending.values
  if (now !== undefined) throw sqlErrors.duplicate(table.name, String(key).replaceAll('|', ', '))
  return write(context, { table, transaction, values }, there)
}

async function write(context: Context, { table, transaction, values }: Put, row: StoredRow): Promise<void> {
  // Nobody can hold a lock on a row that has just come into being.
  await lock(context, transaction, { thing: row.lock, mode: 'X' })
  transaction.write(table, row, values)
}

export async function update(context: Context, statement: Update, transaction: Transaction): Promise<number> {
  const table = tableOf(context, statement.table)
  assertWritable(context, table)
  const report = new Report(context, table, statement.output)
  const places = placesOf(
    table,
    statement.set.map(({ column }) => column),
  )
  const { where } = statement
  for await (const { row, values } of rowsToChange(context, { table, transaction, where })) {
    const scope = rowScope(context, { table, alias: table.name, values })
    const next = table.columns.map((column, place): Plain => {
      const set = statement.set[places.indexOf(place)]
      return set === undefined ? (values[place] ?? null) : fitting(evaluate(set.value, scope), column)
    })
    if (table.keyOf(next) === row.key) transaction.write(table, row, next)
    else {
      transaction.write(table, row, undefined)
      await put(context, { table, transaction, values: next })
    }
    await report.add({ inserted: next, deleted: values })
  }
  return report.count
}

export async function remove(context: Context, statement: Delete, transaction: Transaction): Promise<number> {
  const table = tableOf(context, statement.table)
  assertWritable(context, table)
  const report = new Report(context, table, statement.output)
  const { where } = statement
  for await (const { row, values } of rowsToChange(context, { table, transaction, where })) {
    transaction.write(table, row, undefined)
    await report.add({ deleted: values })
  }
  return report.count
}

/** On a replica only temporary tables can be written. */
export function assertWritable({ session }: Context, { name }: { name: string }): void {
  if (session.host.isReadOnly && !name.startsWith('#')) throw sqlErrors.readOnly(session.database)
}

/** Counts changes, and sends what OUTPUT asks for. */
class Report {
  count = 0
  readonly #context: Context
  readonly #table: Table
  readonly #items: readonly Expression[]

  constructor(context: Context, table: Table, output: readonly Item[]) {
    this.#context = context
    this.#table = table
    this.#items = output.flatMap((item) => this.#valuesOf(item))
    if (output.length === 0) return
    const none = this.#scope({})
    const names = output.flatMap((item) =>
      item.isStar ? table.columns.map(({ name }) => name) : [item.name],
    )
    context.sink.columns(
      this.#items.map((value, index) => ({
        name: names[index] ?? (value.kind === 'column' ? value.name : ''),
        type: evaluate(value, none).type,
      })),
    )
  }

  async add(change: Change): Promise<void> {
    this.count++
    if (this.#items.length === 0) return
    const scope = this.#scope(change)
    await this.#context.sink.row(this.#items.map((value) => evaluate(value, scope).plain))
  }

  #valuesOf({ isStar, of = 'inserted', value }: Item): Expression[] {
    if (!isStar) return value === undefined ? [] : [value]
    return this.#table.columns.map(({ name }) => ({ kind: 'column', name, of }))
  }

  #scope({ inserted = [], deleted = [] }: Change): Scope {
    return {
      ...scopeOf(this.#context),
      column: (name, of) => {
        const place = this.#table.placeOf(name)
        const column = this.#table.columns[place]
        const plain = (of === 'deleted' ? deleted : inserted)[place] ?? null
        return column === undefined ? undefined : { type: column.type, plain }
      },
    }
  }
}
