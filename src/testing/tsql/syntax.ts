import type { SqlType, Value } from './value.ts'

export type Expression =
  | { readonly kind: 'literal'; readonly value: Value }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'column'; readonly name: string; readonly of?: string }
  | {
      readonly kind: 'call'
      readonly name: string
      readonly args: readonly Expression[]
      readonly isStar?: boolean
    }
  | { readonly kind: 'cast'; readonly value: Expression; readonly type: SqlType; readonly isTry: boolean }
  | { readonly kind: 'unary'; readonly sign: '-' | '+' | '~'; readonly value: Expression }
  | { readonly kind: 'binary'; readonly sign: string; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: 'case'
      readonly arms: readonly { when: Expression; gives: Expression }[]
      readonly otherwise: Expression
    }
  | Condition

/** What is true, false or unknown; T-SQL keeps these apart from values. */
type Condition =
  | { readonly kind: 'not'; readonly value: Expression }
  | { readonly kind: 'isNull'; readonly value: Expression; readonly isNot: boolean }
  | {
      readonly kind: 'in'
      readonly value: Expression
      readonly list: readonly Expression[]
      readonly isNot: boolean
    }

export interface Item {
  /** `*`, or `t.*`. */
  readonly isStar?: boolean
  readonly of?: string
  readonly value?: Expression
  readonly name?: string
  /** `select @a = 1`. */
  readonly into?: string
}

export interface Source {
  readonly name: string
  readonly alias: string
  /** `generate_series(1, 10)`. */
  readonly args?: readonly Expression[]
  /** Rows are read without locks, or with those of the writers. */
  readonly hints: readonly string[]
}

export interface Join {
  readonly source: Source
  readonly on?: Expression
  readonly isLeft: boolean
}

export interface Order {
  readonly by: Expression
  readonly isDescending: boolean
}

export interface Select {
  readonly kind: 'select'
  readonly items: readonly Item[]
  readonly top?: Expression
  readonly from?: Source
  readonly joins: readonly Join[]
  readonly where?: Expression
  readonly order: readonly Order[]
  readonly offset?: Expression
  readonly fetch?: Expression
}

export interface ColumnDefinition {
  readonly name: string
  readonly type: SqlType
  readonly isNullable: boolean
  readonly isIdentity: boolean
  readonly isKey: boolean
  readonly fallback?: Expression
}

export type Statement =
  | Select
  | {
      readonly kind: 'insert'
      readonly table: string
      readonly columns: readonly string[]
      readonly output: readonly Item[]
      readonly rows: readonly (readonly Expression[])[]
      readonly query?: Select
    }
  | {
      readonly kind: 'update'
      readonly table: string
      readonly set: readonly { column: string; value: Expression }[]
      readonly output: readonly Item[]
      readonly where?: Expression
    }
  | {
      readonly kind: 'delete'
      readonly table: string
      readonly output: readonly Item[]
      readonly where?: Expression
    }
  | {
      readonly kind: 'createTable'
      readonly table: string
      readonly columns: readonly ColumnDefinition[]
      readonly key: readonly string[]
    }
  | { readonly kind: 'addColumn'; readonly table: string; readonly column: ColumnDefinition }
  | { readonly kind: 'dropTable'; readonly tables: readonly string[]; readonly ifExists: boolean }
  | { readonly kind: 'truncate'; readonly table: string }
  | { readonly kind: 'begin' | 'commit'; readonly name: string }
  | { readonly kind: 'rollback' | 'save'; readonly name: string }
  | { readonly kind: 'declare'; readonly name: string; readonly type: SqlType; readonly value?: Expression }
  | { readonly kind: 'assign'; readonly name: string; readonly value: Expression }
  | { readonly kind: 'set'; readonly option: string; readonly value: string }
  | {
      readonly kind: 'if'
      readonly condition: Expression | Exists
      readonly then: Statement
      readonly otherwise?: Statement
    }
  | { readonly kind: 'block'; readonly body: readonly Statement[] }
  | { readonly kind: 'try'; readonly body: readonly Statement[]; readonly handler: readonly Statement[] }
  | { readonly kind: 'waitfor'; readonly delay: Expression }
  | { readonly kind: 'kill'; readonly spid: Expression }
  | { readonly kind: 'use'; readonly database: string }
  | { readonly kind: 'print'; readonly value: Expression }
  | { readonly kind: 'raise'; readonly args: readonly Expression[] }
  | { readonly kind: 'throw'; readonly args: readonly Expression[] }
  | {
      readonly kind: 'execute'
      readonly procedure: string
      readonly into?: string
      readonly args: readonly Argument[]
    }
  | { readonly kind: 'return' }

/** `if exists (select ...)`. */
export interface Exists {
  readonly kind: 'exists'
  readonly query: Select
  readonly isNot: boolean
}

export interface Argument {
  readonly name?: string
  readonly value: Expression
}
