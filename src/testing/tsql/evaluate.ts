import { compare, equal, matchesLike } from './comparison.ts'
import { convert } from './conversion.ts'
import { SqlError, sqlErrors } from './error.ts'
import { functions } from './functions.ts'
import type { Session } from './session.ts'
import type { Expression } from './syntax.ts'
import {
  BIGINT,
  BIT,
  FLOAT,
  INT,
  isBytes,
  isText,
  isWhole,
  type Plain,
  type SqlType,
  textType,
  type Value,
} from './value.ts'

/** What an expression can see. */
export interface Scope {
  readonly session: Session
  readonly variables: ReadonlyMap<string, Value>
  /** The value of a column; undefined where there is none of this name. */
  column?(name: string, of: string | undefined): Value | undefined
  /** The rows of an aggregate, each as a scope. */
  readonly group?: readonly Scope[]
}

export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value
    case 'variable':
      return variableOf(expression.name, scope)
    case 'column':
      return columnOf(expression.name, expression.of, scope)
    case 'call':
      return callOf(expression, scope)
    case 'cast':
      return castOf(expression, scope)
    case 'unary':
      return unaryOf(expression.sign, evaluate(expression.value, scope))
    case 'binary':
      return binaryOf(expression, scope)
    case 'case':
      return caseOf(expression, scope)
    default:
      return conditionOf(expression, scope)
  }
}

/** Whether a condition holds; unknown is no. */
export function holds(condition: Expression | undefined, scope: Scope): boolean {
  return condition === undefined || evaluate(condition, scope).plain === true
}

const bit = (plain: boolean | null): Value => ({ type: BIT, plain })

function variableOf(name: string, { session, variables }: Scope): Value {
  const value = name.startsWith('@@') ? session.fact(name) : variables.get(name)
  if (value === undefined) throw sqlErrors.noVariable(name)
  return value
}

function columnOf(name: string, of: string | undefined, scope: Scope): Value {
  const value = scope.column?.(name.toLowerCase(), of?.toLowerCase())
  if (value === undefined) throw sqlErrors.noColumn(name)
  return value
}

const AGGREGATES = new Set(['count', 'count_big', 'sum', 'min', 'max', 'avg'])

export function isAggregate(expression: Expression): boolean {
  if (expression.kind === 'call') return AGGREGATES.has(expression.name) || expression.args.some(isAggregate)
  if (expression.kind === 'binary') return isAggregate(expression.left) || isAggregate(expression.right)
  return (expression.kind === 'cast' || expression.kind === 'unary') && isAggregate(expression.value)
}

type Call = Extract<Expression, { kind: 'call' }>

function callOf(call: Call, scope: Scope): Value {
  if (AGGREGATES.has(call.name)) return aggregateOf(call, scope)
  const run = Object.hasOwn(functions, call.name) ? functions[call.name] : undefined
  if (run === undefined) throw sqlErrors.noFunction(call.name)
  return run(
    call.args.map((arg) => evaluate(arg, scope)),
    scope.session,
  )
}

function aggregateOf({ name, args, isStar }: Call, { group = [], ...scope }: Scope): Value {
  const [arg] = args
  if (isStar || arg === undefined)
    return {
      type: name === 'count' ? INT : BIGINT,
      plain: name === 'count' ? group.length : BigInt(group.length),
    }
  const values = group.map((row) => evaluate(arg, row)).filter(({ plain }) => plain !== null)
  if (name.startsWith('count')) return { type: INT, plain: values.length }
  const type = group[0] === undefined ? evaluate(arg, scope).type : evaluate(arg, group[0]).type
  if (values.length === 0) return { type, plain: null }
  if (name === 'min' || name === 'max') {
    return values.reduce((best, one) => ((compare(one, best) ?? 0) < 0 === (name === 'min') ? one : best))
  }
  const sum = values.reduce((total, one) => arithmetic('+', total, one))
  return name === 'sum' ? sum : arithmetic('/', sum, { type: INT, plain: values.length })
}

function castOf(cast: Extract<Expression, { kind: 'cast' }>, scope: Scope): Value {
  try {
    return convert(evaluate(cast.value, scope), cast.type)
  } catch (error) {
    if (cast.isTry && error instanceof SqlError) return { type: cast.type, plain: null }
    throw error
  }
}

function unaryOf(sign: '-' | '+' | '~', value: Value): Value {
  if (sign === '+' || value.plain === null) return value
  if (sign === '~') return { type: value.type, plain: ~Number(value.plain) }
  if (value.type.name === 'decimal') {
    const text = String(value.plain)
    return { type: value.type, plain: text.startsWith('-') ? text.slice(1) : `-${text}` }
  }
  return arithmetic('-', { type: value.type, plain: value.type.name === 'bigint' ? 0n : 0 }, value)
}

