import { readFile } from 'node:fs/promises'
import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'

/** The names that MySQL's own programs and most hosts use, all spellings. */
const WORDS: Readonly<Record<string, 'mode' | 'ca' | 'cert' | 'key'>> = {
  'ssl-mode': 'mode',
  ssl_mode: 'mode',
  sslmode: 'mode',
  sslMode: 'mode',
  'ssl-ca': 'ca',
  sslca: 'ca',
  'ssl-cert': 'cert',
  sslcert: 'cert',
  'ssl-key': 'key',
  sslkey: 'key',
}

type Mode = 'DISABLED' | 'REQUIRED' | 'VERIFY_CA' | 'VERIFY_IDENTITY'

/** How a package is told to check a certificate. */
export interface TlsDialect {
  /** The certificate is signed by an authority that we trust, for whatever host. */
  readonly authority: object
  /** The same, and for the very host. */
  readonly identity: object
}

/** Takes the words about TLS out of the options and gives the `ssl` option of the package, read anew for each connect. */
export function takeTls(
  options: Record<string, unknown>,
  dialect: TlsDialect,
): () => Promise<{ ssl?: unknown }> {
  const words: Partial<Record<'mode' | 'ca' | 'cert' | 'key', unknown>> = {}
  for (const [name, word] of Object.entries(WORDS)) {
    if (options[name] === undefined) continue
    words[word] = options[name]
    delete options[name]
  }
  const { ssl } = options
  delete options.ssl
  if (ssl !== undefined && ssl !== null) {
    // The packages write into it.
    const given = ssl === true ? { ...dialect.identity } : typeof ssl === 'object' ? { ...ssl } : ssl
    return async () => (given === false ? {} : { ssl: given })
  }
  if (Object.keys(words).length === 0) return async () => ({})
  const mode = modeOf(words.mode)
  if (mode === 'DISABLED') return async () => ({})
  return async () => {
    const [ca, cert, key] = await Promise.all([
      read('ca', words.ca),
      read('cert', words.cert),
      read('key', words.key),
    ])
    return {
      ssl: {
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
        ...verification(mode, dialect),
      },
    }
  }
}

function verification(mode: Mode, dialect: TlsDialect): object {
  if (mode === 'REQUIRED') return { rejectUnauthorized: false }
  return mode === 'VERIFY_CA' ? dialect.authority : dialect.identity
}

function modeOf(given: unknown): Mode {
  if (given === undefined) return 'VERIFY_IDENTITY'
  const mode = String(given).toUpperCase().replaceAll('-', '_')
  if (mode === 'DISABLED' || mode === 'REQUIRED' || mode === 'VERIFY_CA' || mode === 'VERIFY_IDENTITY')
    return mode
  throw new InvalidOptionError(
    'ssl-mode',
    `"ssl-mode" is ${show(given)}: it must be DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY`,
  )
}

async function read(word: string, path: unknown): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(String(path), 'utf8')
  } catch (error) {
    throw new InvalidOptionError(`ssl-${word}`, `"ssl-${word}" cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
