import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import { askPassword, checkPassword, type Password } from '../password.ts'
import { type TlsDialect, takeTls } from './tls.ts'
import { parseUrl } from './url.ts'
import type { Address, KeepAlive } from './wire.ts'

/** What both packages take; all other options are passed on to the package as they are. */
export interface MysqlConfig {
  host?: string
  port?: number | string
  /** A socket in the file system, instead of host and port. */
  socketPath?: string
  user?: string
  /** A function is asked for every connect: for tokens that expire. */
  password?: Password
  database?: string
  ssl?: boolean | string | object
  /** A URL, for what the other fields leave open. */
  uri?: string
  [option: string]: unknown
}

/** All that is needed to open connections, the same for each. */
export interface Target {
  readonly address: Address
  readonly keepAlive: KeepAlive
  /** The user's own way to a server. */
  readonly makeStream: ((...args: unknown[]) => unknown) | undefined
  /** What the package takes, but for `stream`; the password is asked for anew. */
  options(): Promise<Record<string, unknown>>
}

export interface Dialect {
  readonly tls: TlsDialect
  /** Options of the package that we set where the user has not. */
  readonly defaults: Readonly<Record<string, unknown>>
}

/** @throws InvalidOptionError which never shows a password */
export function resolveConfig(name: string, config: unknown, dialect: Dialect): Target {
  const given = givenBy(name, config)
  checkTexts(given)
  const { host = 'localhost', port, socketPath, password, stream, uri: _, ...rest } = given
  if (stream !== undefined && typeof stream !== 'function') {
    throw new InvalidOptionError(
      'stream',
      '"stream" must be a function that gives a socket for each connection',
    )
  }
  const tls = takeTls(rest, dialect.tls)
  const fixed = { ...dialect.defaults, ...rest, host, port: portOf(port) }
  return {
    address:
      socketPath === undefined ? { host: host as string, port: fixed.port } : { path: socketPath as string },
    keepAlive: keepAliveOf(given),
    makeStream: stream as Target['makeStream'],
    options: async () => ({
      ...fixed,
      ...(await tls()),
      ...(password !== undefined && { password: await askPassword(password as Password) }),
    }),
  }
}

function givenBy(name: string, config: unknown): Record<string, unknown> {
  if (typeof config === 'string' || config instanceof URL) return parseUrl(String(config))
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new InvalidOptionError(
      'config',
      `the config of ${name} is ${show(config)}: it must be a URL or an object`,
    )
  }
  const fields = Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined && value !== null && value !== ''),
  )
  if (fields.uri === undefined) return fields
  if (typeof fields.uri !== 'string') throw new InvalidOptionError('uri', '"uri" must be a text')
  return { ...parseUrl(fields.uri), ...fields }
}

function checkTexts(given: Record<string, unknown>): void {
  for (const name of ['host', 'socketPath', 'user', 'database']) {
    const value = given[name]
    if (value === undefined || typeof value === 'string') continue
    throw new InvalidOptionError(name, `"${name}" is ${show(value)}: it must be a text`)
  }
  const { password } = given
  const isList = Array.isArray(password) && password.every((one) => typeof one === 'string')
  if (!isList) checkPassword(password)
}

function portOf(given: unknown): number {
  if (given === undefined) return 3306
  const port = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given
  if (Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535) return port as number
  // Not shown: behind an "@" that was not encoded it is a part of the password.
  throw new InvalidOptionError('port', '"port" must be a whole number from 1 to 65535')
}

/** On by default: a peer that has vanished is noticed even while nobody asks. */
function keepAliveOf({
  enableKeepAlive,
  keepAliveInitialDelay,
  keepAliveDelay,
}: Record<string, unknown>): KeepAlive {
  const delay = Number(keepAliveDelay ?? keepAliveInitialDelay ?? 0)
  return { isOn: enableKeepAlive !== false, delayMs: delay > 0 ? delay : 0 }
}
