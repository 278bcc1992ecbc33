import { InvalidOptionError } from '../../contract/errors.ts'
import { put, UrlReader } from '../url-reader.ts'

const SCHEME = /^(?:mysql|mariadb):\/\//i

const url: UrlReader = new UrlReader('MySQL')

/** What a URL says. Parameters are the package's own options; texts that are JSON (true, 5, {...}) are read as such. */
export function parseUrl(text: string): Record<string, unknown> {
  if (!SCHEME.test(text)) url.refuse('does not begin with mysql:// or mariadb://')
  url.assertOneLine(text)
  const [, authority = '', path, query = ''] =
    /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(text.replace(SCHEME, '')) ?? url.refuse('cannot be read')
  if (path?.includes('@') === true || query.includes('@') === true || path?.includes('#') === true)
    url.refuse(`has an "@" or "#" behind its host: ${url.encode}`)
  const { login, address } = url.authority(authority)
  const found: Record<string, unknown> = { ...hostOf(address), ...login }
  put(found, 'database', url.decode(path ?? '', 'database name'))
  for (const [name, value] of parameters(query)) {
    if (found[name] === undefined) found[name] = value
  }
  return found
}

function hostOf(text: string): Record<string, unknown> {
  if (text.includes(',')) url.refuse('names several hosts: one host per pool')
  const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(text)
  if (parts === null || (parts[3]?.includes(':') ?? false))
    url.refuse(`has more than one ":" in its host: ${url.encode}, an IPv6 address belongs in [brackets]`)
  const [, ipv6, host = '', port = ''] = parts
  const name = url.decode(ipv6 ?? host, 'host')
  // As a folder it can only mean the socket in the file system.
  const found: Record<string, unknown> = {}
  put(found, name.startsWith('/') ? 'socketPath' : 'host', name)
  put(found, 'port', url.decode(port, 'port'))
  return found
}

function* parameters(query: string): Iterable<[name: string, value: unknown]> {
  for (const part of query.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = part.slice(0, equals < 0 ? part.length : equals)
    if (!/^[\w.-]+$/.test(name)) url.refuse(`has a parameter whose name is not a word: ${url.encode}`)
    if (equals < 0) url.refuse(`has a parameter without a value: ${url.encode}`)
    if (name.startsWith('pool.')) {
      throw new InvalidOptionError(
        name,
        `"${name}" in the URL is for the pool: give the URL to createPool, not to the driver`,
      )
    }
    const value = url.decode(part.slice(equals + 1).replaceAll('+', ' '), 'parameter')
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
