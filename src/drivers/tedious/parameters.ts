import type { Package, TediousType, TypeFacts } from './client.ts'

/** A value with its type: `{ type: TYPES.Decimal, value: '1.50', precision: 10, scale: 2 }`. */
export interface TypedValue extends TypeFacts {
  readonly type: TediousType
  readonly value: unknown
}

const INT32 = 2 ** 31
const INT64 = 2n ** 63n
/** Texts and bytes of usual length share one type, so that the server needs one plan for them. */
const TEXT_UNITS = 4000
const BYTES = 8000

/**
 * The type that a value goes as, where the program does not say it. Whole numbers are `int` or `bigint`, others `float`;
 * texts `nvarchar`; a Date `datetime2`; bytes `varbinary`; arrays and objects are JSON texts; null is an `nvarchar`.
 * @throws TypeError for a value that has no type in the server
 */
export function typed(value: unknown, types: Package['TYPES']): TypedValue {
  const as = (name: string, given: unknown = value, facts: TypeFacts = {}): TypedValue => {
    return { type: types[name] as TediousType, value: given, ...facts }
  }
  if (value === null || value === undefined) return as('NVarChar', null, { length: TEXT_UNITS })
  if (typeof value === 'string') return as('NVarChar', value, { length: sizeFor(value.length, TEXT_UNITS) })
  if (typeof value === 'number') return as(numberType(value))
  if (typeof value === 'bigint') return as('BigInt', checked(value))
  if (typeof value === 'boolean') return as('Bit')
  if (Object.prototype.toString.call(value) === '[object Date]') return as('DateTime2', dated(value as Date))
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return as('VarBinary', bytes, { length: sizeFor(bytes.length, BYTES) })
  }
  if (typeof value === 'object' && isTyped(value)) return value
  const text = typeof value === 'object' ? textOf(value) : undefined
  if (text === undefined) throw new TypeError(`a value of type ${typeof value} cannot be a parameter`)
  return as('NVarChar', text, { length: sizeFor(text.length, TEXT_UNITS) })
}

/** Infinity stands for `max`. */
function sizeFor(length: number, usual: number): number {
  return length <= usual ? usual : Number.POSITIVE_INFINITY
}

function numberType(value: number): string {
  if (!Number.isFinite(value))
    throw new TypeError(`${value} cannot be a parameter: SQL Server has no such number`)
  if (!Number.isSafeInteger(value)) return 'Float'
  return value >= -INT32 && value < INT32 ? 'Int' : 'BigInt'
}

function checked(value: bigint): bigint {
  if (value >= -INT64 && value < INT64) return value
  throw new TypeError(
    'a whole number beyond 64 bits cannot be a parameter as it is: pass it as a text and cast it',
  )
}

function dated(value: Date): Date {
  if (Number.isNaN(value.getTime())) throw new TypeError('an invalid Date cannot be a parameter')
  return value
}

function isTyped(value: object): value is TypedValue {
  const { type } = value as { type?: { id?: unknown; validate?: unknown } }
  return 'value' in value && typeof type === 'object' && type !== null && typeof type.validate === 'function'
}

/** What can say itself as a text does so. */
function textOf(value: object): string | undefined {
  const { toString: say } = value as { toString?: unknown }
  const saysItself = typeof say === 'function' && say !== Object.prototype.toString && !Array.isArray(value)
  return saysItself ? String(value) : JSON.stringify(value)
}

/** Two lists of values with the same signature can share a prepared statement. */
export function signatureOf(values: readonly TypedValue[]): string {
  return values
    .map(({ type, length, precision, scale }) => [type.name, length, precision, scale].join(':'))
    .join()
}
