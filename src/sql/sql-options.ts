import {
  aBoolean,
  assertKnown,
  assertOption,
  type Check,
  count,
  milliseconds,
  oneOf,
  shapedLike,
} from '../contract/check.ts'
import { InvalidOptionError } from '../contract/errors.ts'
import { ACQUIRE_NAMES } from '../contract/resolve-options.ts'
import type { QueryOptions, StreamOptions, TransactionOptions } from '../contract/sql.ts'
import type { BeginOptions, SqlDriver } from '../contract/sql-driver.ts'

const aSignal = shapedLike('addEventListener', 'removeEventListener')

const QUERY: Record<keyof QueryOptions, Check> = {
  prepare: aBoolean,
  signal: aSignal,
  timeoutMs: milliseconds(),
  idempotent: aBoolean,
  readOnly: aBoolean,
  multiplex: aBoolean,
}

const STREAM: Record<keyof StreamOptions, Check> = { batch: count(1, { unlimited: false }), signal: aSignal }

const BEGIN: Record<keyof BeginOptions, Check> = {
  isolation: oneOf('read uncommitted', 'read committed', 'repeatable read', 'snapshot', 'serializable'),
  readOnly: aBoolean,
}

const RETRIES = count(0, { unlimited: true })

const TRANSACTION_KEYS: readonly (keyof TransactionOptions)[] = ['isolation', 'retries', ...ACQUIRE_NAMES]

export function assertQuery(options: QueryOptions): void {
  assertAll(options, QUERY, 'query')
}

export function assertStream<C>(options: StreamOptions, driver: SqlDriver<C>): void {
  assertAll(options, STREAM, 'stream')
  if (driver.stream === undefined) {
    throw new InvalidOptionError(
      'stream',
      `the driver "${driver.name}" cannot stream: use query, with a limit`,
    )
  }
}

/** Checks what begins a transaction; other keys are the acquire's business. */
export function assertBegin({ isolation, readOnly }: BeginOptions): void {
  if (isolation !== undefined) assertOption('isolation', isolation, BEGIN.isolation)
  if (readOnly !== undefined) assertOption('readOnly', readOnly, BEGIN.readOnly)
}

/** A misspelt isolation that nobody reads would be a wrong one. */
export function assertTransaction(options: TransactionOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new InvalidOptionError('options', `transaction takes options as an object, not ${String(options)}`)
  assertKnown(options, TRANSACTION_KEYS, 'transaction')
  assertBegin(options)
  if (options.retries !== undefined) assertOption('retries', options.retries, RETRIES)
}

export function assertWork(call: string, work: unknown): void {
  if (typeof work !== 'function')
    throw new InvalidOptionError('work', `${call} takes a function as its first argument`)
}

function assertAll<T extends object>(options: T, checks: Record<keyof T, Check>, call: string): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError('options', `${call}: the options must be an object, not ${String(options)}`)
  }
  assertKnown(options, Object.keys(checks), call)
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) assertOption(name, value, checks[name as keyof T])
  }
}
