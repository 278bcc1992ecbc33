import { InvalidOptionError } from '../contract/errors.ts'
import type { SqlFragment, SqlText } from '../contract/sql.ts'
import type { RowForm, SqlDriver } from '../contract/sql-driver.ts'

/** A text and its values, in the placeholders of the driver. */
export interface Statement {
  readonly text: string
  readonly params: readonly unknown[]
  /** Its caller has declared that it reads only. */
  readonly readOnly?: boolean
  /** How its rows are read, if not as the connection reads them. */
  readonly form?: RowForm
}

/** The statement, with what its caller has declared. */
export function declared(statement: Statement, options: { readOnly?: boolean } | undefined): Statement {
  return options?.readOnly === true ? { ...statement, readOnly: true } : statement
}

const NO_PARAMS: readonly unknown[] = Object.freeze([])

/** A driver that says nothing has `?`. */
type PlaceholderMaker = Pick<SqlDriver<unknown>, 'placeholder'>

/** @throws InvalidOptionError for what is no statement */
export function toStatement(
  sql: SqlText,
  params: readonly unknown[] | undefined,
  driver: PlaceholderMaker,
): Statement {
  if (typeof sql === 'string') {
    if (sql.trim() === '') throw new InvalidOptionError('sql', 'the statement is empty')
    if (params !== undefined && !Array.isArray(params)) {
      throw new InvalidOptionError('params', `the parameters must be an array, not ${typeof params}`)
    }
    return { text: sql, params: params ?? NO_PARAMS }
  }
  if (isFormed(sql)) return sql
  if (!isFragment(sql)) {
    throw new InvalidOptionError(
      'sql',
      `a statement is a text, or made by the sql tag; this is ${sql === null ? 'null' : typeof sql}`,
    )
  }
  if (params !== undefined) {
    throw new InvalidOptionError(
      'params',
      'a statement made by the sql tag carries its values itself: pass no parameters',
    )
  }
  return render(sql, driver)
}

/**
 * A statement whose values travel apart from its text, whatever the driver's placeholders look like. Fragments nest.
 *
 *     pool.query(sql`select * from users where id = ${id}`)
 */
export function sql(strings: TemplateStringsArray, ...values: readonly unknown[]): SqlFragment {
  return new Fragment(strings, values)
}

const FORMED = Symbol.for('rockpool.formed')

/** A statement of an ORM's, which knows how it wants its rows: given to `query` in the place of a text and its values. */
export class FormedStatement implements Statement {
  readonly text: string
  readonly params: readonly unknown[]
  readonly form: RowForm
  readonly [FORMED] = true

  constructor(text: string, params: readonly unknown[], form: RowForm) {
    this.text = text
    this.params = params
    this.form = form
  }
}

function isFormed(value: unknown): value is Statement {
  return typeof value === 'object' && value !== null && FORMED in value
}

const FRAGMENT = Symbol.for('rockpool.sql')

class Fragment implements SqlFragment {
  readonly strings: readonly string[]
  readonly values: readonly unknown[]
  readonly [FRAGMENT] = true

  constructor(strings: readonly string[], values: readonly unknown[]) {
    this.strings = strings
    this.values = values
  }
}

function isFragment(value: unknown): value is SqlFragment {
  return typeof value === 'object' && value !== null && FRAGMENT in value
}

function render(fragment: SqlFragment, driver: PlaceholderMaker): Statement {
  const params: unknown[] = []
  const placeholderAt = (position: number) => driver.placeholder?.(position) ?? '?'
  const write = ({ strings, values }: SqlFragment): string =>
    strings
      .map((text, i) => {
        if (i === values.length) return text
        const value = values[i]
        return text + (isFragment(value) ? write(value) : placeholderAt(params.push(value)))
      })
      .join('')
  return { text: write(fragment), params }
}
