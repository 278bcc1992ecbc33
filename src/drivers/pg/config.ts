import { userInfo } from 'node:os'
import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import { checkPassword, type Password } from '../password.ts'
import { type TlsPlan, tlsPlan } from './tls.ts'
import { parseUrl } from './url.ts'

/** What `pg.Client` takes, and libpq's words for TLS. Options that a later pg may have are passed on to it as well. */
export interface PgConfig {
  /** Read like a URL; wins over the other fields, as pg has it. */
  connectionString?: string | undefined
  /** A name, an address, or the folder of a unix socket. */
  host?: string | undefined
  port?: number | string | undefined
  user?: string | undefined
  /** A function is asked for every connect: for tokens that expire. */
  password?: Password | undefined
  database?: string | undefined
  /** `true` verifies the server by the authorities that Node trusts; an object goes to `tls.connect`. */
  ssl?: boolean | object | undefined
  /** libpq's `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`, instead of `ssl`. */
  sslmode?: string | undefined
  /** Path of the authority's certificate, or `system`. */
  sslrootcert?: string | undefined
  sslcert?: string | undefined
  sslkey?: string | undefined
  sslpassword?: string | undefined
  sslnegotiation?: 'postgres' | 'direct' | undefined
  /** Shown in `pg_stat_activity`. Default `rockpool`. */
  application_name?: string | undefined
  fallback_application_name?: string | undefined
  /** Command-line options for the session, e.g. `-c work_mem=7MB`. */
  options?: string | undefined
  /** Milliseconds after which the server ends a statement; also where this process no longer can. Default: the server's. */
  statement_timeout?: number | false | undefined
  /** Milliseconds that the server lets a statement wait for a lock. Default: the server's. */
  lock_timeout?: number | undefined
  /** Milliseconds after which the server ends a session that does nothing within a transaction. Default: the server's. */
  idle_in_transaction_session_timeout?: number | undefined
  /** Milliseconds, counted by pg; the pool's `timeoutMs` also tells the server. Default: none. */
  query_timeout?: number | undefined
  /** Milliseconds, counted by pg; the pool's `connectTimeoutMs` bounds it anyway. Default: none. */
  connectionTimeoutMillis?: number | undefined
  /** TCP keep-alive: a peer that vanished is noticed also while nobody asks. Default true. */
  keepAlive?: boolean | undefined
  /** Milliseconds of silence before the first probe. Default: the system's. */
  keepAliveInitialDelayMillis?: number | undefined
  client_encoding?: string | undefined
  enableChannelBinding?: boolean | undefined
  /** Type parsers of one's own. */
  types?: object | undefined
  /** Makes the socket; called for every connection. */
  stream?: (() => unknown) | undefined
}

/** All that is needed to open connections, the same for each. */
export interface Target {
  /** Options of `pg.Client`, but for `ssl`. */
  readonly options: Readonly<Record<string, unknown>>
  readonly tls: TlsPlan
}

type Env = Readonly<Record<string, string | undefined>>
type Given = Record<string, unknown>

/** libpq's environment, for what the config and the URL leave open. */
const FROM_ENV: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  database: 'PGDATABASE',
  options: 'PGOPTIONS',
  application_name: 'PGAPPNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslnegotiation: 'PGSSLNEGOTIATION',
}

/** @throws InvalidOptionError which never shows a password */
export function resolveConfig(config: unknown, env: Env): Target {
  const given = givenBy(config)
  // An address needs no name to be looked up; where both are given the name will do.
  given.host ??= given.hostaddr
  // An `ssl` says all there is to say about TLS.
  const isFixed = (name: string) =>
    given[name] !== undefined || (given.ssl !== undefined && name.startsWith('ssl'))
  for (const [name, variable] of Object.entries(FROM_ENV)) {
    const value = env[variable]
    if (value !== undefined && value !== '' && !isFixed(name)) given[name] = value
  }
  given.host ??= given.hostaddr
  return targetOf(given, env)
}

