import { InvalidOptionError } from '../../contract/errors.ts'
import { put, UrlReader } from '../url-reader.ts'

const SCHEME = /^(?:sqlserver|mssql):\/\//i

const url: UrlReader = new UrlReader('SQL Server', '/ ? # @ : ; %')

/** Other programs' words for what a URL can say, in lower case and without blanks. */
const ALIASES: Readonly<Record<string, string>> = {
  database: 'database',
  databasename: 'database',
  initialcatalog: 'database',
  user: 'user',
  username: 'user',
  userid: 'user',
  uid: 'user',
  password: 'password',
  pwd: 'password',
  server: 'server',
  servername: 'server',
  host: 'server',
  port: 'port',
  portnumber: 'port',
  domain: 'domain',
  instance: 'instanceName',
  instancename: 'instanceName',
  encrypt: 'encrypt',
  trustservercertificate: 'trustServerCertificate',
  appname: 'appName',
  applicationname: 'appName',
  applicationintent: 'applicationIntent',
  multisubnetfailover: 'multiSubnetFailover',
  workstationid: 'workstationId',
  isolationlevel: 'isolationLevel',
}

/**
 * What a URL says: `sqlserver://user:password@host:1433;database=x;encrypt=true`, as JDBC and Prisma write it, or
 * `mssql://user:password@host:1433/x?encrypt=true`. Before the host everything is percent-encoded, and so it is behind
 * the `?`; behind a `;` values stand as they are, or in braces where they hold a semicolon: `;password={a;b}`.
 */
export function parseUrl(text: string): Record<string, unknown> {
  if (!SCHEME.test(text)) url.refuse('does not begin with sqlserver:// or mssql://')
  url.assertOneLine(text)
  const [, authority = '', rest = ''] = /^([^/;?]*)(.*)$/s.exec(text.replace(SCHEME, '')) ?? []
  const { login, address } = url.authority(authority)
  const found: Record<string, unknown> = { ...hostOf(address), ...login }
  readRest(found, rest)
  return found
}

function hostOf(text: string): Record<string, unknown> {
  if (text.includes(',')) url.refuse('names several hosts: one host per pool')
  const parts = /^(?:\[([^\]]*)\]|([^:\\]*))(?:\\([^:]*))?(?::(.*))?$/.exec(text)
  if (parts === null || (parts[4]?.includes(':') ?? false))
    url.refuse(`has more than one ":" in its host: ${url.encode}, an IPv6 address belongs in [brackets]`)
  const [, ipv6, host = '', instance = '', port = ''] = parts
  const found: Record<string, unknown> = {}
  put(found, 'server', url.decode(ipv6 ?? host, 'host'))
  put(found, 'instanceName', instance)
  put(found, 'port', port)
  return found
}

/** A path, properties behind semicolons, parameters behind a question mark, in this order. */
function readRest(found: Record<string, unknown>, rest: string): void {
  const [, path = '', properties = '', query = ''] =
    /^(?:\/([^;?]*))?((?:;(?:[^;={}?]+=(?:\{(?:[^}]|\}\})*\}|[^;{?]*))?)*)(?:\?(.*))?$/s.exec(rest) ??
    url.refuse('has a part behind its host that is neither "/database" nor ";name=value" nor "?name=value"')
  if (path.includes('@')) url.refuse(`has an "@" behind its host: ${url.encode}`)
  put(found, 'database', url.decode(path, 'database name'))
  for (const [, name = '', inBraces, plain = ''] of properties.matchAll(
    /;([^;={}?]+)=(?:\{((?:[^}]|\}\})*)\}|([^;{?]*))/g,
  ))
    set(found, name, inBraces?.replaceAll('}}', '}') ?? plain)
  for (const part of query.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    if (equals < 1) url.refuse(`has a parameter without a name or a value: ${url.encode}`)
    set(found, part.slice(0, equals), url.decode(part.slice(equals + 1).replaceAll('+', ' '), 'parameter'))
  }
}

function set(found: Record<string, unknown>, given: string, value: string): void {
  if (!/^[\w. -]+$/.test(given)) url.refuse(`has a parameter whose name is not a word: ${url.encode}`)
  if (given.startsWith('pool.')) {
    throw new InvalidOptionError(
      given,
      `"${given}" in the URL is for the pool: give the URL to createPool, not to the driver, with its pool options behind a "?"`,
    )
  }
  const name = ALIASES[given.replaceAll(' ', '').toLowerCase()] ?? given
  if (found[name] === undefined) put(found, name, value)
}
