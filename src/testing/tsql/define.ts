import { assertWritable } from './change.ts'
import { type Context, lock } from './context.ts'
import { sqlErrors } from './error.ts'
import { rowsToChange, tableOf } from './scan.ts'
import type { Statement } from './syntax.ts'
import { Table } from './table.ts'
import type { Transaction } from './transaction.ts'

type Create = Extract<Statement, { kind: 'createTable' }>
type AddColumn = Extract<Statement, { kind: 'addColumn' }>
type Drop = Extract<Statement, { kind: 'dropTable' }>

export async function createTable(
  context: Context,
  statement: Create,
  transaction: Transaction,
): Promise<void> {
  const { table: name, columns, key } = statement
  assertWritable(context, { name })
  const tables = placeFor(context, name)
  if (tables.has(name.toLowerCase())) throw sqlErrors.isThere(name)
  const table = new Table(name, columns, key)
  await lock(context, transaction, { thing: table.lock, mode: 'X' })
  tables.set(name.toLowerCase(), table)
  transaction.onUndo(() => tables.delete(name.toLowerCase()))
}

export async function addColumn(
  context: Context,
  statement: AddColumn,
  transaction: Transaction,
): Promise<void> {
  const table = tableOf(context, statement.table)
  assertWritable(context, table)
  await lock(context, transaction, { thing: table.lock, mode: 'X' })
  table.columns.push(statement.column)
  transaction.onUndo(() => table.columns.pop())
}

export async function dropTables(context: Context, statement: Drop, transaction: Transaction): Promise<void> {
  for (const name of statement.tables) {
    const tables = placeFor(context, name)
    const table = tables.get(name.toLowerCase())
    if (table === undefined && statement.ifExists) continue
    if (table === undefined) throw sqlErrors.cannotDrop(name)
    assertWritable(context, table)
    await lock(context, transaction, { thing: table.lock, mode: 'X' })
    tables.delete(name.toLowerCase())
    transaction.onUndo(() => tables.set(name.toLowerCase(), table))
  }
}

export async function truncate(context: Context, name: string, transaction: Transaction): Promise<void> {
  const table = tableOf(context, name)
  assertWritable(context, table)
  for await (const { row } of rowsToChange(context, { table, transaction }))
    transaction.write(table, row, undefined)
  table.identity = 0
}

function placeFor({ session }: Context, name: string): Map<string, Table> {
  return name.startsWith('#') ? session.temporary : session.host.tables
}
