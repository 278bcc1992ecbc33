import { Cursor } from './cursor.ts'
import { parseDefinition } from './definition-parser.ts'
import { parseExpression } from './expression-parser.ts'
import { parseItem, parseSelect } from './select-parser.ts'
import type { Argument, Exists, Expression, Item, Statement } from './syntax.ts'

/** The statements of a batch; a batch with a mistake anywhere is not begun. */
export function parse(text: string): Statement[] {
  return parseUntil(new Cursor(text), () => false)
}

function parseUntil(cursor: Cursor, isEnd: () => boolean): Statement[] {
  const statements: Statement[] = []
  for (;;) {
    while (cursor.takes(';'));
    if (cursor.current.kind === 'end' || isEnd()) return statements
    statements.push(parseStatement(cursor))
  }
}

const PARSERS: Readonly<Record<string, (cursor: Cursor) => Statement>> = {
  select: parseSelect,
  insert: parseInsert,
  update: parseUpdate,
  delete: parseDelete,
  create: (cursor) => parseDefinition(cursor, 'create'),
  alter: (cursor) => parseDefinition(cursor, 'alter'),
  drop: (cursor) => parseDefinition(cursor, 'drop'),
  truncate: (cursor) => parseDefinition(cursor, 'truncate'),
  begin: parseBegin,
  commit: (cursor) => ({ kind: 'commit', name: parseTransactionName(cursor) }),
  rollback: (cursor) => ({ kind: 'rollback', name: parseTransactionName(cursor) }),
  save: (cursor) => ({ kind: 'save', name: parseTransactionName(cursor) }),
  declare: parseDeclare,
  set: parseSet,
  if: parseIf,
  waitfor: parseWaitfor,
  kill: (cursor) => ({ kind: 'kill', spid: parseExpression(cursor) }),
  use: (cursor) => ({ kind: 'use', database: cursor.name() }),
  print: (cursor) => ({ kind: 'print', value: parseExpression(cursor) }),
  raiserror: parseRaise,
  throw: (cursor) => ({
    kind: 'throw',
    args: /^(number|variable)$/.test(cursor.current.kind) ? cursor.list(() => parseExpression(cursor)) : [],
  }),
  exec: parseExecute,
  execute: parseExecute,
  return: () => ({ kind: 'return' }),
}

function parseStatement(cursor: Cursor): Statement {
  const { kind, value } = cursor.current
  const parser = kind === 'word' && Object.hasOwn(PARSERS, value) ? PARSERS[value] : undefined
  if (parser === undefined) return cursor.fail()
  cursor.next()
  return parser(cursor)
}

function parseTransactionName(cursor: Cursor): string {
  if (!cursor.takes('transaction') && !cursor.takes('tran')) {
    cursor.takes('work')
    return ''
  }
  const { kind, value } = cursor.current
  if (kind === 'variable') return cursor.variable()
  return kind === 'quoted' || (kind === 'word' && !Object.hasOwn(PARSERS, value)) ? cursor.name() : ''
}

function parseBegin(cursor: Cursor): Statement {
  if (cursor.sees('transaction') || cursor.sees('tran'))
    return { kind: 'begin', name: parseTransactionName(cursor) }
  if (!cursor.takes('try')) {
    const body = parseUntil(cursor, () => cursor.sees('end'))
    cursor.expect('end')
    return { kind: 'block', body }
  }
  const body = parseUntil(cursor, () => cursor.sees('end', 'try'))
  cursor.expect('end', 'try')
  cursor.expect('begin', 'catch')
  const handler = parseUntil(cursor, () => cursor.sees('end', 'catch'))
  cursor.expect('end', 'catch')
  return { kind: 'try', body, handler }
}

function parseDeclare(cursor: Cursor): Statement {
  const body = cursor.list((): Statement => {
    const name = cursor.variable()
    cursor.takes('as')
    const type = cursor.type()
    return cursor.takes('=')
      ? { kind: 'declare', name, type, value: parseExpression(cursor) }
      : { kind: 'declare', name, type }
  })
  return { kind: 'block', body }
}

