import { InvalidOptionError } from '../../contract/errors.ts'

const SCHEME = /^postgres(?:ql)?:\/\//i

// Nothing that was read from the URL appears in a message: where a password is not encoded properly, any part of the
// URL may turn out to be a part of the password.
const ENCODE =
  'in a user name or password the characters / ? # @ : % must be written as %2F %3F %23 %40 %3A %25'

/**
 * Reads a URL as libpq does, by itself: `new URL` knows neither `postgres://%2Fvar%2Frun/db` nor `postgres:///db`, and
 * shows what it could not read. Gives libpq's names (host, port, user, password, dbname, sslmode, ...) to texts; what is
 * missing or empty is left out. In parameters `+` is a space, as `URLSearchParams` and pg have it.
 */
export function parseUrl(text: string): Map<string, string> {
  if (!SCHEME.test(text)) refuse('does not begin with postgres:// or postgresql://')
  if (hasControlCharacter(text)) refuse('contains a line break or another control character')
  const rest = text.replace(SCHEME, '')
  const queryAt = rest.indexOf('?')
  const beforeQuery = queryAt < 0 ? rest : rest.slice(0, queryAt)
  const pathAt = beforeQuery.indexOf('/')
  const authority = pathAt < 0 ? beforeQuery : beforeQuery.slice(0, pathAt)
  const path = pathAt < 0 ? '' : beforeQuery.slice(pathAt + 1)

  const found = new Map<string, string>()
  const put = (name: string, value: string) => {
    if (value !== '') found.set(name, value)
  }
  const at = authority.lastIndexOf('@')
  if (at < 0 && path.includes('@')) refuse(`has an "@" behind the first "/": ${ENCODE}`)
  if (at >= 0) {
    const [user = '', ...password] = authority.slice(0, at).split(':')
    put('user', decode(user, 'user name'))
    put('password', decode(password.join(':'), 'password'))
  }
  const { host, port } = splitHost(authority.slice(at + 1))
  put('host', decode(host, 'host'))
  put('port', decode(port, 'port'))
  put('dbname', decode(path, 'database name'))
  for (const [name, value] of parameters(queryAt < 0 ? '' : rest.slice(queryAt + 1))) put(name, value)
  return found
}

function splitHost(text: string): { host: string; port: string } {
  if (text.includes(',')) refuse('names several hosts: one host per pool')
  if (text.startsWith('[')) {
    const parts = /^\[([^\]]*)\](?::(.*))?$/.exec(text)
    if (parts === null) refuse('has an IPv6 address that is not written as [address] or [address]:port')
    return { host: parts[1] ?? '', port: parts[2] ?? '' }
  }
  const parts = text.split(':')
  if (parts.length > 2)
    refuse(`has more than one ":" in its host: ${ENCODE}, an IPv6 address belongs in [brackets]`)
  return { host: parts[0] ?? '', port: parts[1] ?? '' }
}

function* parameters(text: string): Iterable<[name: string, value: string]> {
  for (const part of text.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = part.slice(0, equals < 0 ? part.length : equals)
    if (!/^[\w.-]+$/.test(name)) refuse(`has a parameter whose name is not a word: ${ENCODE}`)
    if (equals < 0) refuse(`has a parameter without a value: ${ENCODE}`)
    yield [
      name === 'database' ? 'dbname' : name,
      decode(part.slice(equals + 1).replaceAll('+', ' '), 'parameter'),
    ]
  }
}

function decode(text: string, part: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text)
  } catch {
    refuse(`has a malformed "%" in its ${part}: ${ENCODE}`)
  }
  if (decoded.includes('\0')) refuse(`has a zero byte in its ${part}`)
  return decoded
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\x7f')
}

function refuse(problem: string): never {
  throw new InvalidOptionError('url', `the PostgreSQL URL ${problem}`)
}
