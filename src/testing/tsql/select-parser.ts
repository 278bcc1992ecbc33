import type { Cursor } from './cursor.ts'
import { parseExpression } from './expression-parser.ts'
import type { Item, Join, Order, Select, Source } from './syntax.ts'

/** Words that end an item, and so are no alias of it. */
const ENDS =
  /^(from|where|order|group|having|union|offset|fetch|for|option|as|values|select|insert|update|delete|set|if|else|begin|end|commit|rollback|save|declare|exec|execute|print|return|waitfor|kill|use|drop|create|alter|truncate|raiserror|throw|join|inner|left|right|cross|full|on|with|output|into)$/

/** Parses what stands behind SELECT. */
export function parseSelect(cursor: Cursor): Select {
  const top = parseTop(cursor)
  const items = cursor.list(() => parseItem(cursor))
  const from = cursor.takes('from') ? parseSource(cursor) : undefined
  const joins = from === undefined ? [] : parseJoins(cursor)
  const where = cursor.takes('where') ? parseExpression(cursor) : undefined
  const order = cursor.takes('order', 'by') ? cursor.list(() => parseOrder(cursor)) : []
  const offset = cursor.takes('offset') ? parseRows(cursor) : undefined
  const fetch = cursor.takes('fetch') ? parseFetch(cursor) : undefined
  return {
    kind: 'select',
    items,
    joins,
    order,
    ...(top !== undefined && { top }),
    ...(from !== undefined && { from }),
    ...(where !== undefined && { where }),
    ...(offset !== undefined && { offset }),
    ...(fetch !== undefined && { fetch }),
  }
}

function parseTop(cursor: Cursor) {
  if (!cursor.takes('top')) return undefined
  const hasParentheses = cursor.takes('(')
  const top = hasParentheses
    ? parseExpression(cursor)
    : ({ kind: 'literal', value: { type: { name: 'int' }, plain: cursor.number() } } as const)
  if (hasParentheses) cursor.expect(')')
  return top
}

/** One column of a result. */
export function parseItem(cursor: Cursor): Item {
  if (cursor.takes('*')) return { isStar: true }
  if (cursor.peek(1).value === '.' && cursor.peek(2).value === '*') {
    const of = cursor.name()
    cursor.expect('.', '*')
    return { isStar: true, of }
  }
  if (cursor.current.kind === 'variable' && cursor.peek().value === '=') {
    const into = cursor.variable()
    cursor.expect('=')
    return { into, value: parseExpression(cursor) }
  }
  const value = parseExpression(cursor)
  const name = parseAlias(cursor)
  return name === undefined ? { value } : { value, name }
}

function parseAlias(cursor: Cursor): string | undefined {
  if (cursor.takes('as')) return cursor.current.kind === 'text' ? cursor.next().value : cursor.name()
  const { kind, value } = cursor.current
  const isAlias = kind === 'quoted' || (kind === 'word' && !ENDS.test(value))
  return isAlias ? cursor.name() : undefined
}

function parseSource(cursor: Cursor): Source {
  const name = cursor.path()
  const args = cursor.takes('(') ? cursor.list(() => parseExpression(cursor)) : undefined
  if (args !== undefined) cursor.expect(')')
  const alias = parseAlias(cursor) ?? name.replace(/^.*\./, '')
  const hints = cursor.takes('with', '(') ? cursor.list(() => cursor.name().toLowerCase()) : []
  if (hints.length > 0) cursor.expect(')')
  return args === undefined ? { name, alias, hints } : { name, alias, args, hints }
}

function parseJoins(cursor: Cursor): Join[] {
  const joins: Join[] = []
  for (;;) {
    if (cursor.takes(',') || cursor.takes('cross', 'join')) {
      joins.push({ source: parseSource(cursor), isLeft: false })
      continue
    }
    const isLeft = cursor.takes('left', 'outer', 'join') || cursor.takes('left', 'join')
    if (!isLeft && !cursor.takes('inner', 'join') && !cursor.takes('join')) return joins
    const source = parseSource(cursor)
    cursor.expect('on')
    joins.push({ source, on: parseExpression(cursor), isLeft })
  }
}

function parseOrder(cursor: Cursor): Order {
  const by = parseExpression(cursor)
  const isDescending = cursor.takes('desc')
  if (!isDescending) cursor.takes('asc')
  return { by, isDescending }
}

function parseRows(cursor: Cursor) {
  const count = parseExpression(cursor)
  if (!cursor.takes('rows')) cursor.expect('row')
  return count
}

function parseFetch(cursor: Cursor) {
  if (!cursor.takes('next')) cursor.expect('first')
  const count = parseRows(cursor)
  cursor.expect('only')
  return count
}
