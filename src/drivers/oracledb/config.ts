import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import { askPassword, checkPassword, type Password } from '../password.ts'
import { parseUrl } from './url.ts'

/** Sessions of the server's own pool (DRCP), which are given back to it between uses. */
export interface Drcp {
  /** Whose sessions may be used again for one another. Default: a name that the package makes up. */
  readonly connectionClass?: string
  /** `self` (default): a session may come back as its last user left it; `new`: never. */
  readonly purity?: 'self' | 'new'
  /** Milliseconds after which the sockets are closed when no connection is in use. Default 10 000. */
  readonly lingerMs?: number
}

/** What `oracledb()` takes: the package's own attributes of a connection, and these. */
export interface OracleConfig {
  readonly user?: string
  /** A text, or a function that gives one and is asked for every connect. */
  readonly password?: Password
  /** Easy Connect (`host:1521/service`), a descriptor, or a name of tnsnames.ora. */
  readonly connectString?: string
  /** Statements that each connection keeps parsed. Default: the package's, 30. */
  readonly stmtCacheSize?: number
  /** Milliseconds that a round trip may take before the package stops the statement. Default 0: unlimited. */
  readonly callTimeout?: number
  /** Seconds until a connect fails. Default 10: an attempt of the package cannot be aborted. */
  readonly connectTimeout?: number
  /** `values` (default): CLOBs are read as texts and BLOBs as Buffers; `locators`: as the package gives them. */
  readonly lobs?: 'values' | 'locators'
  readonly drcp?: Drcp
  readonly [attribute: string]: unknown
}

/** A config that has been checked. */
export interface Target {
  /** Asked for every connect. */
  attributes(): Promise<Record<string, unknown>>
  readonly callTimeout: number
  readonly lobsAsValues: boolean
  readonly drcp: { readonly lingerMs: number } | undefined
}

/** What belongs to the package's pools, or would make one of its own behind our back. */
const NOT_HERE =
  /^(pool\w*|queueMax|queueTimeout|queueRequests|sessionCallback|homogeneous|enableStatistics|tag|matchAnyTag)$/

export function resolveConfig(config: string | URL | OracleConfig): Target {
  const given = givenBy(config)
  const wrong = Object.keys(given).find((name) => NOT_HERE.test(name))
  if (wrong !== undefined) {
    throw new InvalidOptionError(
      wrong,
      `"${wrong}" is for the pool of oracledb: here the pool is rockpool's (max, idleTimeoutMs, ... are the second argument of createPool; instead of tags there is "label")`,
    )
  }
  const { password, callTimeout, lobs = 'values', drcp, connectTimeout = 10, ...rest } = given
  if (
    rest.connectString === undefined ||
    typeof rest.connectString !== 'string' ||
    rest.connectString === ''
  ) {
    throw new InvalidOptionError(
      'connectString',
      '"connectString" is missing: it must be a text like host:1521/service',
    )
  }
  if (lobs !== 'values' && lobs !== 'locators')
    throw new InvalidOptionError('lobs', `"lobs" is ${show(lobs)}: it must be "values" or "locators"`)
  for (const name of ['user', 'connectString']) checkText(name, rest[name])
  checkPassword(password)
  checkWhole('stmtCacheSize', rest.stmtCacheSize)
  const pooled = drcp === undefined ? undefined : drcpOf(drcp)
  const connectString = pooled === undefined ? rest.connectString : withDrcp(rest.connectString, pooled)
  const fixed = { ...rest, connectString, connectTimeout: checkWhole('connectTimeout', connectTimeout) }
  return {
    attributes: async () => ({
      ...fixed,
      ...(password !== undefined && { password: await askPassword(password as Password) }),
    }),
    callTimeout: checkWhole('callTimeout', callTimeout) ?? 0,
    lobsAsValues: lobs === 'values',
    drcp: pooled && { lingerMs: pooled.lingerMs ?? 10_000 },
  }
}

function givenBy(config: unknown): Record<string, unknown> {
  if (typeof config === 'string' || config instanceof URL) return parseUrl(String(config))
  if (typeof config === 'object' && config !== null && !Array.isArray(config))
    return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
  throw new InvalidOptionError(
    'config',
    `the config of oracledb is ${show(config)}: it must be a URL or an object`,
  )
}

function checkText(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'string') return
  throw new InvalidOptionError(name, `"${name}" is ${show(value)}: it must be a text`)
}

function checkWhole(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (Number.isInteger(value) && (value as number) >= 0) return value as number
  throw new InvalidOptionError(name, `"${name}" is ${show(value)}: it must be a whole number, 0 or more`)
}

function drcpOf(given: unknown): Drcp {
  const { connectionClass, purity, lingerMs, ...rest } = (given ?? {}) as Record<string, unknown>
  const unknown = typeof given !== 'object' || given === null ? 'drcp' : Object.keys(rest)[0]
  if (unknown !== undefined)
    throw new InvalidOptionError('drcp', '"drcp" must be an object of connectionClass, purity and lingerMs')
  checkText('connectionClass', connectionClass)
  if (connectionClass !== undefined && !/^[\w.:-]{1,128}$/.test(connectionClass as string))
    throw new InvalidOptionError(
      'connectionClass',
      '"connectionClass" must be of letters, digits and . : - _',
    )
  if (purity !== undefined && purity !== 'self' && purity !== 'new')
    throw new InvalidOptionError('purity', `"purity" is ${show(purity)}: it must be "self" or "new"`)
  checkWhole('lingerMs', lingerMs)
  return given as Drcp
}

/** The server's pool is asked for in the words of Easy Connect; in a descriptor the user has to do it. */
function withDrcp(connectString: string, { connectionClass, purity }: Drcp): string {
  if (connectString.trim().startsWith('(')) {
    if (/\(\s*SERVER\s*=\s*POOLED\s*\)/i.test(connectString)) return connectString
    throw new InvalidOptionError('drcp', 'with "drcp" a descriptor must say (SERVER=POOLED)')
  }
  const [base = '', query] = connectString.split('?')
  if (!base.includes('/'))
    throw new InvalidOptionError(
      'drcp',
      '"drcp" wants a connectString like host:1521/service, or a descriptor',
    )
  const words = [
    ...(query === undefined ? [] : [query]),
    ...(connectionClass === undefined ? [] : [`pool_connection_class=${connectionClass}`]),
    ...(purity === undefined ? [] : [`pool_purity=${purity}`]),
  ]
  const server = /:pooled$/i.test(base) ? base : `${base.replace(/:(dedicated|shared)$/i, '')}:pooled`
  return words.length === 0 ? server : `${server}?${words.join('&')}`
}
