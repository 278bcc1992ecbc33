import type { ErrorClass } from '../../contract/driver.ts'
import { PoolError } from '../../contract/errors.ts'

const NAMES: Readonly<Record<number, string>> = {
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  8: 'SQLITE_READONLY',
  9: 'SQLITE_INTERRUPT',
  10: 'SQLITE_IOERR',
  14: 'SQLITE_CANTOPEN',
  23: 'SQLITE_AUTH',
  26: 'SQLITE_NOTADB',
}
const BUSY_SNAPSHOT = 517
/** Deno's node:sqlite gives a text alone. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^database is locked/, 'SQLITE_BUSY'],
  [/^database table is locked/, 'SQLITE_LOCKED'],
  [/^attempt to write a readonly database/, 'SQLITE_READONLY'],
  [/^unable to open database file/, 'SQLITE_CANTOPEN'],
  [/^ConnectionFailed\(.*: 14"\)$/, 'SQLITE_CANTOPEN'],
  [/^file is not a database/, 'SQLITE_NOTADB'],
  [/^disk I\/O error/, 'SQLITE_IOERR'],
]

/**
 * SQLite's own name of an error, without what follows it, whichever library threw it: better-sqlite3 gives names, libsql
 * gives names and numbers, but a text alone where it could not open, node:sqlite gives numbers.
 */
export function codeOf(error: unknown): string {
  const { code, errcode, message } = (error ?? {}) as Record<string, unknown>
  if (errcode === BUSY_SNAPSHOT || code === 'SQLITE_BUSY_SNAPSHOT') return 'SQLITE_BUSY_SNAPSHOT'
  if (typeof errcode === 'number') return NAMES[errcode & 255] ?? 'SQLITE_ERROR'
  if (typeof code === 'string' && code.startsWith('SQLITE_')) return code.split('_').slice(0, 2).join('_')
  return WORDS.find(([pattern]) => pattern.test(String(message)))?.[1] ?? ''
}

/** Somebody else has the lock, and may be done with it soon. A snapshot that is too old stays so. */
export function isBusy(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_BUSY'
}

export function isRefusedWrite(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_READONLY'
}

const CONFLICTS = ['SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_LOCKED']
/** SQLITE_THREAD is our own: a thread that ends while it connects does so every time. */
const REFUSALS = [
  'SQLITE_CANTOPEN',
  'SQLITE_NOTADB',
  'SQLITE_PERM',
  'SQLITE_AUTH',
  'SQLITE_READONLY',
  'SQLITE_THREAD',
]
/** The file can no longer be read, or is no longer a database; or the thread has ended. */
const BROKEN = ['SQLITE_IOERR', 'SQLITE_NOTADB', 'SQLITE_THREAD']

export function classify(error: unknown, during: 'connect' | 'statement'): ErrorClass {
  const code = codeOf(error)
  if (during === 'statement') {
    if (CONFLICTS.includes(code)) return 'conflict'
    return BROKEN.includes(code) ? 'fatal' : 'statement'
  }
  // better-sqlite3 says of a folder that does not exist that it is a wrong argument.
  const refused = error instanceof PoolError || error instanceof TypeError || REFUSALS.includes(code)
  return refused || (error as Error | undefined)?.name === 'TypeError' ? 'permanent' : 'fatal'
}
