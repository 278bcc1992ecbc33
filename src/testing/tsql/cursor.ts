import { sqlErrors } from './error.ts'
import { type Lexeme, lexemesOf } from './lexer.ts'
import type { SqlType, TypeName } from './value.ts'

/** Where a parser is in its text. */
export class Cursor {
  readonly #lexemes: readonly Lexeme[]
  #at = 0

  constructor(text: string) {
    this.#lexemes = lexemesOf(text)
  }

  get current(): Lexeme {
    return this.#lexemes[this.#at] as Lexeme
  }

  peek(distance = 1): Lexeme {
    return this.#lexemes[Math.min(this.#at + distance, this.#lexemes.length - 1)] as Lexeme
  }

  next(): Lexeme {
    const { current } = this
    if (current.kind !== 'end') this.#at++
    return current
  }

  /** Whether these words or signs come next. */
  sees(...values: string[]): boolean {
    return values.every((value, index) => {
      const lexeme = this.peek(index)
      return (lexeme.kind === 'word' || lexeme.kind === 'sign') && lexeme.value === value
    })
  }

  /** Takes these words or signs, where they come next. */
  takes(...values: string[]): boolean {
    if (!this.sees(...values)) return false
    this.#at += values.length
    return true
  }

  expect(...values: string[]): void {
    if (!this.takes(...values)) this.fail()
  }

  fail(): never {
    throw sqlErrors.syntax(this.current.source || this.peek(-1).source)
  }

  /** A name, bare or in brackets. */
  name(): string {
    const { kind, value, source } = this.current
    if (kind !== 'word' && kind !== 'quoted') this.fail()
    this.#at++
    return kind === 'word' ? source : value
  }

  /** `dbo.accounts` or `[accounts]`: schemas are looked past, but for `sys`. */
  path(): string {
    const parts = [this.name()]
    while (this.takes('.')) parts.push(this.name())
    const [schema, name] = parts.slice(-2)
    if (name === undefined) return schema as string
    return /^(sys|information_schema)$/i.test(schema as string) ? `${schema}.${name}` : name
  }

  variable(): string {
    const { kind, value } = this.current
    if (kind !== 'variable') this.fail()
    this.#at++
    return value
  }

  list<T>(one: () => T): T[] {
    const all = [one()]
    while (this.takes(',')) all.push(one())
    return all
  }

  number(): number {
    const { kind, value } = this.next()
    if (kind !== 'number') this.fail()
    return Number(value)
  }

  type(): SqlType {
    const given = this.name().toLowerCase()
    const name = TYPES[given]
    if (name === undefined) throw sqlErrors.syntax(given)
    if (!this.takes('(')) return withDefaults(name)
    if (this.takes('max')) {
      this.expect(')')
      return { name, size: 'max' }
    }
    const first = this.number()
    const second = this.takes(',') ? this.number() : 0
    this.expect(')')
    if (name === 'decimal') return { name, precision: first, scale: second }
    return name.startsWith('date') || name === 'time' ? { name, scale: first } : { name, size: first }
  }
}

const TYPES: Readonly<Record<string, TypeName>> = {
  ...Object.fromEntries(
    (
      'bit tinyint smallint int bigint real float decimal money char varchar nchar nvarchar text ntext binary varbinary image ' +
      'date time datetime datetime2 datetimeoffset uniqueidentifier'
    )
      .split(' ')
      .map((name) => [name, name as TypeName]),
  ),
  integer: 'int',
  numeric: 'decimal',
  sysname: 'nvarchar',
  smalldatetime: 'datetime',
  smallmoney: 'money',
}

function withDefaults(name: TypeName): SqlType {
  if (name === 'decimal') return { name, precision: 18, scale: 0 }
  if (/^n?(var)?char$|binary$/.test(name)) return { name, size: 30 }
  return /^(datetime2|datetimeoffset|time)$/.test(name) ? { name, scale: 7 } : { name }
}
