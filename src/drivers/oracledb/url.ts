import { UrlReader } from '../url-reader.ts'

const url: UrlReader = new UrlReader('Oracle')

/** Parameters of a URL that are for us; all others stay in the connect string, where Oracle's Easy Connect reads them. */
const OURS = ['stmtCacheSize', 'callTimeout', 'connectTimeout']

/**
 * Reads `oracle://user:password@host:1521/service?retry_count=3`. What stands behind the `@` is Oracle's Easy Connect:
 * `service:pooled` and `service/instance` mean there what they mean in Oracle's own tools.
 */
export function parseUrl(text: string): Record<string, unknown> {
  if (!/^oracle:\/\//i.test(text)) url.refuse('does not begin with oracle://')
  url.assertOneLine(text)
  const rest = text.slice('oracle://'.length)
  const queryAt = rest.indexOf('?')
  const beforeQuery = queryAt < 0 ? rest : rest.slice(0, queryAt)
  const { login, address } = url.authority(beforeQuery)
  if (beforeQuery.slice(0, -address.length).includes('/'))
    url.refuse(`has a "/" before its "@": ${url.encode}`)
  const parts = /^(\[[^\]]+\]|[^/:[\]]+)(?::(\d+))?\/(.+)$/.exec(address)
  if (parts === null) url.refuse('has no host and service: it must end like @host:1521/service')
  const [, host, port = '1521', service] = parts
  const { ours, theirs } = split(queryAt < 0 ? '' : rest.slice(queryAt + 1))
  const tail = theirs.length === 0 ? '' : `?${theirs.join('&')}`
  return {
    ...login,
    connectString: `${host}:${port}/${url.decode(service ?? '', 'service')}${tail}`,
    ...ours,
  }
}

function split(query: string): { ours: Record<string, number>; theirs: string[] } {
  const ours: Record<string, number> = {}
  const theirs: string[] = []
  for (const part of query.split('&')) {
    if (part === '') continue
    const [name = '', value = ''] = part.split('=')
    if (!/^[\w.]+$/.test(name)) url.refuse(`has a parameter whose name is not a word: ${url.encode}`)
    if (OURS.includes(name)) ours[name] = Number(value === '' ? Number.NaN : value)
    else theirs.push(part)
  }
  return { ours, theirs }
}
