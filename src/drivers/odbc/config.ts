import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { FamilyName } from './family.ts'

/** What `odbc()` takes beside a connection string. */
export interface OdbcConfig {
  /** ODBC's own words: `Driver={PostgreSQL Unicode};Server=...;Uid=...;Pwd=...`, or `DSN=...`. */
  readonly connectionString: string
  /**
   * Seconds until a connect that gets no answer fails. Default 10. While it hangs, no statement of this process can begin
   * on any ODBC connection, whatever the pool's `connectTimeoutMs` says.
   */
  readonly loginTimeout?: number
  /** Whose SQL the database speaks. Default: found out at the first connect. */
  readonly family?: FamilyName
}

/** A config that has been checked. */
export interface Target {
  readonly connectionString: string
  readonly loginTimeout: number
  readonly family: FamilyName | undefined
}

const FAMILIES: readonly FamilyName[] = ['postgres', 'mysql', 'sqlite', 'sqlserver', 'other']
const KNOWN = ['connectionString', 'loginTimeout', 'family']

/** @throws InvalidOptionError, in which nothing of the connection string appears: it holds a password */
export function resolveConfig(given: string | OdbcConfig): Target {
  const config = typeof given === 'string' ? { connectionString: withoutScheme(given) } : given
  if (typeof config !== 'object' || config === null) {
    throw new InvalidOptionError(
      'config',
      `the config of odbc is ${show(config)}: it must be a text like odbc:DSN=shop, or an object`,
    )
  }
  const unknown = Object.keys(config).find((name) => !KNOWN.includes(name))
  if (unknown !== undefined) {
    throw new InvalidOptionError(
      unknown,
      `odbc has no option "${unknown}": what is for the database belongs into "connectionString", known are ${KNOWN.join(', ')}`,
    )
  }
  const { connectionString, loginTimeout = 10, family } = config as Partial<OdbcConfig>
  if (family !== undefined && !FAMILIES.includes(family)) {
    throw new InvalidOptionError(
      'family',
      `"family" is ${show(family)}: it must be one of ${FAMILIES.join(', ')}`,
    )
  }
  if (!Number.isInteger(loginTimeout) || loginTimeout < 1 || loginTimeout > 3600) {
    throw new InvalidOptionError(
      'loginTimeout',
      `"loginTimeout" is ${show(loginTimeout)}: it must be a whole number of seconds from 1 to 3600`,
    )
  }
  const words = checked(connectionString)
  return {
    connectionString: bounded(connectionString as string, words, loginTimeout),
    loginTimeout,
    family: family ?? familyOf(words.get('driver')),
  }
}

function withoutScheme(text: string): string {
  if (!/^odbc:/i.test(text)) refuse('does not begin with odbc:')
  return text.slice('odbc:'.length)
}

function checked(text: unknown): ReadonlyMap<string, string> {
  if (typeof text !== 'string' || text.trim() === '') {
    throw new InvalidOptionError(
      'connectionString',
      'the ODBC connection string is missing: it must be a text like DSN=shop, or Driver={...};Server=...',
    )
  }
  if (text.includes('\0')) refuse('has a zero byte')
  return wordsOf(text)
}

/** `name=value` pairs, parted by `;`; in `{braces}` a `;` is a part of the value, and `}}` a `}`. */
export function wordsOf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const pair = /\s*([^=;{}]+?)\s*=\s*(?:\{((?:[^}]|\}\})*)\}|([^;{][^;]*|))\s*(?:;|$)|\s*(?:;|$)/y
  while (pair.lastIndex < text.length) {
    const match = pair.exec(text)
    if (match === null)
      refuse('is no list of name=value pairs parted by ";" (a value with a ";" stands in {braces})')
    const [, name, braced, plain] = match
    if (name === undefined) continue
    const value = braced?.replaceAll('}}', '}') ?? plain?.trim() ?? ''
    // As ODBC has it, the first one counts.
    if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), value)
  }
  return found
}

/** MariaDB's driver takes no login timeout but this one, and without it waits for ever. */
function bounded(text: string, words: ReadonlyMap<string, string>, loginTimeout: number): string {
  if (!/maria/i.test(words.get('driver') ?? '') || words.has('conn_timeout')) return text
  return `${text.replace(/[;\s]+$/, '')};CONN_TIMEOUT=${loginTimeout}`
}

function familyOf(driver = ''): FamilyName | undefined {
  if (/postgres|psqlodbc/i.test(driver)) return 'postgres'
  if (/maria|mysql|myodbc/i.test(driver)) return 'mysql'
  if (/sqlite/i.test(driver)) return 'sqlite'
  return /sql server|msodbcsql|sqlsrv/i.test(driver) ? 'sqlserver' : undefined
}

function refuse(problem: string): never {
  throw new InvalidOptionError('url', `the ODBC connection string ${problem}`)
}
