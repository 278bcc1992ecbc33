import type { Cursor } from './cursor.ts'
import { parseExpression } from './expression-parser.ts'
import type { ColumnDefinition, Expression, Statement } from './syntax.ts'

/** Parses what stands behind CREATE, ALTER, DROP or TRUNCATE: only tables can be defined. */
export function parseDefinition(cursor: Cursor, word: 'create' | 'alter' | 'drop' | 'truncate'): Statement {
  cursor.expect('table')
  if (word === 'truncate') return { kind: 'truncate', table: cursor.path() }
  if (word === 'drop') {
    const ifExists = cursor.takes('if', 'exists')
    return { kind: 'dropTable', ifExists, tables: cursor.list(() => cursor.path()) }
  }
  const table = cursor.path()
  if (word === 'create') return parseTable(cursor, table)
  cursor.expect('add')
  return { kind: 'addColumn', table, column: parseColumn(cursor) }
}

function parseTable(cursor: Cursor, table: string): Statement {
  cursor.expect('(')
  const columns: ColumnDefinition[] = []
  const key: string[] = []
  cursor.list(() => {
    if (cursor.takes('constraint')) cursor.name()
    if (cursor.sees('primary')) key.push(...parseKey(cursor))
    else columns.push(parseColumn(cursor))
  })
  cursor.expect(')')
  return { kind: 'createTable', table, columns, key }
}

function parseKey(cursor: Cursor): string[] {
  cursor.expect('primary', 'key')
  if (!cursor.takes('clustered')) cursor.takes('nonclustered')
  cursor.expect('(')
  const names = cursor.list(() => {
    const name = cursor.name()
    if (!cursor.takes('asc')) cursor.takes('desc')
    return name
  })
  cursor.expect(')')
  return names
}

function parseColumn(cursor: Cursor): ColumnDefinition {
  const name = cursor.name()
  const type = cursor.type()
  let isNullable = true
  let isIdentity = false
  let isKey = false
  let fallback: Expression | undefined
  for (;;) {
    if (cursor.takes('not', 'null')) isNullable = false
    else if (cursor.takes('null')) isNullable = true
    else if (cursor.takes('identity')) isIdentity = skipParentheses(cursor)
    else if (cursor.takes('primary', 'key')) isKey = takeKind(cursor)
    else if (cursor.takes('default')) fallback = parseExpression(cursor)
    else if (cursor.takes('constraint')) cursor.name()
    else break
  }
  const column = { name, type, isNullable: isNullable && !isKey && !isIdentity, isIdentity, isKey }
  return fallback === undefined ? column : { ...column, fallback }
}

function skipParentheses(cursor: Cursor): true {
  if (cursor.takes('(')) {
    cursor.list(() => cursor.number())
    cursor.expect(')')
  }
  return true
}

function takeKind(cursor: Cursor): true {
  if (!cursor.takes('clustered')) cursor.takes('nonclustered')
  return true
}