function caseOf({ arms, otherwise }: Extract<Expression, { kind: 'case' }>, scope: Scope): Value {
  for (const { when, gives } of arms) if (holds(when, scope)) return evaluate(gives, scope)
  const value = evaluate(otherwise, scope)
  const [first] = arms
  return value.plain === null && first !== undefined
    ? { type: evaluate(first.gives, scope).type, plain: null }
    : value
}

function binaryOf({ sign, left, right }: Extract<Expression, { kind: 'binary' }>, scope: Scope): Value {
  const a = evaluate(left, scope)
  if (sign === 'and' || sign === 'or') return logical(sign, a.plain, () => evaluate(right, scope).plain)
  const b = evaluate(right, scope)
  if (sign === 'like') return bit(a.plain === null || b.plain === null ? null : matchesLike(a, b))
  if (!/^[=<>]/.test(sign)) return arithmetic(sign, a, b)
  if (sign === '=' || sign === '<>') {
    const same = equal(a, b)
    return bit(same === undefined ? null : same === (sign === '='))
  }
  const order = compare(a, b)
  if (order === undefined) return bit(null)
  return bit((sign.includes('=') && order === 0) || (sign.startsWith('<') ? order < 0 : order > 0))
}

function logical(sign: 'and' | 'or', left: Plain, right: () => Plain): Value {
  const decisive = sign === 'or'
  if (left === decisive) return bit(decisive)
  const other = right()
  if (other === decisive) return bit(decisive)
  return bit(left === null || other === null ? null : !decisive)
}

function conditionOf(condition: Extract<Expression, { kind: 'not' | 'isNull' | 'in' }>, scope: Scope): Value {
  const value = evaluate(condition.value, scope)
  if (condition.kind === 'not') return bit(value.plain === null ? null : value.plain !== true)
  if (condition.kind === 'isNull') return bit((value.plain === null) !== condition.isNot)
  const found = condition.list.map((one) => equal(value, evaluate(one, scope)))
  if (found.includes(true)) return bit(!condition.isNot)
  return bit(found.includes(undefined) ? null : condition.isNot)
}

function arithmetic(sign: string, a: Value, b: Value): Value {
  if (sign === '+' && isText(a.type) && isText(b.type)) return joined(a, b)
  if (sign === '+' && isBytes(a.type) && isBytes(b.type))
    return { type: a.type, plain: Buffer.concat([a.plain as Buffer, b.plain as Buffer]) }
  const type = commonType(a.type, b.type)
  const [x, y] = [convert(a, type).plain, convert(b, type).plain]
  if (x === null || y === null) return { type, plain: null }
  if ((sign === '/' || sign === '%') && Number(y) === 0) throw sqlErrors.divideByZero()
  if (type.name === 'bigint') return convert({ type, plain: calculate(sign, x as bigint, y as bigint) }, type)
  const result = calculate(sign, Number(x), Number(y))
  return convert({ type: FLOAT, plain: type.name === 'int' ? Math.trunc(result) : result }, type)
}

function joined(a: Value, b: Value): Value {
  if (a.plain === null || b.plain === null) return { type: a.type, plain: null }
  const plain = String(a.plain) + String(b.plain)
  const isMax = a.type.size === 'max' || b.type.size === 'max'
  return { type: isMax ? { name: 'nvarchar', size: 'max' } : textType(plain.length), plain }
}

function commonType(a: SqlType, b: SqlType): SqlType {
  for (const name of ['float', 'real'] as const) if (a.name === name || b.name === name) return FLOAT
  if (a.name === 'decimal' || b.name === 'decimal' || a.name === 'money' || b.name === 'money')
    return { name: 'decimal', precision: 38, scale: Math.max(a.scale ?? 0, b.scale ?? 0) }
  if (a.name === 'bigint' || b.name === 'bigint') return BIGINT
  return isWhole(a) || isWhole(b) ? INT : FLOAT
}

/** Of two whole numbers or two others: whatever holds them, the operators are the same. */
function calculate<N extends bigint | number>(sign: string, left: N, right: N): N {
  const [x, y] = [left, right] as unknown as [number, number]
  const results: Readonly<Record<string, () => number>> = {
    '+': () => x + y,
    '-': () => x - y,
    '*': () => x * y,
    '&': () => x & y,
    '|': () => x | y,
    '/': () => x / y,
    '%': () => x % y,
  }
  return results[sign]?.() as unknown as N
}
