import type { ErrorClass } from '../../contract/driver.ts'
import { PoolError, TransactionError } from '../../contract/errors.ts'

/** The server's number of a refused login, which tedious leaves out of its error. */
const refusals = new WeakMap<object, number>()

export function noteRefusal(error: unknown, number: number | undefined): void {
  if (typeof error === 'object' && error !== null && number !== undefined) refusals.set(error, number)
}

interface Facts {
  /** The server's numbers: it may say several things about one statement. */
  readonly numbers: readonly number[]
  readonly severity: number
  readonly codes: readonly string[]
  readonly message: string
}

function factsOf(error: unknown): Facts {
  const all = error instanceof AggregateError ? [error, ...error.errors] : [error]
  const causes = all.map((one) => (one as { cause?: unknown } | null)?.cause)
  const parts = [...all, ...causes].filter((one) => typeof one === 'object' && one !== null) as Record<
    string,
    unknown
  >[]
  const numbers = parts.flatMap((one) => [one.number, refusals.get(one)])
  return {
    numbers: numbers.filter((number) => typeof number === 'number'),
    severity: Math.max(0, ...parts.map((one) => (typeof one.class === 'number' ? one.class : 0))),
    codes: parts.flatMap((one) => (typeof one.code === 'string' ? [one.code] : [])),
    message: String((error as Error | undefined)?.message),
  }
}

/** No more connections: for all, for this database or this user; the service is busy. */
const NO_ROOM = new Set([17809, 10928, 10929, 10936, 40501, 49918, 49919, 49920])

/**
 * Refusals that another attempt meets again: wrong user or password, disabled, locked, expired; no such database, or no
 * right to it; the firewall; a login of a kind that the server does not take.
 */
const REFUSALS = new Set([
  18456, 18450, 18452, 18458, 18459, 18460, 18462, 18463, 18464, 18465, 18466, 18467, 18468, 18470, 18486,
  18487, 18488, 4060, 4062, 4063, 4064, 911, 916, 40532, 40607, 40615, 40914, 40631, 40632, 33147,
])
const REFUSAL_CODES =
  /^(EENCRYPT|ETDS|EINTERFACENOTSUPP|CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/

/** A deadlock, an overtaken snapshot, a lock that was waited for too long, and the same for tables in memory. */
const CONFLICTS = new Set([1205, 3960, 3961, 1222, 41301, 41302, 41305, 41325, 41839])

/** A database that takes no writes: read-only, or a secondary replica. */
const READ_ONLY = new Set([3906, 976, 978, 983])

/** The service has moved or lost the database: the connection is of no more use. */
const MOVED = new Set([40197, 40143, 40166, 40613, 40540, 926, 596, 6005, 6006, 17142, 17147, 17148])

/** The server's words at the end of a session. */
const FAREWELLS = new Set([596, 6005, 6006, 17142, 17147, 17148])

const LOST_CODES =
  /^(ESOCKET|ECLOSE|EINVALIDSTATE|ECONN\w+|EPIPE|ETIMEDOUT|EHOST\w+|ENET\w+|ENOTCONN|ENOTFOUND|EAI_\w+|ERR_STREAM_\w+|ERR_SOCKET_\w+)$/

export function classify(error: unknown, during: 'connect' | 'statement'): ErrorClass {
  return during === 'connect' ? classifyConnect(error) : classifyStatement(error)
}

/** Without a sign that another attempt must fail as well, a failed connect is worth repeating: 'fatal'. */
function classifyConnect(error: unknown): ErrorClass {
  // Our own: an impossible option, a package that is not installed.
  if (error instanceof PoolError) return 'permanent'
  const { numbers, codes } = factsOf(error)
  if (numbers.some((number) => NO_ROOM.has(number))) return 'exhausted'
  const isRefused = numbers.some((number) => REFUSALS.has(number))
  return isRefused || codes.some((code) => REFUSAL_CODES.test(code)) ? 'permanent' : 'fatal'
}

function classifyStatement(error: unknown): ErrorClass {
  // A transaction that the server has rolled back: what it said decides whether another attempt is worth it.
  if (error instanceof TransactionError)
    return error.cause === undefined ? 'statement' : classifyStatement(error.cause)
  const { numbers, severity, codes, message } = factsOf(error)
  const has = (known: ReadonlySet<number>) => numbers.some((number) => known.has(number))
  if (has(MOVED) || severity >= 20 || codes.some((code) => LOST_CODES.test(code))) return 'fatal'
  // An attention that was not answered; the same code means a statement that took too long.
  if (codes.includes('ETIMEOUT') && message.startsWith('Failed to cancel')) return 'fatal'
  if (has(CONFLICTS)) return 'conflict'
  return has(READ_ONLY) ? 'stale' : 'statement'
}

export function isFarewell(error: unknown): boolean {
  return factsOf(error).numbers.some((number) => FAREWELLS.has(number))
}

/** The handle of a prepared statement is unknown. */
export function isStalePlan(error: unknown): boolean {
  return factsOf(error).numbers.includes(8179)
}