function givenBy(config: unknown): Given {
  if (config === undefined) return {}
  if (typeof config === 'string' || config instanceof URL) return fromUrl(String(config))
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new InvalidOptionError(
      'config',
      `the config of pg is ${show(config)}: it must be a URL or an object`,
    )
  }
  const { connectionString, ...rest } = config as PgConfig
  const fields = Object.fromEntries(
    Object.entries(rest).filter(([, value]) => value !== undefined && value !== null && value !== ''),
  )
  if (connectionString === undefined) return fields
  if (typeof connectionString !== 'string') {
    throw new InvalidOptionError(
      'connectionString',
      `"connectionString" is ${show(connectionString)}: it must be a text`,
    )
  }
  return { ...fields, ...fromUrl(connectionString) }
}

function fromUrl(url: string): Given {
  const found = parseUrl(url)
  for (const name of found.keys()) {
    if (!name.startsWith('pool.')) continue
    throw new InvalidOptionError(
      name,
      `"${name}" in the URL is for the pool: give the URL to createPool, not to pg`,
    )
  }
  const { dbname, ...rest } = Object.fromEntries(found) as Record<string, string>
  return dbname === undefined ? rest : { ...rest, database: dbname }
}

function targetOf(given: Given, env: Env): Target {
  const {
    ssl,
    sslmode,
    sslrootcert,
    sslcert,
    sslkey,
    sslpassword,
    ssl_min_protocol_version,
    ssl_max_protocol_version,
    connect_timeout,
    keepalives,
    keepalives_idle,
    channel_binding,
    fallback_application_name,
    target_session_attrs,
    hostaddr: _hostaddr,
    pipeline: _pipeline,
    ...rest
  } = given
  checkTexts(given)
  if (target_session_attrs !== undefined && target_session_attrs !== 'any') {
    throw new InvalidOptionError(
      'target_session_attrs',
      `"target_session_attrs" is ${show(target_session_attrs)}: only "any" is supported`,
    )
  }
  const host = (given.host as string | undefined) ?? 'localhost'
  const user = (given.user as string | undefined) ?? systemUser(env)
  const tls = tlsPlan(
    {
      ssl,
      sslmode,
      sslrootcert,
      sslcert,
      sslkey,
      sslpassword,
      ssl_min_protocol_version,
      ssl_max_protocol_version,
    },
    { unixSocket: host.startsWith('/'), direct: given.sslnegotiation === 'direct' },
  )
  const options: Record<string, unknown> = {
    // libpq's default: a peer that vanished is noticed even while nobody asks.
    ...(given.stream === undefined && { keepAlive: true }),
    ...(keepalives !== undefined && { keepAlive: keepalives !== '0' && keepalives !== 0 }),
    ...(keepalives_idle !== undefined && {
      keepAliveInitialDelayMillis: seconds('keepalives_idle', keepalives_idle),
    }),
    ...(connect_timeout !== undefined && {
      connectionTimeoutMillis: seconds('connect_timeout', connect_timeout),
    }),
    ...(channel_binding === 'require' && { enableChannelBinding: true }),
    ...rest,
    host,
    port: portOf(given.port),
    user,
    database: given.database ?? user,
    application_name: given.application_name ?? fallback_application_name ?? 'rockpool',
    // Whoever shares a connection switches it on and off.
    pipeline: false,
  }
  return { options: Object.freeze(options), tls }
}

function checkTexts(given: Given): void {
  for (const name of ['host', 'user', 'database', 'application_name', 'options']) {
    const value = given[name]
    if (value === undefined || typeof value === 'string') continue
    throw new InvalidOptionError(name, `"${name}" is ${show(value)}: it must be a text`)
  }
  const { host, password } = given
  if (typeof host === 'string' && host.includes(',')) {
    throw new InvalidOptionError('host', '"host" names several hosts: one host per pool')
  }
  checkPassword(password)
}

function portOf(given: unknown): number {
  if (given === undefined) return 5432
  const port = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given
  if (Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535) return port as number
  // Not shown: behind an "@" that was not encoded it is a part of the password.
  throw new InvalidOptionError('port', '"port" must be a whole number from 1 to 65535')
}

function seconds(name: string, given: unknown): number {
  const value = Number(given)
  if (Number.isFinite(value)) return Math.max(0, value) * 1000
  throw new InvalidOptionError(name, `"${name}" is ${show(given)}: it must be a number of seconds`)
}

function systemUser(env: Env): string | undefined {
  const named = env.USER ?? env.USERNAME
  if (named !== undefined && named !== '') return named
  try {
    return userInfo().username
  } catch {
    return undefined // a user without an entry, as containers have
  }
}
