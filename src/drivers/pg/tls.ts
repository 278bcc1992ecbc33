import { readFile } from 'node:fs/promises'
import { oneOf, show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'

/** How a connection is protected. */
export interface TlsPlan {
  /** Whether TLS is tried: one answer, or two where the second is tried after the server has refused the first. */
  readonly attempts: readonly boolean[]
  /** The `ssl` of pg for an attempt with TLS. Certificates are read for every connect, because they are replaced. */
  options(): Promise<boolean | object>
}

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const
type Mode = (typeof MODES)[number]

/** What was said about TLS, in libpq's words and in pg's; each may come from the URL, the config or the environment. */
export interface TlsWords {
  ssl: unknown
  sslmode: unknown
  sslrootcert: unknown
  sslcert: unknown
  sslkey: unknown
  sslpassword: unknown
  ssl_min_protocol_version: unknown
  ssl_max_protocol_version: unknown
}

/**
 * libpq's meanings of `sslmode`, with two differences: without any word about TLS there is none, as pg has it; and
 * `verify-full` without a root certificate trusts the authorities that Node trusts. `sslmode` is ignored on a unix socket.
 */
export function tlsPlan(
  words: TlsWords,
  { unixSocket, direct }: { unixSocket: boolean; direct: boolean },
): TlsPlan {
  if (typeof words.ssl === 'object' && words.ssl !== null) {
    const given = words.ssl
    return { attempts: [true], options: async () => copyOf(given) }
  }
  const mode = modeOf(words, direct)
  if (unixSocket || mode === 'disable') return { attempts: [false], options: async () => false }
  const attempts = mode === 'allow' ? [false, true] : mode === 'prefer' ? [true, false] : [true]
  return { attempts, options: () => optionsOf(mode, words) }
}

function modeOf(words: TlsWords, direct: boolean): Mode {
  const { sslrootcert, sslcert, sslkey } = words
  const mode = words.sslmode ?? modeOfSsl(words.ssl)
  if (mode === undefined)
    return direct || (sslrootcert ?? sslcert ?? sslkey) !== undefined ? 'verify-full' : 'disable'
  const problem = oneOf(...MODES)(mode)
  if (problem !== undefined) throw new InvalidOptionError('sslmode', `"sslmode" is ${show(mode)}: ${problem}`)
  const wanted = mode as Mode
  if (wanted === 'verify-ca' && sslrootcert === undefined) {
    throw new InvalidOptionError(
      'sslmode',
      '"sslmode" is "verify-ca" without "sslrootcert": any certificate that a public authority has signed would pass; name the authority\'s file, or use "verify-full"',
    )
  }
  if (sslrootcert === 'system' && wanted !== 'verify-full' && wanted !== 'disable') {
    throw new InvalidOptionError(
      'sslmode',
      `"sslmode" is "${wanted}": with "sslrootcert=system" it must be "verify-full"`,
    )
  }
  if (direct && (wanted === 'disable' || wanted === 'allow' || wanted === 'prefer')) {
    throw new InvalidOptionError(
      'sslnegotiation',
      `"sslnegotiation" is "direct": "sslmode" must then be "require" or more, not "${wanted}"`,
    )
  }
  return wanted
}

/** pg's `ssl`, which a URL gives as a text. */
function modeOfSsl(ssl: unknown): unknown {
  if (ssl === true || ssl === 'true' || ssl === '1') return 'verify-full'
  if (ssl === false || ssl === 'false' || ssl === '0') return 'disable'
  return ssl ?? undefined
}

async function optionsOf(mode: Mode, words: TlsWords): Promise<object> {
  const rootcert = words.sslrootcert === 'system' ? undefined : words.sslrootcert
  const [ca, cert, key] = await Promise.all([
    readPem('sslrootcert', rootcert),
    readPem('sslcert', words.sslcert),
    readPem('sslkey', words.sslkey),
  ])
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(words.sslpassword !== undefined && { passphrase: String(words.sslpassword) }),
    ...(words.ssl_min_protocol_version !== undefined && { minVersion: words.ssl_min_protocol_version }),
    ...(words.ssl_max_protocol_version !== undefined && { maxVersion: words.ssl_max_protocol_version }),
    ...verification(mode, ca !== undefined),
  }
}

function verification(mode: Mode, hasAuthority: boolean): object {
  // libpq: a root certificate makes `require` check it, but not the name of the host.
  if (mode === 'verify-ca' || (mode === 'require' && hasAuthority))
    return { checkServerIdentity: () => undefined }
  return mode === 'verify-full' ? {} : { rejectUnauthorized: false }
}

async function readPem(option: string, path: unknown): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(String(path), 'utf8')
  } catch (error) {
    throw new InvalidOptionError(option, `"${option}" cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** pg hides the private key in the object that it is given, and must not do that to the user's own; a spread loses it then. */
export function copyOf(ssl: object): object {
  const { key } = ssl as { key?: unknown }
  return key === undefined ? { ...ssl } : { ...ssl, key }
}
