import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { Isolation } from '../../contract/sql-driver.ts'
import { askPassword, checkPassword, type Password } from '../password.ts'
import { parseUrl } from './url.ts'

/**
 * Flat, as here, or in tedious' own shape with `authentication` and `options`. What is not named here is an option of
 * tedious, such as `appName` or `useUTC`; one that tedious does not know is refused at the first connect.
 */
export interface TediousConfig {
  server?: string
  /** The same as `server`. */
  host?: string
  /** Default 1433; not together with `instanceName`. */
  port?: number | string
  user?: string
  /** A function is asked for every connect: for passwords that expire. */
  password?: Password
  database?: string
  /** A Windows domain: logs in by NTLM. */
  domain?: string
  /** Default true, as tedious has it; then a server that does not encrypt is refused. */
  encrypt?: boolean | 'strict'
  trustServerCertificate?: boolean
  /** How tedious logs in, where it is not by name and password. A function is asked for every connect: for tokens. */
  authentication?: object | (() => object | Promise<object>)
  /** Options of tedious. */
  options?: object
  [option: string]: unknown
}

/** All that is needed to open connections. */
export interface Target {
  /** The options of tedious that the user gave or we set. */
  readonly options: Readonly<Record<string, unknown>>
  /** What tedious takes; what may have changed is asked for anew. */
  config(): Promise<{ server: string; authentication?: object; options: Record<string, unknown> }>
}

/** As the protocol numbers them. */
export const LEVELS: Readonly<Record<Isolation, number>> = {
  'read uncommitted': 1,
  'read committed': 2,
  'repeatable read': 3,
  serializable: 4,
  snapshot: 5,
}

const FOREVER_MS = 2 ** 31 - 1

/** The pool has limits and retries of its own; what it hands out are rows by name. */
const DEFAULTS = {
  connectTimeout: FOREVER_MS,
  requestTimeout: 0,
  maxRetriesOnTransientErrors: 0,
}

/** @throws InvalidOptionError which never shows a password */
export function resolveConfig(config: unknown): Target {
  const given = givenBy(config)
  for (const name of ['server', 'user', 'database', 'domain']) {
    const value = given[name]
    if (value !== undefined && typeof value !== 'string')
      throw new InvalidOptionError(name, `"${name}" is ${show(value)}: it must be a text`)
  }
  const {
    server = 'localhost',
    port,
    user,
    password,
    domain,
    authentication,
    options: inner,
    ...rest
  } = given
  const own = objectOf('options', inner ?? {})
  const options: Record<string, unknown> = { ...DEFAULTS, ...own, ...optionsOf(rest) }
  const chosen = port ?? own.port
  if (options.instanceName === undefined) options.port = portOf(chosen ?? 1433)
  else if (chosen !== undefined) {
    throw new InvalidOptionError(
      'port',
      '"port" and "instanceName" exclude each other: an instance has a port of its own',
    )
  }
  checkPassword(password)
  const login = authentication ?? loginBy({ user, password, domain } as Login)
  return {
    options,
    config: async () => ({
      server: server as string,
      options: { ...options },
      authentication: objectOf('authentication', await (typeof login === 'function' ? login() : login)),
    }),
  }
}

function givenBy(config: unknown): Record<string, unknown> {
  if (typeof config === 'string' || config instanceof URL) return parseUrl(String(config))
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new InvalidOptionError(
      'config',
      `the config of tedious is ${show(config)}: it must be a URL or an object`,
    )
  }
  const { host, ...fields } = Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined && value !== null && value !== ''),
  )
  return host === undefined ? fields : { server: host, ...fields }
}

interface Login {
  readonly user: string | undefined
  readonly password: Password | undefined
  readonly domain: string | undefined
}

function loginBy({ user, password, domain }: Login): () => Promise<object> {
  return async () => {
    const said = {
      userName: user,
      password: password === undefined ? undefined : await askPassword(password),
    }
    return domain === undefined
      ? { type: 'default', options: said }
      : { type: 'ntlm', options: { ...said, domain } }
  }
}

/** What a URL says as text, in the types that tedious wants. */
function optionsOf(given: Record<string, unknown>): Record<string, unknown> {
  const { applicationIntent, isolationLevel, ...rest } = given
  const options: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(rest))
    options[name] = typeof value === 'string' ? read(name, value) : value
  if (applicationIntent !== undefined) options.readOnlyIntent = /^readonly$/i.test(String(applicationIntent))
  if (isolationLevel === undefined) return options
  const level = levelOf(isolationLevel)
  return { ...options, isolationLevel: level, connectionIsolationLevel: level }
}

/** Names stay texts, also those that look like numbers. */
const NAMES = /^(database|appName|instanceName|workstationId|language|serverName)$/

function read(name: string, text: string): unknown {
  if (NAMES.test(name)) return text
  if (/^(true|yes|mandatory)$/i.test(text)) return true
  if (/^(false|no|optional)$/i.test(text)) return false
  return /^-?\d+$/.test(text) ? Number(text) : text
}

function levelOf(given: unknown): number {
  if (typeof given === 'number') return given
  const name = String(given).toLowerCase().replaceAll('_', ' ')
  if (Object.hasOwn(LEVELS, name)) return LEVELS[name as Isolation]
  throw new InvalidOptionError(
    'isolationLevel',
    `"isolationLevel" is ${show(given)}: it must be one of ${Object.keys(LEVELS).join(', ')}`,
  )
}

function objectOf(name: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new InvalidOptionError(name, `"${name}" is of type ${typeof value}: it must be an object`)
}

function portOf(given: unknown): number {
  const port = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given
  if (Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535) return port as number
  // Not shown: behind an "@" that was not encoded it is a part of the password.
  throw new InvalidOptionError('port', '"port" must be a whole number from 1 to 65535')
}
