import { convert } from './conversion.ts'
import { BIGINT, FLOAT, isBytes, isText, isTime, isWhole, type SqlType, type Value } from './value.ts'

/** Below zero, zero or above; undefined where one of them is null. Texts are compared without regard to case. */
export function compare(a: Value, b: Value): number | undefined {
  if (a.plain === null || b.plain === null) return undefined
  const type = comparedAs(a.type, b.type)
  const x = convert(a, type).plain
  const y = convert(b, type).plain
  if (x === null || y === null) return undefined
  if (Buffer.isBuffer(x) && Buffer.isBuffer(y)) return Buffer.compare(x, y)
  if (typeof x === 'string' && typeof y === 'string') return order(folded(x), folded(y))
  return order(x as number, y as number)
}

export function equal(a: Value, b: Value): boolean | undefined {
  const order = compare(a, b)
  return order === undefined ? undefined : order === 0
}

function order<T>(x: T, y: T): number {
  if (x === y || (x instanceof Date && y instanceof Date && x.getTime() === y.getTime())) return 0
  return x < y ? -1 : 1
}

/** Blanks at the end do not count either. */
export function folded(text: string): string {
  return text.toLowerCase().trimEnd()
}

function comparedAs(a: SqlType, b: SqlType): SqlType {
  if (isTime(a) || isTime(b)) return isTime(a) ? a : b
  if (isText(a) && isText(b)) return { name: 'nvarchar', size: 'max' }
  if (isBytes(a) || isBytes(b)) return { name: 'varbinary', size: 'max' }
  if (a.name === 'uniqueidentifier' || b.name === 'uniqueidentifier') return { name: 'uniqueidentifier' }
  const numbers = [a, b].filter((type) => !isText(type))
  return numbers.every((type) => isWhole(type) || type.name === 'bigint') ? BIGINT : FLOAT
}

export function matchesLike(value: Value, pattern: Value): boolean {
  const source = String(pattern.plain).replaceAll(/[.*+?^${}()|\\]/g, '\\$&')
  return new RegExp(`^${source.replaceAll('%', '[^]*').replaceAll('_', '[^]')}$`, 'iu').test(
    String(value.plain),
  )
}
