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
import type { QueryOptions, SessionOptions, StreamOptions, TransactionOptions } from '../contract/sql.ts'
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

const SESSION: Record<keyof SessionOptions, Check> = {
  release: oneOf('statement', 'transaction', 'close'),
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

export function assertSession(options: SessionOptions): void {
  assertAll(options, SESSION, 'session')
}

/** Checks what begins a transaction: a misspelt isolation that nobody reads would be a wrong one. */
export function assertBegin(options: BeginOptions, call: 'begin' | 'transaction'): void {
  assertAll(options, BEGIN, call)
}

/** The same with what `pool.transaction` takes beside it; the acquire checks what is its own. */
export function assertTransaction(options: TransactionOptions): void {
  assertKnown(options, TRANSACTION_KEYS, 'transaction')
  const { isolation, readOnly, retries } = options
  assertBegin({ isolation, readOnly }, 'transaction')
  if (retries !== undefined) assertOption('retries', retries, RETRIES)
}

export function assertWork(call: string, work: unknown): void {
  if (typeof work !== 'function')
    throw new InvalidOptionError('work', `${call} takes a function as its first argument`)
}

function assertAll<T extends object>(options: T, checks: Record<keyof T, Check>, call: string): void {
  assertKnown(options, Object.keys(checks), call)
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) assertOption(name, value, checks[name as keyof T])
  }
}
