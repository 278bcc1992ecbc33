import type { Cursor } from './cursor.ts'
import type { Expression } from './syntax.ts'
import { FLOAT, INT, text, type Value } from './value.ts'

const COMPARISONS = ['=', '<>', '!=', '<', '>', '<=', '>=']
const SUMS = ['+', '-', '&', '|']
const PRODUCTS = ['*', '/', '%']
const NULL: Expression = { kind: 'literal', value: { type: INT, plain: null } }

/** Parses an expression or a condition. */
export function parseExpression(cursor: Cursor): Expression {
  let left = parseAnd(cursor)
  while (cursor.takes('or')) left = { kind: 'binary', sign: 'or', left, right: parseAnd(cursor) }
  return left
}

function parseAnd(cursor: Cursor): Expression {
  let left = parseNot(cursor)
  while (cursor.takes('and')) left = { kind: 'binary', sign: 'and', left, right: parseNot(cursor) }
  return left
}

function parseNot(cursor: Cursor): Expression {
  return cursor.takes('not') ? { kind: 'not', value: parseNot(cursor) } : parseComparison(cursor)
}

function parseComparison(cursor: Cursor): Expression {
  const left = parseSum(cursor)
  const sign = COMPARISONS.find((one) => cursor.takes(one))
  if (sign !== undefined) {
    return { kind: 'binary', sign: sign === '!=' ? '<>' : sign, left, right: parseSum(cursor) }
  }
  if (cursor.takes('is')) {
    const isNot = cursor.takes('not')
    cursor.expect('null')
    return { kind: 'isNull', value: left, isNot }
  }
  const isNot = cursor.takes('not')
  if (cursor.takes('in')) return parseIn(cursor, left, isNot)
  if (cursor.takes('like'))
    return negated({ kind: 'binary', sign: 'like', left, right: parseSum(cursor) }, isNot)
  if (cursor.takes('between')) return negated(parseBetween(cursor, left), isNot)
  return isNot ? cursor.fail() : left
}

function parseIn(cursor: Cursor, value: Expression, isNot: boolean): Expression {
  cursor.expect('(')
  const list = cursor.list(() => parseExpression(cursor))
  cursor.expect(')')
  return { kind: 'in', value, list, isNot }
}

function parseBetween(cursor: Cursor, value: Expression): Expression {
  const least = parseSum(cursor)
  cursor.expect('and')
  const most = parseSum(cursor)
  return {
    kind: 'binary',
    sign: 'and',
    left: { kind: 'binary', sign: '>=', left: value, right: least },
    right: { kind: 'binary', sign: '<=', left: value, right: most },
  }
}

function negated(value: Expression, isNot: boolean): Expression {
  return isNot ? { kind: 'not', value } : value
}

function parseSum(cursor: Cursor): Expression {
  return parseChain(cursor, SUMS, () => parseChain(cursor, PRODUCTS, () => parseUnary(cursor)))
}

function parseChain(cursor: Cursor, signs: readonly string[], operand: () => Expression): Expression {
  let left = operand()
  for (;;) {
    const sign = signs.find((one) => cursor.takes(one))
    if (sign === undefined) return left
    left = { kind: 'binary', sign, left, right: operand() }
  }
}

function parseUnary(cursor: Cursor): Expression {
  for (const sign of ['-', '+', '~'] as const) {
    if (cursor.takes(sign)) return { kind: 'unary', sign, value: parseUnary(cursor) }
  }
  return parsePrimary(cursor)
}

function parsePrimary(cursor: Cursor): Expression {
  const { kind, value } = cursor.current
  if (kind === 'text') return literal(cursor, text(value))
  if (kind === 'number') return literal(cursor, numberOf(value))
  if (kind === 'bytes') return literal(cursor, bytesOf(value))
  if (kind === 'variable') return { kind: 'variable', name: cursor.variable() }
  if (cursor.takes('(')) {
    const inner = parseExpression(cursor)
    cursor.expect(')')
    return inner
  }
  if (cursor.takes('null')) return NULL
  if (cursor.takes('case')) return parseCase(cursor)
  if (/^(try_)?(cast|convert)$/.test(value) && cursor.peek().value === '(') return parseCast(cursor)
  return parseReference(cursor)
}

function literal(cursor: Cursor, value: Value): Expression {
  cursor.next()
  return { kind: 'literal', value }
}

function numberOf(source: string): Value {
  if (/e/i.test(source)) return { type: FLOAT, plain: Number(source) }
  const [whole = '', fraction] = source.split('.')
  if (fraction === undefined && Number(whole) <= 2 ** 31 - 1) return { type: INT, plain: Number(whole) }
  const scale = fraction?.length ?? 0
  return { type: { name: 'decimal', precision: Math.max(1, whole.length + scale), scale }, plain: source }
}

function bytesOf(hex: string): Value {
  const plain = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return { type: { name: 'varbinary', size: Math.max(1, plain.length) }, plain }
}

function parseCase(cursor: Cursor): Expression {
  const subject = cursor.sees('when') ? undefined : parseExpression(cursor)
  const arms: { when: Expression; gives: Expression }[] = []
  while (cursor.takes('when')) {
    const given = parseExpression(cursor)
    const when: Expression =
      subject === undefined ? given : { kind: 'binary', sign: '=', left: subject, right: given }
    cursor.expect('then')
    arms.push({ when, gives: parseExpression(cursor) })
  }
  const otherwise = cursor.takes('else') ? parseExpression(cursor) : NULL
  cursor.expect('end')
  return { kind: 'case', arms, otherwise }
}

function parseCast(cursor: Cursor): Expression {
  const word = cursor.next().value
  const isTry = word.startsWith('try_')
  cursor.expect('(')
  if (word.endsWith('cast')) {
    const value = parseExpression(cursor)
    cursor.expect('as')
    const type = cursor.type()
    cursor.expect(')')
    return { kind: 'cast', value, type, isTry }
  }
  const type = cursor.type()
  cursor.expect(',')
  const value = parseExpression(cursor)
  if (cursor.takes(',')) parseExpression(cursor) // the style
  cursor.expect(')')
  return { kind: 'cast', value, type, isTry }
}

function parseReference(cursor: Cursor): Expression {
  const name = cursor.name()
  if (cursor.takes('(')) return parseCall(cursor, name.toLowerCase())
  if (!cursor.takes('.')) return { kind: 'column', name }
  return { kind: 'column', of: name, name: cursor.name() }
}

function parseCall(cursor: Cursor, name: string): Expression {
  if (cursor.takes('*', ')')) return { kind: 'call', name, args: [], isStar: true }
  const args = cursor.sees(')') ? [] : cursor.list(() => parseExpression(cursor))
  cursor.expect(')')
  return { kind: 'call', name, args }
}
