import type { BeginOptions, Isolation, QueryResult, Row } from '../contract/sql-driver.ts'
import { fakeErrors } from './fake-error.ts'
import type { FakeSession } from './fake-session.ts'
import type { Latency } from './latency.ts'

/** A statement that has reached the fake server. */
export interface FakeStatement {
  readonly sql: string
  readonly params: readonly unknown[]
  readonly session: FakeSession
}

export interface FakeAnswer {
  /** May be made one by one: a stream asks for no more of them than it needs. */
  rows?: Iterable<Row>
  /** Default: the number of rows. */
  rowCount?: number
  insertId?: number | bigint | string
  /** Fails with this error. */
  error?: unknown
  /** How long the server works on it, besides its `latencyMs`. */
  takesMs?: Latency
  /** The answer to a COMMIT of a transaction that had failed. */
  rolledBack?: boolean
  /** The answer to a yes-or-no question of the driver. */
  says?: boolean
}

/** The rows, the error, or all that can be said. `undefined`: some other answer is for this statement. */
export type Answer = readonly Row[] | Error | FakeAnswer | undefined

/** Which statements are meant: one text, a pattern, or whatever the function says. */
export type StatementMatch = string | RegExp | ((statement: FakeStatement) => boolean)

const NOTHING: FakeAnswer = { rows: [], rowCount: 0 }
const CONTROL = /^\s*(begin|start\s+transaction|commit|rollback|savepoint|release|discard\s+all)\b/i
const WRITE = /^\s*(insert|update|delete|merge|replace|create|alter|drop|truncate)\b/i
const LEVEL = /isolation\s+level\s+(read uncommitted|read committed|repeatable read|snapshot|serializable)/i
const NAME = /^\s*(?:rollback\s+to|release|savepoint)(?:\s+savepoint)?\s+"?([^\s";]+)/i

/** What a fake server answers: the statements that every server knows, and what it was told. */
export class Answers {
  readonly #strict: boolean
  readonly #scripted: { match: StatementMatch; answer: (statement: FakeStatement) => Answer }[] = []

  /** @param strict a statement that nothing was said about fails, instead of giving no rows */
  constructor({ strict }: { strict: boolean }) {
    this.#strict = strict
  }

  /** What is said last comes first. */
  add(match: StatementMatch, answer: Answer | ((statement: FakeStatement) => Answer)): void {
    this.#scripted.unshift({ match, answer: typeof answer === 'function' ? answer : () => answer })
  }

  answer(statement: FakeStatement): FakeAnswer {
    const { sql, session } = statement
    const control = CONTROL.exec(sql)?.[1]
    try {
      if (control !== undefined) return answerControl(control, statement)
      if (session.transaction === 'failed') return { error: fakeErrors.aborted() }
      if (session.readOnly && WRITE.test(sql)) return { error: fakeErrors.readOnly() }
      return this.#scriptedAnswer(statement)
    } catch (error) {
      return { error }
    }
  }

  #scriptedAnswer(statement: FakeStatement): FakeAnswer {
    for (const { match, answer } of this.#scripted) {
      if (!matches(match, statement)) continue
      const given = answer(statement)
      if (given === undefined) continue
      if (given instanceof Error) return { error: given }
      return isRows(given) ? { rows: given } : given
    }
    return this.#strict ? { error: fakeErrors.unanswered(statement.sql) } : NOTHING
  }
}

function isRows(answer: readonly Row[] | FakeAnswer): answer is readonly Row[] {
  return Array.isArray(answer)
}

function matches(match: StatementMatch, statement: FakeStatement): boolean {
  if (typeof match === 'string') return match === statement.sql
  return typeof match === 'function' ? match(statement) : match.test(statement.sql)
}

function answerControl(word: string, { sql, session }: FakeStatement): FakeAnswer {
  const name = NAME.exec(sql)?.[1]
  const verb = word.toLowerCase().split(/\s/)[0]
  if (verb === 'begin' || verb === 'start') session.begin(beginOptions(sql))
  else if (verb === 'commit') return session.commit() ? NOTHING : { rolledBack: true }
  else if (verb === 'discard') session.clear()
  else if (verb === 'savepoint') session.setSavepoint(name ?? '')
  else if (verb === 'release') session.releaseSavepoint(name ?? '')
  else if (name === undefined) session.rollback()
  else session.rollbackToSavepoint(name)
  return NOTHING
}

/** The options of a transaction, as `begin` is told them in its text. */
export function beginText({ isolation, readOnly }: BeginOptions): string {
  return `begin${isolation === undefined ? '' : ` isolation level ${isolation}`}${readOnly ? ' read only' : ''}`
}

function beginOptions(sql: string): BeginOptions {
  const isolation = LEVEL.exec(sql)?.[1]
  return {
    ...(isolation === undefined ? {} : { isolation: isolation.toLowerCase() as Isolation }),
    readOnly: /read\s+only/i.test(sql),
  }
}

/** The answer as a driver hands it over. */
export function toResult({ rows = [], rowCount, insertId }: FakeAnswer): QueryResult {
  const all = [...rows]
  const result: QueryResult = {
    rows: all,
    rowCount: rowCount ?? all.length,
    fields: all[0] === undefined ? [] : Object.keys(all[0]).map((name) => ({ name })),
  }
  if (insertId !== undefined) result.insertId = insertId
  return result
}
