import { resolve } from 'node:path'
import {
  aBoolean,
  aName,
  assertKnown,
  assertOption,
  type Check,
  milliseconds,
  oneOf,
  show,
} from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'

/** A database of SQLite, and how it is used. */
export interface SqliteConfig {
  /** The path of the database, or `:memory:`. */
  file: string
  /** `rwc` (the default) creates the file, `rw` wants it to be there, `ro` never writes. */
  mode?: 'rwc' | 'rw' | 'ro'
  /**
   * Whether statements run in worker threads, and only reads known to be fast in the calling one. Default true; false for
   * scripts. A database in memory lives in the calling thread.
   */
  threads?: boolean
  /** Milliseconds to wait for the writer, and for locks of other processes. Default 10 000. */
  busyTimeoutMs?: number
  /** 64-bit integers as JavaScript numbers (the default) or as bigint, all of them. */
  integers?: 'number' | 'bigint'
  /** Set on every new connection, e.g. `{ synchronous: 'normal', cache_size: -64000 }`. */
  pragmas?: Record<string, string | number | boolean>
}

/** What a config says, with its defaults and checked. */
export interface Target {
  /** Absolute, so that a later change of the working directory does not open another database. */
  readonly file: string
  readonly isMemory: boolean
  readonly mode: 'rwc' | 'rw' | 'ro'
  readonly threads: boolean
  readonly busyTimeoutMs: number
  readonly bigints: boolean
  readonly setup: readonly string[]
}

const CHECKS: Record<keyof SqliteConfig, Check> = {
  file: aName,
  mode: oneOf('rwc', 'rw', 'ro'),
  threads: aBoolean,
  busyTimeoutMs: milliseconds({ zero: '0 = do not wait' }),
  integers: oneOf('number', 'bigint'),
  pragmas: (value) =>
    typeof value === 'object' && value !== null
      ? undefined
      : 'it must be an object such as { synchronous: "normal" }',
}

/** SQLite ignores a name that it does not know, so that a slip of the pen would go unnoticed. */
const PRAGMAS = [
  'analysis_limit',
  'auto_vacuum',
  'automatic_index',
  'cache_size',
  'cache_spill',
  'case_sensitive_like',
  'cell_size_check',
  'checkpoint_fullfsync',
  'encoding',
  'foreign_keys',
  'fullfsync',
  'ignore_check_constraints',
  'journal_mode',
  'journal_size_limit',
  'mmap_size',
  'page_size',
  'recursive_triggers',
  'reverse_unordered_selects',
  'secure_delete',
  'soft_heap_limit',
  'synchronous',
  'temp_store',
  'threads',
  'trusted_schema',
  'wal_autocheckpoint',
]

/** @throws InvalidOptionError */
export function resolveConfig(given: string | URL | SqliteConfig): Target {
  const config = typeof given === 'string' || given instanceof URL ? fromUrl(String(given)) : given
  if (typeof config !== 'object' || config === null) {
    throw new InvalidOptionError(
      'config',
      `the config is ${show(config)}: it must be a URL or an object with "file"`,
    )
  }
  assertKnown(config, Object.keys(CHECKS), 'sqlite')
  assertOption('file', config.file, CHECKS.file)
  for (const [name, value] of Object.entries(config))
    if (value !== undefined) assertOption(name, value, CHECKS[name as keyof SqliteConfig])
  return targetOf(config)
}

function targetOf(config: SqliteConfig): Target {
  const { file, mode = 'rwc', busyTimeoutMs = 10_000, integers = 'number', pragmas = {} } = config
  const isMemory = file === ':memory:'
  const { threads = !isMemory } = config
  if (isMemory && threads)
    throw new InvalidOptionError(
      'threads',
      'a database in memory lives in the calling thread: leave "threads" out',
    )
  if (isMemory && mode !== 'rwc')
    throw new InvalidOptionError('mode', `"mode" is "${mode}": a database in memory is created and written`)
  return {
    file: isMemory ? file : resolve(file),
    isMemory,
    mode,
    threads,
    busyTimeoutMs,
    bigints: integers === 'bigint',
    setup: setupOf(pragmas, { isMemory, mode }),
  }
}

/** Write-ahead logging is what lets readers and the writer work at the same time; foreign keys are not the same in all libraries. */
function setupOf(
  pragmas: NonNullable<SqliteConfig['pragmas']>,
  { isMemory, mode }: { isMemory: boolean; mode: string },
): string[] {
  assertKnown(pragmas, PRAGMAS, 'sqlite pragmas')
  const defaults =
    isMemory || mode === 'ro' ? { foreign_keys: true } : { foreign_keys: true, journal_mode: 'wal' }
  const all = { ...defaults, ...pragmas }
  // A page size counts before the journal, which creates the file.
  const names = Object.keys(all).sort((a, b) => Number(a === 'journal_mode') - Number(b === 'journal_mode'))
  return names.map((name) => `pragma ${name} = ${textOf(name, (all as Record<string, unknown>)[name])}`)
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (/^-?[\w.-]+$/.test(String(value))) return String(value)
  throw new InvalidOptionError(
    name,
    `the pragma "${name}" is ${show(value)}: it must be a word, a number or a truth value`,
  )
}

/** `sqlite:app.db`, `sqlite:/abs/app.db`, `sqlite:///abs/app.db`, `sqlite::memory:`, each with `?name=value`. */
function fromUrl(url: string): SqliteConfig {
  const [, path = '', query = ''] = /^sqlite:(?:\/\/)?([^?#]*)(?:\?([^#]*))?/i.exec(url) ?? []
  if (!/^sqlite:/i.test(url))
    throw new InvalidOptionError(
      'url',
      `the URL is ${show(url)}: it must be a text like sqlite:app.db or sqlite::memory:`,
    )
  if (path === '')
    throw new InvalidOptionError(
      'url',
      `the URL ${show(url)} names no file: sqlite:app.db or sqlite::memory:`,
    )
  const config: SqliteConfig = { file: decode(path) }
  const pragmas: Record<string, string> = {}
  for (const part of query.split('&').filter((text) => text !== '')) {
    const [name = '', ...rest] = part.split('=').map(decode)
    const value = rest.join('=')
    if (PRAGMAS.includes(name) && name !== 'threads') pragmas[name] = value
    else Object.assign(config, { [name]: readValue(name, value) })
  }
  assertKnown(config, [...Object.keys(CHECKS).filter((key) => key !== 'pragmas'), ...PRAGMAS], 'the URL')
  return { ...config, pragmas }
}

function readValue(name: string, text: string): unknown {
  if (name === 'busyTimeoutMs' && /^(\d+|Infinity)$/.test(text)) return Number(text)
  return text === 'true' || text === 'false' ? text === 'true' : text
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new InvalidOptionError(
      'url',
      'the URL has a "%" that is not followed by two hex digits; or pass { file }',
    )
  }
}
