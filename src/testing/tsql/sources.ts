import { type Context, scopeOf } from './context.ts'
import { sqlErrors } from './error.ts'
import { evaluate, type Scope } from './evaluate.ts'
import { readRows, rowScope, tableOf } from './scan.ts'
import type { Expression, Select, Source } from './syntax.ts'
import { systemView } from './system-views.ts'
import { Table, type Values } from './table.ts'
import type { Transaction } from './transaction.ts'
import { BIGINT, type Column, INT } from './value.ts'

/** Something that rows can be read from. */
export interface Opened {
  readonly alias: string
  readonly columns: readonly Column[]
  /** What an expression sees of one row, or of none where that is all about types. */
  scope(values: Values): Scope
  rows(where?: Expression): AsyncIterable<Values> | Iterable<Values>
}

export function open(context: Context, source: Source, transaction: Transaction): Opened {
  const { name, alias, args, hints } = source
  if (args !== undefined) return series(context, source, args)
  const view = systemView(context.session, name.toLowerCase())
  const table = view?.table ?? tableOf(context, name)
  return {
    alias,
    columns: table.columns,
    scope: (values) => rowScope(context, { table, alias, values }),
    rows: (where) => view?.rows ?? readRows(context, { table, transaction, where, hints }),
  }
}

/** `generate_series(first, last [, step])` */
function series(context: Context, { name, alias }: Source, args: readonly Expression[]): Opened {
  if (name.toLowerCase() !== 'generate_series') throw sqlErrors.noTable(name)
  const bounds = args.map((arg) => evaluate(arg, scopeOf(context)))
  const [first = 0, last = 0, step = first <= last ? 1 : -1] = bounds.map(({ plain }) => Number(plain))
  const type = bounds.some((bound) => bound.type.name === 'bigint') ? BIGINT : INT
  const column = { name: 'value', type, isNullable: false, isIdentity: false, isKey: false }
  const table = new Table(alias, [column], [])
  return {
    alias,
    columns: [column],
    scope: (values) => rowScope(context, { table, alias, values }),
    *rows() {
      for (let n = first; step > 0 ? n <= last : n >= last; n += step) yield [n]
    },
  }
}

/** The scopes of all rows of FROM and its joins, joined one after another. */
export async function* joined(
  context: Context,
  { joins, where }: Select,
  sources: readonly Opened[],
): AsyncGenerator<Scope> {
  const [first, ...others] = sources
  if (first === undefined) {
    yield scopeOf(context)
    return
  }
  if (others.length === 0) {
    for await (const values of first.rows(where)) yield first.scope(values)
    return
  }
  let scopes: Scope[] = []
  for await (const values of first.rows()) scopes.push(first.scope(values))
  for (const [index, other] of others.entries()) {
    const rows: Scope[] = []
    for await (const values of other.rows()) rows.push(other.scope(values))
    const join = joins[index]
    const none = join?.isLeft === true ? other.scope([]) : undefined
    scopes = scopes.flatMap((scope) => matches(scope, rows, { on: join?.on, none }))
  }
  yield* scopes
}

function matches(
  left: Scope,
  rights: readonly Scope[],
  { on, none }: { on: Expression | undefined; none: Scope | undefined },
): Scope[] {
  const found = rights
    .map((right) => both(left, right))
    .filter((scope) => on === undefined || evaluate(on, scope).plain === true)
  return found.length === 0 && none !== undefined ? [both(left, none)] : found
}

export function both(left: Scope, right: Scope): Scope {
  return { ...left, column: (name, of) => left.column?.(name, of) ?? right.column?.(name, of) }
}
