import { setImmediate } from 'node:timers/promises'
import { compare } from './comparison.ts'
import { type Context, scopeOf } from './context.ts'
import { evaluate, holds, isAggregate, type Scope } from './evaluate.ts'
import { both, joined, type Opened, open } from './sources.ts'
import type { Expression, Item, Order, Select } from './syntax.ts'
import type { Transaction } from './transaction.ts'
import { type Column, isText, type Plain } from './value.ts'

const TURN = 500

/** One column of a result, and how it is made. */
interface Output {
  readonly column: Column
  readonly value: Expression
}

/** Runs a SELECT: sends its rows, or sets its variables. */
export async function select(context: Context, query: Select, transaction: Transaction): Promise<number> {
  if (query.items.some(({ into }) => into !== undefined)) return assign(context, query, transaction)
  const sources = sourcesOf(context, query, transaction)
  const outputs = outputsOf(context, query, sources)
  context.sink.columns(outputs.map(({ column }) => column))
  let count = 0
  for await (const scope of rowsOf(context, query, sources)) {
    count++
    const sent = context.sink.row(outputs.map(({ value }) => evaluate(value, scope).plain))
    if (sent !== undefined) await sent
  }
  return count
}

/** The rows of a query as values, for INSERT ... SELECT and IF EXISTS. */
export async function* selected(
  context: Context,
  query: Select,
  transaction: Transaction,
): AsyncGenerator<{ value: Plain; type: Column['type'] }[]> {
  const sources = sourcesOf(context, query, transaction)
  const outputs = outputsOf(context, query, sources)
  for await (const scope of rowsOf(context, query, sources)) {
    yield outputs.map(({ value, column }) => ({ value: evaluate(value, scope).plain, type: column.type }))
  }
}

async function assign(context: Context, query: Select, transaction: Transaction): Promise<number> {
  const sources = sourcesOf(context, query, transaction)
  let count = 0
  for await (const scope of rowsOf(context, query, sources)) {
    count++
    for (const { into, value } of query.items)
      if (into !== undefined && value !== undefined) context.variables.set(into, evaluate(value, scope))
  }
  return count
}

function sourcesOf(context: Context, { from, joins }: Select, transaction: Transaction): Opened[] {
  if (from === undefined) return []
  return [from, ...joins.map(({ source }) => source)].map((source) => open(context, source, transaction))
}

function outputsOf(context: Context, { items }: Select, sources: readonly Opened[]): Output[] {
  const nothing = sources.map((source) => source.scope([])).reduce(both, scopeOf(context))
  const sample: Scope = items.some(({ value }) => value !== undefined && isAggregate(value))
    ? { ...nothing, group: [] }
    : nothing
  return items.flatMap((item): Output[] => {
    if (item.isStar) return starred(sources, item.of)
    const value = item.value as Expression
    return [{ value, column: { name: nameOf(item), type: typeOf(value, sample, sources.length > 0) } }]
  })
}

function starred(sources: readonly Opened[], of: string | undefined): Output[] {
  return sources
    .filter(({ alias }) => of === undefined || alias.toLowerCase() === of.toLowerCase())
    .flatMap(({ alias, columns }) =>
      columns.map((column) => ({ column, value: { kind: 'column', name: column.name, of: alias } as const })),
    )
}

function nameOf({ name, value }: Item): string {
  return name ?? (value?.kind === 'column' ? value.name : '')
}

/** A text that is made of others may be longer in another row. */
function typeOf(value: Expression, sample: Scope, hasRows: boolean): Column['type'] {
  const { type } = evaluate(value, sample)
  const isFixed = value.kind === 'column' || value.kind === 'cast' || !hasRows
  return isFixed || !isText(type) || type.size === 'max' ? type : { name: 'nvarchar', size: 4000 }
}

async function* rowsOf(context: Context, query: Select, sources: readonly Opened[]): AsyncGenerator<Scope> {
  const { order, items } = query
  const isGroup = items.some(({ value }) => value !== undefined && isAggregate(value))
  const all = filtered(context, query, sources)
  if (isGroup) yield { ...scopeOf(context), group: await collected(all) }
  else if (order.length > 0) yield* bounded(context, query, sorted(await collected(all), query))
  else yield* bounded(context, query, all)
}

async function* filtered(context: Context, query: Select, sources: readonly Opened[]): AsyncGenerator<Scope> {
  let seen = 0
  for await (const scope of joined(context, query, sources)) {
    // Promises alone would keep the event loop, and with it an attention, from ever having its turn.
    if (++seen % TURN === 0) await setImmediate()
    context.signal.throwIfAborted()
    if (holds(query.where, scope)) yield scope
  }
}

async function collected(scopes: AsyncIterable<Scope>): Promise<Scope[]> {
  const all: Scope[] = []
  for await (const scope of scopes) all.push(scope)
  return all
}

/** TOP, or OFFSET and FETCH. */
async function* bounded(
  context: Context,
  { top, offset, fetch }: Select,
  scopes: AsyncIterable<Scope> | Iterable<Scope>,
): AsyncGenerator<Scope> {
  const count = (expression: Expression | undefined, otherwise: number) =>
    expression === undefined ? otherwise : Number(evaluate(expression, scopeOf(context)).plain)
  let skip = count(offset, 0)
  let left = count(top ?? fetch, Number.POSITIVE_INFINITY)
  if (left === 0) return
  for await (const scope of scopes) {
    if (skip-- > 0) continue
    yield scope
    if (--left === 0) return
  }
}

function sorted(scopes: readonly Scope[], { order, items }: Select): Scope[] {
  const keys = order.map(({ by, isDescending }) => ({ by: aliased(by, items), isDescending }))
  return [...scopes].sort((a, b) => {
    for (const { by, isDescending } of keys) {
      const found = ranked(by, a, b)
      if (found !== 0) return isDescending ? -found : found
    }
    return 0
  })
}

/** ORDER BY 2, or by the name that an item was given. */
function aliased(by: Order['by'], items: readonly Item[]): Expression {
  if (by.kind === 'literal' && by.value.type.name === 'int')
    return items[Number(by.value.plain) - 1]?.value ?? by
  if (by.kind !== 'column' || by.of !== undefined) return by
  return items.find(({ name }) => name?.toLowerCase() === by.name.toLowerCase())?.value ?? by
}

/** Nulls come first. */
function ranked(by: Expression, a: Scope, b: Scope): number {
  const [x, y] = [evaluate(by, a), evaluate(by, b)]
  return compare(x, y) ?? Number(x.plain !== null) - Number(y.plain !== null)
}
