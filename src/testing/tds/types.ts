import type { SqlType, TypeName } from '../tsql/value.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'

/** Latin1_General_CI_AS. */
export const COLLATION = Buffer.from([0x09, 0x04, 0xd0, 0x00, 0x34])

const MAX = 0xffff

/** The code of each type in its nullable form. */
const CODE: Readonly<Record<TypeName, number>> = {
  bit: 0x68,
  tinyint: 0x26,
  smallint: 0x26,
  int: 0x26,
  bigint: 0x26,
  real: 0x6d,
  float: 0x6d,
  decimal: 0x6a,
  money: 0x6e,
  char: 0xaf,
  varchar: 0xa7,
  nchar: 0xef,
  nvarchar: 0xe7,
  text: 0xa7,
  ntext: 0xe7,
  binary: 0xad,
  varbinary: 0xa5,
  image: 0xa5,
  date: 0x28,
  time: 0x29,
  datetime: 0x6f,
  datetime2: 0x2a,
  datetimeoffset: 0x2b,
  uniqueidentifier: 0x24,
}

/** Bytes of the types that have a fixed number of them. */
export const WIDTH: Partial<Record<TypeName, number>> = {
  bit: 1,
  tinyint: 1,
  smallint: 2,
  int: 4,
  bigint: 8,
  real: 4,
  float: 8,
  money: 8,
  datetime: 8,
  uniqueidentifier: 16,
}

/** The old large types are sent as their `max` successors. */
export function sizeOf({ name, size }: SqlType): number | 'max' {
  return name === 'text' || name === 'ntext' || name === 'image' ? 'max' : (size ?? 1)
}

export function writeType(out: ByteWriter, type: SqlType): void {
  const { name } = type
  out.u8(CODE[name])
  const width = WIDTH[name]
  if (width !== undefined) out.u8(width)
  else if (name === 'decimal')
    out
      .u8(17)
      .u8(type.precision ?? 18)
      .u8(type.scale ?? 0)
  else if (name === 'time' || name === 'datetime2' || name === 'datetimeoffset') out.u8(type.scale ?? 7)
  else if (name !== 'date') writeSize(out, type)
}

function writeSize(out: ByteWriter, type: SqlType): void {
  const size = sizeOf(type)
  const isWide = type.name.startsWith('n')
  out.u16(size === 'max' ? MAX : isWide ? size * 2 : size)
  if (/char|text/.test(type.name)) out.bytes(COLLATION)
}

type Reader = (bytes: ByteReader) => SqlType

const sized =
  (name: TypeName, unit: number): Reader =>
  (bytes) => {
    const size = bytes.u16()
    if (/char/.test(name)) bytes.bytes(5)
    return { name, size: size === MAX ? 'max' : size / unit }
  }
const large =
  (name: TypeName): Reader =>
  (bytes) => {
    bytes.u32()
    if (name !== 'image') bytes.bytes(5)
    return { name }
  }
const scaled =
  (name: TypeName): Reader =>
  (bytes) => ({ name, scale: bytes.u8() })
const fixed =
  (name: TypeName): Reader =>
  () => ({ name })
const byWidth =
  (names: Readonly<Record<number, TypeName>>): Reader =>
  (bytes) => ({ name: names[bytes.u8()] ?? 'int' })

function readDecimal(bytes: ByteReader): SqlType {
  bytes.u8()
  return { name: 'decimal', precision: bytes.u8(), scale: bytes.u8() }
}

function readGuid(bytes: ByteReader): SqlType {
  bytes.u8()
  return { name: 'uniqueidentifier' }
}

/** How the description of each type is read. */
const READERS: Readonly<Record<number, Reader>> = {
  34: large('image'),
  35: large('text'),
  99: large('ntext'),
  36: readGuid,
  38: byWidth({ 1: 'tinyint', 2: 'smallint', 4: 'int', 8: 'bigint' }),
  104: byWidth({ 1: 'bit' }),
  109: byWidth({ 4: 'real', 8: 'float' }),
  110: byWidth({ 4: 'money', 8: 'money' }),
  111: byWidth({ 4: 'datetime', 8: 'datetime' }),
  106: readDecimal,
  108: readDecimal,
  40: fixed('date'),
  41: scaled('time'),
  42: scaled('datetime2'),
  43: scaled('datetimeoffset'),
  48: fixed('tinyint'),
  50: fixed('bit'),
  52: fixed('smallint'),
  56: fixed('int'),
  59: fixed('real'),
  61: fixed('datetime'),
  62: fixed('float'),
  127: fixed('bigint'),
  165: sized('varbinary', 1),
  167: sized('varchar', 1),
  173: sized('binary', 1),
  175: sized('char', 1),
  231: sized('nvarchar', 2),
  239: sized('nchar', 2),
}

/** The types whose values come without a length. */
const BARE = new Set([0x30, 0x32, 0x34, 0x38, 0x3b, 0x3d, 0x3e, 0x7f])

export function readType(bytes: ByteReader): { type: SqlType; isBare: boolean } {
  const code = bytes.u8()
  const read = READERS[code]
  if (read === undefined) throw new Error(`a parameter of type 0x${code.toString(16)} cannot be read`)
  return { type: read(bytes), isBare: BARE.has(code) }
}
