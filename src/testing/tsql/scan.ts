import { type Context, lock, scopeOf } from './context.ts'
import { convert } from './conversion.ts'
import { sqlErrors } from './error.ts'
import { evaluate, holds, type Scope } from './evaluate.ts'
import type { Expression } from './syntax.ts'
import { asOf, committed, type StoredRow, type Table, type Values } from './table.ts'
import type { Transaction } from './transaction.ts'
import type { Plain } from './value.ts'

export function tableOf({ session }: Context, name: string): Table {
  const table = session.findTable(name)
  if (table === undefined) throw sqlErrors.noTable(name)
  return table
}

/** What an expression sees of a row, by the names that its table goes by. */
export function rowScope(
  context: Context,
  { table, alias, values }: { table: Table; alias: string; values: Values },
): Scope {
  return {
    ...scopeOf(context),
    column(name, of) {
      if (of !== undefined && of !== alias.toLowerCase()) return undefined
      const place = table.placeOf(name)
      const column = table.columns[place]
      return column === undefined ? undefined : { type: column.type, plain: values[place] ?? null }
    },
  }
}

interface Reading {
  readonly table: Table
  readonly transaction: Transaction
  readonly where?: Expression | undefined
  readonly hints?: readonly string[]
}

/** The rows that a reader may see at its isolation; waits for those that somebody else is writing. */
export async function* readRows(context: Context, reading: Reading): AsyncGenerator<Values> {
  const { table, transaction } = reading
  const isolation = isolationOf(context, reading)
  if (isolation === 'snapshot') transaction.takeSnapshot()
  if (isolation === 'serializable') await lock(context, transaction, { thing: table.lock, mode: 'S' })
  for (const row of candidates(context, reading)) {
    const isForeign = row.pending !== undefined && row.pending.by !== transaction
    if (isForeign && isolation === 'read committed') await waitFor(context, row)
    if (isolation === 'repeatable read') await lock(context, transaction, { thing: row.lock, mode: 'S' })
    const values = visible(row, transaction, isolation)
    if (values !== undefined) yield values
  }
}

function isolationOf({ session }: Context, { hints = [] }: Reading): string {
  if (hints.includes('nolock') || hints.includes('readuncommitted')) return 'read uncommitted'
  return hints.includes('holdlock') || hints.includes('serializable') ? 'serializable' : session.isolation
}

async function waitFor(context: Context, row: StoredRow): Promise<void> {
  const reader = { spid: context.session.spid }
  await lock(context, reader, { thing: row.lock, mode: 'S' })
  context.session.host.locks.release(reader)
}

function visible(row: StoredRow, transaction: Transaction, isolation: string): Values | undefined {
  if (row.pending !== undefined && (row.pending.by === transaction || isolation === 'read uncommitted'))
    return row.pending.values
  return transaction.snapshot === undefined ? committed(row) : asOf(row, transaction.snapshot)
}

/** The rows that a writer is going to change, each locked; others are only looked at. */
export async function* rowsToChange(
  context: Context,
  reading: Reading,
): AsyncGenerator<{ row: StoredRow; values: Values }> {
  const { table, transaction, where } = reading
  if (context.session.isolation === 'snapshot') transaction.takeSnapshot()
  await lock(context, transaction, { thing: table.lock, mode: 'IX' })
  const looking = { spid: context.session.spid }
  for (const row of candidates(context, reading)) {
    if (transaction.snapshot !== undefined && !isSeen(context, reading, row)) continue
    await lock(context, looking, { thing: row.lock, mode: 'X' })
    const values = row.pending === undefined ? committed(row) : row.pending.values
    const isMeant =
      values !== undefined && holds(where, rowScope(context, { table, alias: table.name, values }))
    if (isMeant || transaction.snapshot !== undefined)
      await lock(context, transaction, { thing: row.lock, mode: 'X' })
    context.session.host.locks.release(looking)
    if (isMeant) yield { row, values }
    else if (transaction.snapshot !== undefined) throw sqlErrors.snapshotConflict(table.name)
  }
}

/** In a snapshot the rows are chosen as they were; should they have changed since, that is a conflict. */
function isSeen(context: Context, { table, transaction, where }: Reading, row: StoredRow): boolean {
  const values = visible(row, transaction, 'snapshot')
  return values !== undefined && holds(where, rowScope(context, { table, alias: table.name, values }))
}

/** One row where the condition names a whole key, as an index would find it; else all. */
function candidates(context: Context, { table, where }: Reading): StoredRow[] {
  const key = keyIn(context, table, where)
  if (key === undefined) return [...table.rows]
  const row = table.find(key)
  return row === undefined ? [] : [row]
}

function keyIn(context: Context, table: Table, where: Expression | undefined): string | undefined {
  if (where === undefined || table.key.length === 0) return undefined
  const values: Plain[] = []
  for (const { column, value } of equalities(where)) {
    const place = table.placeOf(column)
    const definition = table.columns[place]
    if (definition === undefined) continue
    values[place] = convert(evaluate(value, scopeOf(context)), definition.type).plain
  }
  return table.key.every((place) => values[place] !== undefined) ? table.keyOf(values) : undefined
}

function equalities(where: Expression): { column: string; value: Expression }[] {
  if (where.kind !== 'binary') return []
  const { sign, left, right } = where
  if (sign === 'and') return [...equalities(left), ...equalities(right)]
  if (sign !== '=') return []
  if (left.kind === 'column' && isConstant(right)) return [{ column: left.name, value: right }]
  return right.kind === 'column' && isConstant(left) ? [{ column: right.name, value: left }] : []
}

function isConstant(expression: Expression): boolean {
  return expression.kind === 'literal' || expression.kind === 'variable'
}
