/** A type of T-SQL; texts and bytes have a size, `max` where there is no limit. */
export interface SqlType {
  readonly name: TypeName
  readonly size?: number | 'max'
  readonly precision?: number
  readonly scale?: number
}

export type TypeName =
  | 'bit'
  | 'tinyint'
  | 'smallint'
  | 'int'
  | 'bigint'
  | 'real'
  | 'float'
  | 'decimal'
  | 'money'
  | 'char'
  | 'varchar'
  | 'nchar'
  | 'nvarchar'
  | 'text'
  | 'ntext'
  | 'binary'
  | 'varbinary'
  | 'image'
  | 'date'
  | 'time'
  | 'datetime'
  | 'datetime2'
  | 'datetimeoffset'
  | 'uniqueidentifier'

/** What a value is in this program: bigint is a bigint, decimal a text of digits, bytes a Buffer. */
export type Plain = null | boolean | number | bigint | string | Date | Buffer

export interface Value {
  readonly type: SqlType
  readonly plain: Plain
}

/** A column of a result. */
export interface Column {
  readonly name: string
  readonly type: SqlType
  readonly isIdentity?: boolean
}

export const INT: SqlType = { name: 'int' }
export const BIGINT: SqlType = { name: 'bigint' }
export const FLOAT: SqlType = { name: 'float' }
export const BIT: SqlType = { name: 'bit' }
export const DATETIME2: SqlType = { name: 'datetime2', scale: 7 }

export function textType(length: number): SqlType {
  return { name: 'nvarchar', size: length > 4000 ? 'max' : Math.max(length, 1) }
}

export function text(plain: string): Value {
  return { type: textType(plain.length), plain }
}

export function int(plain: number): Value {
  return { type: INT, plain }
}

const TEXTS = new Set<TypeName>(['char', 'varchar', 'nchar', 'nvarchar', 'text', 'ntext'])
const BYTES = new Set<TypeName>(['binary', 'varbinary', 'image'])
const WHOLE = new Set<TypeName>(['bit', 'tinyint', 'smallint', 'int'])
const TIMES = new Set<TypeName>(['date', 'time', 'datetime', 'datetime2', 'datetimeoffset'])

export const isText = ({ name }: SqlType) => TEXTS.has(name)
export const isBytes = ({ name }: SqlType) => BYTES.has(name)
export const isWhole = ({ name }: SqlType) => WHOLE.has(name)
export const isTime = ({ name }: SqlType) => TIMES.has(name)
