import { sqlErrors } from './error.ts'
import { isBytes, isText, isTime, type Plain, type SqlType, type Value } from './value.ts'

const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  tinyint: [0n, 255n],
  smallint: [-(2n ** 15n), 2n ** 15n - 1n],
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  bigint: [-(2n ** 63n), 2n ** 63n - 1n],
}

/** The value as another type has it; `null` stays what it is. */
export function convert({ type: from, plain }: Value, type: SqlType): Value {
  if (plain === null) return { type, plain: null }
  if (isText(type)) return { type, plain: cut(textOf(plain, from), type) }
  if (isBytes(type)) return { type, plain: bytesOf(plain, from).subarray(0, limitOf(type)) }
  if (isTime(type)) return { type, plain: dateOf(plain, type) }
  if (type.name === 'uniqueidentifier') return { type, plain: guidOf(plain) }
  return { type, plain: numberOf(plain, type) }
}

function cut(text: string, type: SqlType): string {
  const limit = limitOf(type)
  const kept = limit === undefined ? text : text.slice(0, limit)
  return /^n?char$/.test(type.name) && limit !== undefined ? kept.padEnd(limit) : kept
}

export function limitOf({ size }: SqlType): number | undefined {
  return size === 'max' ? undefined : size
}

export function textOf(plain: Exclude<Plain, null>, from: SqlType): string {
  if (typeof plain === 'boolean') return plain ? '1' : '0'
  if (plain instanceof Date) return timeText(plain, from)
  if (Buffer.isBuffer(plain)) return plain.toString(from.name === 'varbinary' ? 'latin1' : 'utf16le')
  return String(plain)
}

function timeText(date: Date, { name }: SqlType): string {
  const [day = '', time = ''] = date.toISOString().replace('Z', '').split('T')
  if (name === 'date') return day
  return name === 'time' ? time : `${day} ${time}`
}

function bytesOf(plain: Exclude<Plain, null>, from: SqlType): Buffer {
  if (Buffer.isBuffer(plain)) return plain
  if (typeof plain === 'string' && isText(from))
    return Buffer.from(plain, from.name.startsWith('n') ? 'utf16le' : 'latin1')
  const bytes = Buffer.alloc(from.name === 'bigint' ? 8 : 4)
  if (bytes.length === 8) bytes.writeBigInt64BE(BigInt(plain as bigint))
  else bytes.writeInt32BE(Number(plain))
  return bytes
}

function dateOf(plain: Exclude<Plain, null>, type: SqlType): Date {
  const date =
    plain instanceof Date ? plain : new Date(String(plain).replace(/^(\d{4}-\d\d-\d\d)[ T]?(.*)$/, isoOf))
  if (Number.isNaN(date.getTime())) throw sqlErrors.noConversion(String(plain), type.name)
  return type.name === 'date' ? new Date(Math.floor(date.getTime() / 86_400_000) * 86_400_000) : date
}

function isoOf(_: string, day: string, time: string): string {
  if (time === '') return `${day}T00:00:00Z`
  return /[zZ]|[+-]\d\d:\d\d$/.test(time) ? `${day}T${time}` : `${day}T${time}Z`
}

function guidOf(plain: Exclude<Plain, null>): string {
  const text = String(plain).toUpperCase()
  if (/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/.test(text)) return text
  throw sqlErrors.noConversion(text, 'uniqueidentifier')
}

function numberOf(plain: Exclude<Plain, null>, type: SqlType): Plain {
  const { name } = type
  const source = typeof plain === 'string' ? plain.trim() : plain
  if (name === 'bit') return bitOf(source)
  if (source instanceof Date || (typeof source === 'string' && source !== '' && Number.isNaN(Number(source))))
    throw sqlErrors.noConversion(String(plain), name)
  if (Buffer.isBuffer(source)) return wholeOf(BigInt(`0x${source.toString('hex') || '0'}`), name)
  if (name === 'float' || name === 'money') return Number(source)
  if (name === 'real') return Math.fround(Number(source))
  if (name === 'decimal') return decimalOf(source, type)
  return wholeOf(truncated(source), name)
}

function bitOf(source: Exclude<Plain, null>): boolean {
  if (typeof source === 'string' && /^(true|false)$/i.test(source)) return source.toLowerCase() === 'true'
  if (typeof source === 'string' && Number.isNaN(Number(source))) throw sqlErrors.noConversion(source, 'bit')
  return Number(source) !== 0
}

function truncated(source: string | number | bigint | boolean): bigint {
  if (typeof source === 'bigint') return source
  if (typeof source === 'string') return BigInt(source.split('.')[0] || '0')
  return BigInt(Math.trunc(Number(source)))
}

function wholeOf(value: bigint, name: string): number | bigint {
  const [least, most] = RANGES[name] ?? [value, value]
  if (value < least || value > most) throw sqlErrors.overflow(name)
  return name === 'bigint' ? value : Number(value)
}

function decimalOf(source: string | number | bigint | boolean, { scale = 0 }: SqlType): string {
  if (typeof source === 'bigint') return scale === 0 ? String(source) : `${source}.${'0'.repeat(scale)}`
  const text = typeof source === 'string' && !/e/i.test(source) ? source : Number(source).toFixed(scale)
  const [whole = '', fraction = ''] = text.split('.')
  if (fraction.length > scale) return Number(text).toFixed(scale)
  return scale === 0 ? whole : `${whole}.${fraction.padEnd(scale, '0')}`
}
