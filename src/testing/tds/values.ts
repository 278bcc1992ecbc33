import { isBytes, isText, type Plain, type SqlType } from '../tsql/value.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'
import { dayOf, daysOf, readTime, writeTime } from './times.ts'
import { sizeOf, WIDTH } from './types.ts'

const NULL_LENGTH = 0xffff
const NULL_LARGE = 0xffffffffffffffffn
const UNKNOWN_LARGE = 0xfffffffffffffffen

/** One value as a row or an output parameter carries it. */
export function writeValue(out: ByteWriter, type: SqlType, plain: Plain): void {
  const width = WIDTH[type.name]
  if (isText(type) || isBytes(type)) writeSized(out, type, plain)
  else if (plain === null) out.u8(0)
  else if (type.name === 'decimal') writeDecimal(out, type, String(plain))
  else if (width === undefined) writeTime(out, type, plain as Date)
  else {
    out.u8(width)
    writeFixed(out, type, plain)
  }
}

function writeSized(out: ByteWriter, type: SqlType, plain: Plain): void {
  const size = sizeOf(type)
  const bytes = plain === null ? undefined : encode(type, plain, size)
  if (size !== 'max') {
    if (bytes === undefined) out.u16(NULL_LENGTH)
    else out.u16(bytes.length).bytes(bytes)
    return
  }
  if (bytes === undefined) out.u64(NULL_LARGE)
  else {
    out.u64(BigInt(bytes.length))
    if (bytes.length > 0) out.u32(bytes.length).bytes(bytes)
    out.u32(0)
  }
}

function encode(type: SqlType, plain: Plain, size: number | 'max'): Buffer {
  const limit = size === 'max' ? undefined : size
  if (isBytes(type)) return Buffer.from(plain as Buffer).subarray(0, limit)
  const text = String(plain).slice(0, limit)
  return Buffer.from(text, type.name.startsWith('n') ? 'utf16le' : 'latin1')
}

function writeFixed(out: ByteWriter, { name }: SqlType, plain: Plain): void {
  if (name === 'float') out.f64(Number(plain))
  else if (name === 'bigint') out.u64(BigInt(plain as bigint))
  else if (name === 'uniqueidentifier') out.bytes(guidBytes(String(plain)))
  else if (name === 'money') writeMoney(out, Number(plain))
  else if (name === 'datetime') writeDatetime(out, plain as Date)
  else {
    const bytes = Buffer.alloc(WIDTH[name] ?? 4)
    if (name === 'real') bytes.writeFloatLE(Number(plain))
    else if (name === 'tinyint' || name === 'bit') bytes.writeUInt8(Number(plain))
    else bytes.writeIntLE(Number(plain), 0, bytes.length)
    out.bytes(bytes)
  }
}

function writeMoney(out: ByteWriter, amount: number): void {
  const units = BigInt(Math.round(amount * 10_000))
  out.u32(Number(BigInt.asUintN(32, units >> 32n))).u32(Number(BigInt.asUintN(32, units)))
}

function writeDatetime(out: ByteWriter, date: Date): void {
  const { day, ms } = dayOf(date)
  // Days since 1900, three hundredths of a second since midnight.
  out.u32((day - 693_595) >>> 0).u32(Math.round((ms * 3) / 10))
}

function writeDecimal(out: ByteWriter, { scale = 0 }: SqlType, text: string): void {
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text) ?? []
  const digits = BigInt(whole + fraction.padEnd(scale, '0').slice(0, scale) || '0')
  out.u8(17).u8(sign === '-' ? 0 : 1)
  out.u64(BigInt.asUintN(64, digits)).u64(digits >> 64n)
}

/** The first three groups of a GUID travel backwards. */
function guidBytes(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex')
  bytes.subarray(0, 4).reverse()
  bytes.subarray(4, 6).reverse()
  bytes.subarray(6, 8).reverse()
  return bytes
}

function guidText(given: Buffer): string {
  const hex = guidBytes(given.toString('hex')).toString('hex').toUpperCase()
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** The value of a parameter. */
export function readValue(bytes: ByteReader, type: SqlType, isBare: boolean): Plain {
  if (isText(type) || isBytes(type)) {
    const raw = readSized(bytes, type)
    if (raw === undefined || isBytes(type)) return raw === undefined ? null : Buffer.from(raw)
    return raw.toString(type.name.startsWith('n') ? 'utf16le' : 'latin1')
  }
  const length = isBare ? (WIDTH[type.name] ?? 0) : bytes.u8()
  return length === 0 ? null : readFixed(bytes.bytes(length), type)
}

function readSized(bytes: ByteReader, { name, size }: SqlType): Buffer | undefined {
  if (name === 'text' || name === 'ntext' || name === 'image') {
    const length = bytes.u32()
    return length === 0xffffffff ? undefined : bytes.bytes(length)
  }
  if (size !== 'max') {
    const length = bytes.u16()
    return length === NULL_LENGTH ? undefined : bytes.bytes(length)
  }
  const total = bytes.u64()
  if (total === NULL_LARGE) return undefined
  const parts: Buffer[] = []
  for (let length = bytes.u32(); length > 0; length = bytes.u32()) parts.push(bytes.bytes(length))
  const whole = Buffer.concat(parts)
  if (total !== UNKNOWN_LARGE && BigInt(whole.length) !== total)
    throw new Error(`a large value of ${whole.length} bytes was announced as one of ${total}`)
  return whole
}

function readFixed(raw: Buffer, type: SqlType): Plain {
  const { name } = type
  if (name === 'bit') return raw[0] !== 0
  if (name === 'tinyint') return raw.readUInt8()
  if (name === 'bigint') return raw.readBigInt64LE()
  if (name === 'float' || name === 'real') return raw.length === 8 ? raw.readDoubleLE() : raw.readFloatLE()
  if (name === 'uniqueidentifier') return guidText(raw)
  if (name === 'decimal') return decimalText(raw, type.scale ?? 0)
  if (name === 'money') return moneyOf(raw)
  if (name === 'datetime') return datetimeOf(raw)
  return /date|time/.test(name) ? readTime(raw, type) : raw.readIntLE(0, raw.length)
}

function decimalText(raw: Buffer, scale: number): string {
  let digits = 0n
  for (let at = raw.length - 1; at > 0; at--) digits = (digits << 8n) | BigInt(raw[at] ?? 0)
  const all = digits.toString().padStart(scale + 1, '0')
  const text = scale === 0 ? all : `${all.slice(0, -scale)}.${all.slice(-scale)}`
  return raw[0] === 0 ? `-${text}` : text
}

function moneyOf(raw: Buffer): number {
  if (raw.length === 4) return raw.readInt32LE() / 10_000
  return Number((BigInt(raw.readInt32LE()) << 32n) | BigInt(raw.readUInt32LE(4))) / 10_000
}

function datetimeOf(raw: Buffer): Date {
  if (raw.length === 4) return daysOf(raw.readUInt16LE() + 693_595, raw.readUInt16LE(2) * 60_000)
  return daysOf(raw.readInt32LE() + 693_595, Math.round((raw.readUInt32LE(4) * 10) / 3))
}
