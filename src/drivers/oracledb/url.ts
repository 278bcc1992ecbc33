import { InvalidOptionError } from '../../contract/errors.ts'

const ENCODE =
  'in a user name or password the characters / ? # @ : % must be written as %2F %3F %23 %40 %3A %25'

/** Parameters of a URL that are for us; all others stay in the connect string, where Oracle's Easy Connect reads them. */
const OURS = ['stmtCacheSize', 'callTimeout', 'connectTimeout']

/**
 * Reads `oracle://user:password@host:1521/service?retry_count=3`. What stands behind the `@` is Oracle's Easy Connect:
 * `service:pooled` and `service/instance` mean there what they mean in Oracle's own tools.
 */
export function parseUrl(text: string): Record<string, unknown> {
  if (!/^oracle:\/\//i.test(text)) refuse('does not begin with oracle://')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\0-\x1f\x7f]/.test(text)) refuse('contains a line break or another control character')
  const rest = text.slice('oracle://'.length)
  const queryAt = rest.indexOf('?')
  const beforeQuery = queryAt < 0 ? rest : rest.slice(0, queryAt)
  const at = beforeQuery.lastIndexOf('@')
  const address = beforeQuery.slice(at + 1)
  if (at >= 0 && beforeQuery.slice(0, at).includes('/')) refuse(`has a "/" before its "@": ${ENCODE}`)
  const parts = /^(\[[^\]]+\]|[^/:[\]]+)(?::(\d+))?\/(.+)$/.exec(address)
  if (parts === null) refuse('has no host and service: it must end like @host:1521/service')
  const [, host, port = '1521', service] = parts
  const { ours, theirs } = split(queryAt < 0 ? '' : rest.slice(queryAt + 1))
  const tail = theirs.length === 0 ? '' : `?${theirs.join('&')}`
  return {
    ...(at >= 0 && credentials(beforeQuery.slice(0, at))),
    connectString: `${host}:${port}/${decode(service ?? '', 'service')}${tail}`,
    ...ours,
  }
}

function credentials(text: string): Record<string, string> {
  const [user = '', ...password] = text.split(':')
  const found: Record<string, string> = {}
  if (user !== '') found.user = decode(user, 'user name')
  if (password.length > 0) found.password = decode(password.join(':'), 'password')
  return found
}

function split(query: string): { ours: Record<string, number>; theirs: string[] } {
  const ours: Record<string, number> = {}
  const theirs: string[] = []
  for (const part of query.split('&')) {
    if (part === '') continue
    const [name = '', value = ''] = part.split('=')
    if (!/^[\w.]+$/.test(name)) refuse(`has a parameter whose name is not a word: ${ENCODE}`)
    if (OURS.includes(name)) ours[name] = Number(value === '' ? Number.NaN : value)
    else theirs.push(part)
  }
  return { ours, theirs }
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    refuse(`has a malformed "%" in its ${part}: ${ENCODE}`)
  }
}

function refuse(problem: string): never {
  throw new InvalidOptionError('url', `the Oracle URL ${problem}`)
}
