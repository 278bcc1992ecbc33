import { InvalidOptionError } from '../../contract/errors.ts'

const SCHEME = /^(?:sqlserver|mssql):\/\//i

// Nothing of what was read stands in a message: in a URL with a badly written password any part may belong to it.
const ENCODE =
  'in a user name or password the characters / ? # @ : ; % must be written as %2F %3F %23 %40 %3A %3B %25'

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
  if (!SCHEME.test(text)) refuse('does not begin with sqlserver:// or mssql://')
  if ([...text].some((character) => character < ' ' || character === '\x7f'))
    refuse('contains a line break or another control character')
  const [, authority = '', rest = ''] = /^([^/;?]*)(.*)$/s.exec(text.replace(SCHEME, '')) ?? []
  const at = authority.lastIndexOf('@')
  const [user = '', ...password] = at < 0 ? [] : authority.slice(0, at).split(':')
  const found: Record<string, unknown> = { ...hostOf(authority.slice(at + 1)) }
  put(found, 'user', decode(user, 'user name'))
  put(found, 'password', decode(password.join(':'), 'password'))
  readRest(found, rest)
  return found
}

function hostOf(text: string): Record<string, unknown> {
  if (text.includes(',')) refuse('names several hosts: one host per pool')
  const parts = /^(?:\[([^\]]*)\]|([^:\\]*))(?:\\([^:]*))?(?::(.*))?$/.exec(text)
  if (parts === null || (parts[4]?.includes(':') ?? false))
    refuse(`has more than one ":" in its host: ${ENCODE}, an IPv6 address belongs in [brackets]`)
  const [, ipv6, host = '', instance = '', port = ''] = parts
  const found: Record<string, unknown> = {}
  put(found, 'server', decode(ipv6 ?? host, 'host'))
  put(found, 'instanceName', instance)
  put(found, 'port', port)
  return found
}

/** A path, properties behind semicolons, parameters behind a question mark, in this order. */
function readRest(found: Record<string, unknown>, rest: string): void {
  const [, path = '', properties = '', query = ''] =
    /^(?:\/([^;?]*))?((?:;(?:[^;={}?]+=(?:\{(?:[^}]|\}\})*\}|[^;{?]*))?)*)(?:\?(.*))?$/s.exec(rest) ??
    refuse('has a part behind its host that is neither "/database" nor ";name=value" nor "?name=value"')
  if (path.includes('@')) refuse(`has an "@" behind its host: ${ENCODE}`)
  put(found, 'database', decode(path, 'database name'))
  for (const [, name = '', inBraces, plain = ''] of properties.matchAll(
    /;([^;={}?]+)=(?:\{((?:[^}]|\}\})*)\}|([^;{?]*))/g,
  ))
    set(found, name, inBraces?.replaceAll('}}', '}') ?? plain)
  for (const part of query.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    if (equals < 1) refuse(`has a parameter without a name or a value: ${ENCODE}`)
    set(found, part.slice(0, equals), decode(part.slice(equals + 1).replaceAll('+', ' '), 'parameter'))
  }
}

function set(found: Record<string, unknown>, given: string, value: string): void {
  if (!/^[\w. -]+$/.test(given)) refuse(`has a parameter whose name is not a word: ${ENCODE}`)
  if (given.startsWith('pool.')) {
    throw new InvalidOptionError(
      given,
      `"${given}" in the URL is for the pool: give the URL to createPool, not to the driver, with its pool options behind a "?"`,
    )
  }
  const name = ALIASES[given.replaceAll(' ', '').toLowerCase()] ?? given
  if (found[name] === undefined) put(found, name, value)
}

function put(found: Record<string, unknown>, name: string, value: string): void {
  if (value !== '') found[name] = value
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return refuse(`has a malformed "%" in its ${part}: ${ENCODE}`)
  }
}

function refuse(problem: string): never {
  throw new InvalidOptionError('url', `the SQL Server URL ${problem}`)
}