function parseSet(cursor: Cursor): Statement {
  if (cursor.current.kind === 'variable') {
    const name = cursor.variable()
    cursor.expect('=')
    return { kind: 'assign', name, value: parseExpression(cursor) }
  }
  if (cursor.takes('transaction', 'isolation', 'level')) {
    const words = [cursor.name()]
    if (/^(read|repeatable)$/i.test(words[0] as string)) words.push(cursor.name())
    return { kind: 'set', option: 'isolation', value: words.join(' ').toLowerCase() }
  }
  const names = cursor.list(() => cursor.name().toLowerCase())
  const value = cursor.takes('-') ? `-${cursor.next().value}` : cursor.next().value
  return { kind: 'block', body: names.map((option) => ({ kind: 'set', option, value })) }
}

function parseIf(cursor: Cursor): Statement {
  const condition = parseCondition(cursor)
  const then = parseStatement(cursor)
  if (cursor.sees(';', 'else')) cursor.next()
  if (!cursor.takes('else')) return { kind: 'if', condition, then }
  return { kind: 'if', condition, then, otherwise: parseStatement(cursor) }
}

function parseCondition(cursor: Cursor): Expression | Exists {
  const isNot = cursor.sees('not', 'exists')
  if (!isNot && !cursor.sees('exists')) return parseExpression(cursor)
  if (isNot) cursor.next()
  cursor.expect('exists', '(', 'select')
  const query = parseSelect(cursor)
  cursor.expect(')')
  return { kind: 'exists', query, isNot }
}

function parseWaitfor(cursor: Cursor): Statement {
  cursor.expect('delay')
  return { kind: 'waitfor', delay: parseExpression(cursor) }
}

function parseRaise(cursor: Cursor): Statement {
  cursor.expect('(')
  const args = cursor.list(() => parseExpression(cursor))
  cursor.expect(')')
  if (cursor.takes('with')) cursor.list(() => cursor.name())
  return { kind: 'raise', args }
}

function parseExecute(cursor: Cursor): Statement {
  const into = cursor.current.kind === 'variable' ? cursor.variable() : undefined
  if (into !== undefined) cursor.expect('=')
  const procedure = cursor.path().toLowerCase()
  const hasArgs = /^(variable|text|number|bytes)$/.test(cursor.current.kind) || cursor.sees('null')
  const args = hasArgs ? cursor.list(() => parseArgument(cursor)) : []
  return into === undefined
    ? { kind: 'execute', procedure, args }
    : { kind: 'execute', procedure, into, args }
}

function parseArgument(cursor: Cursor): Argument {
  const name = cursor.peek().value === '=' ? cursor.variable() : undefined
  if (name !== undefined) cursor.expect('=')
  // A word without quotes is a text here.
  const isWord = cursor.current.kind === 'word' && !cursor.sees('null')
  const value: Expression = isWord
    ? { kind: 'literal', value: { type: { name: 'nvarchar', size: 128 }, plain: cursor.name() } }
    : parseExpression(cursor)
  if (!cursor.takes('output')) cursor.takes('out')
  return name === undefined ? { value } : { name, value }
}

function parseOutput(cursor: Cursor): Item[] {
  return cursor.takes('output') ? cursor.list(() => parseItem(cursor)) : []
}

function parseInsert(cursor: Cursor): Statement {
  cursor.takes('into')
  const table = cursor.path()
  const columns = cursor.takes('(') ? cursor.list(() => cursor.name()) : []
  if (columns.length > 0) cursor.expect(')')
  const output = parseOutput(cursor)
  const head = { kind: 'insert', table, columns, output } as const
  if (cursor.takes('default', 'values')) return { ...head, rows: [[]] }
  if (cursor.takes('select')) return { ...head, rows: [], query: parseSelect(cursor) }
  cursor.expect('values')
  const rows = cursor.list(() => {
    cursor.expect('(')
    const row = cursor.list(() => parseExpression(cursor))
    cursor.expect(')')
    return row
  })
  return { ...head, rows }
}

function parseUpdate(cursor: Cursor): Statement {
  const table = cursor.path()
  cursor.expect('set')
  const set = cursor.list(() => {
    const column = cursor.name()
    cursor.expect('=')
    return { column, value: parseExpression(cursor) }
  })
  const output = parseOutput(cursor)
  const where = cursor.takes('where') ? parseExpression(cursor) : undefined
  return where === undefined
    ? { kind: 'update', table, set, output }
    : { kind: 'update', table, set, output, where }
}

function parseDelete(cursor: Cursor): Statement {
  cursor.takes('from')
  const table = cursor.path()
  const output = parseOutput(cursor)
  const where = cursor.takes('where') ? parseExpression(cursor) : undefined
  return where === undefined ? { kind: 'delete', table, output } : { kind: 'delete', table, output, where }
}
