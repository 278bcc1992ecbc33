import { InvalidOptionError } from '../contract/errors.ts'

/**
 * Takes the `pool.max=20` parameters out of a URL of any scheme. What remains is kept byte for byte: only the driver
 * knows how to read it.
 */
export function splitPoolParams(url: string): { url: string; pool: Record<string, string> } {
  const start = url.indexOf('?')
  const pool = new Map<string, string>()
  if (start < 0) return { url, pool: {} }
  const kept: string[] = []
  let fragment = ''
  for (const part of url.slice(start + 1).split('&')) {
    if (!part.startsWith('pool.')) {
      kept.push(part)
      continue
    }
    const hash = part.indexOf('#')
    if (hash >= 0) fragment = part.slice(hash)
    const [name = '', ...value] = (hash < 0 ? part : part.slice(0, hash)).slice('pool.'.length).split('=')
    pool.set(decode(name), decode(value.join('=')))
  }
  if (pool.size === 0) return { url, pool: {} }
  const query = kept.length === 0 ? '' : `?${kept.join('&')}`
  return { url: url.slice(0, start) + query + fragment, pool: Object.fromEntries(pool) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new InvalidOptionError(
      'url',
      'the URL has a pool.* parameter with a "%" that is not followed by two hex digits',
    )
  }
}
