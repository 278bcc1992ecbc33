import { InvalidOptionError } from '../../contract/errors.ts'

const SCHEME = /^(?:mysql|mariadb):\/\//i

// Nothing of what was read stands in a message: in a URL with a badly encoded password any part may belong to it.
const ENCODE =
  'in a user name or password the characters / ? # @ : % must be written as %2F %3F %23 %40 %3A %25'

/** What a URL says. Parameters are the package's own options; texts that are JSON (true, 5, {...}) are read as such. */
export function parseUrl(text: string): Record<string, unknown> {
  if (!SCHEME.test(text)) refuse('does not begin with mysql:// or mariadb://')
  if ([...text].some((character) => character < ' ' || character === '\x7f'))
    refuse('contains a line break or another control character')
  const [, authority = '', path, query = ''] =
    /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(text.replace(SCHEME, '')) ?? refuse('cannot be read')
  if (path?.includes('@') === true || query.includes('@') === true || path?.includes('#') === true)
    refuse(`has an "@" or "#" behind its host: ${ENCODE}`)
  const at = authority.lastIndexOf('@')
  const [user = '', ...password] = at < 0 ? [] : authority.slice(0, at).split(':')
  const found: Record<string, unknown> = { ...hostOf(authority.slice(at + 1)) }
  put(found, 'user', decode(user, 'user name'))
  put(found, 'password', decode(password.join(':'), 'password'))
  put(found, 'database', decode(path ?? '', 'database name'))
  for (const [name, value] of parameters(query)) {
    if (found[name] === undefined) found[name] = value
  }
  return found
}

function hostOf(text: string): Record<string, unknown> {
  if (text.includes(',')) refuse('names several hosts: one host per pool')
  const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(text)
  if (parts === null || (parts[3]?.includes(':') ?? false))
    refuse(`has more than one ":" in its host: ${ENCODE}, an IPv6 address belongs in [brackets]`)
  const [, ipv6, host = '', port = ''] = parts
  const name = decode(ipv6 ?? host, 'host')
  // As a folder it can only mean the socket in the file system.
  const found: Record<string, unknown> = {}
  put(found, name.startsWith('/') ? 'socketPath' : 'host', name)
  put(found, 'port', decode(port, 'port'))
  return found
}

function* parameters(query: string): Iterable<[name: string, value: unknown]> {
  for (const part of query.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = part.slice(0, equals < 0 ? part.length : equals)
    if (!/^[\w.-]+$/.test(name)) refuse(`has a parameter whose name is not a word: ${ENCODE}`)
    if (equals < 0) refuse(`has a parameter without a value: ${ENCODE}`)
    if (name.startsWith('pool.')) {
      throw new InvalidOptionError(
        name,
        `"${name}" in the URL is for the pool: give the URL to createPool, not to the driver`,
      )
    }
    const value = decode(part.slice(equals + 1).replaceAll('+', ' '), 'parameter')
    if (value !== '')
      yield [name === 'socket' ? 'socketPath' : name, name === 'password' ? value : read(value)]
  }
}

function read(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
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
  throw new InvalidOptionError('url', `the MySQL URL ${problem}`)
}
