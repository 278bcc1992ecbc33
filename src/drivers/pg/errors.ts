import type { ErrorClass } from '../../contract/driver.ts'
import { PoolError } from '../../contract/errors.ts'

/** What an error of pg, of its server or of a socket may carry. */
interface Facts {
  readonly code: string
  readonly severity: string
  readonly message: string
  /** The server's function that complained: unlike the message it is never translated. */
  readonly routine: string
}

function factsOf(error: unknown): Facts {
  const { code, severity, message, routine } = (error ?? {}) as Record<string, unknown>
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  return { code: text(code), severity: text(severity), message: text(message), routine: text(routine) }
}

const SQLSTATE = /^[0-9A-Z]{5}$/

/**
 * Connection exceptions (08), ends announced by the server (57P01 to 57P05, which are shutdown, crash, starting up,
 * database dropped, idle session), and its timeouts that end the session: idle in transaction (25P03), transaction (25P04).
 */
const SESSION_ENDS = /^(08...|57P0[1-5]|25P0[34])$/

/**
 * Where the server finds that a message makes no sense, such as one with too few parameters or a zero byte in the text; it
 * refuses that statement, and goes on with the next.
 */
const READS_MESSAGES = /^(exec_bind_message|pq_getmsg\w+)$/

/** Serialization failure, deadlock. */
const CONFLICTS = /^(40001|40P01)$/

/** Too many connections, out of memory, a configured limit reached. */
const NO_ROOM = /^(53300|53200|53400)$/

/** Poolers in front of the server have the same to say without its code. */
const NO_ROOM_WORDS =
  /too many (clients|connections)|no more connections|connection slots are reserved|max(imum)?[ _]client/i

/**
 * Refusals at login that another attempt meets again: authorization (28), no such database (3D), not permitted or a
 * setting that does not exist (42), a value that a setting cannot have (22), a database that takes no connections (55).
 */
const REFUSALS = /^(28...|3D...|42...|22...|55000)$/

/** The same, by PgBouncer: it says so with a code of class 08. */
const REFUSAL_WORDS = /^(no such (database|user)|unsupported startup parameter)/

/** Verification of a certificate, by the codes of Node and OpenSSL; then what does not speak TLS at all. */
const TLS_CODES =
  /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/
const TLS_WORDS = /^The server does not support SSL connections/

/** What pg says itself when no password was there or it is of no use. */
const PASSWORD_WORDS = /^(SASL: |Password must be a string|channel binding)/i

/** What pg says itself when the connection is gone, or what it reads makes no sense. */
const BROKEN_WORDS =
  /^(Connection terminated|timeout expired|Client was closed|Client has encountered a connection error|Received unexpected|received invalid response|There was an error establishing an SSL)/

/** Node's names of what can befall a socket. */
const SOCKET_CODES =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|EHOST\w+|ENET\w+|ENOTCONN|EADDR\w+|ENOTFOUND|EAI_\w+|ERR_STREAM_\w+|ERR_SOCKET_\w+)$/

export function classify(error: unknown, during: 'connect' | 'statement'): ErrorClass {
  const facts = factsOf(error)
  return during === 'connect' ? classifyConnect(error, facts) : classifyStatement(facts)
}

/** Without a sign that another attempt must fail as well, a failed connect is worth repeating: 'fatal'. */
function classifyConnect(error: unknown, { code, message }: Facts): ErrorClass {
  // Our own: an impossible option, a package that is not installed.
  if (error instanceof PoolError) return 'permanent'
  // PgBouncer says "no more connections" with a code of class 08.
  if (NO_ROOM.test(code) || NO_ROOM_WORDS.test(message)) return 'exhausted'
  if (SQLSTATE.test(code)) return REFUSALS.test(code) || REFUSAL_WORDS.test(message) ? 'permanent' : 'fatal'
  if (TLS_CODES.test(code) || TLS_WORDS.test(message) || PASSWORD_WORDS.test(message)) return 'permanent'
  return 'fatal'
}

function classifyStatement({ code, severity, message, routine }: Facts): ErrorClass {
  if (code === '08P01' && READS_MESSAGES.test(routine)) return 'statement'
  if (severity === 'FATAL' || severity === 'PANIC' || SESSION_ENDS.test(code)) return 'fatal'
  if (CONFLICTS.test(code)) return 'conflict'
  if (code === '25006') return 'stale'
  // EPIPE has five letters as a SQLSTATE does, so sockets come first.
  if (SOCKET_CODES.test(code) || TLS_CODES.test(code)) return 'fatal'
  if (SQLSTATE.test(code)) return 'statement'
  return BROKEN_WORDS.test(message) ? 'fatal' : 'statement'
}

/** After this error the server closes the connection: it never reads what was sent behind the statement in progress. */
export function endsSession(error: unknown): boolean {
  const { code, severity } = factsOf(error)
  return severity === 'FATAL' || severity === 'PANIC' || /^(57P0[1245]|25P0[34])$/.test(code)
}

/** The server refused one statement, and goes on with the next. */
export function endsOnlyStatement(error: unknown): boolean {
  const { code, severity } = factsOf(error)
  return severity !== '' && SQLSTATE.test(code) && !endsSession(error)
}

/** A victim of what runs at the same time: alone, or a moment later, it would have been fine. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.test(factsOf(error).code)
}

/**
 * The server does not know the statement (26000), has another one of that name (42P05), or its plan no longer fits the
 * tables (0A000, which also says "not supported", so its origin decides).
 */
export function isStalePlan(error: unknown): boolean {
  const { code, message, routine } = factsOf(error)
  if (losesNames(error)) return true
  return (
    code === '0A000' &&
    (routine === 'RevalidateCachedQuery' || message.startsWith('cached plan must not change'))
  )
}

/** The session has not the names that were made in it, or has others. */
export function losesNames(error: unknown): boolean {
  return /^(26000|42P05)$/.test(factsOf(error).code)
}

/** The server wants TLS where there was none, or none where there was: the moment for the second try of `sslmode=prefer`. */
export function refusesEncryption(error: unknown): boolean {
  const { code, message } = factsOf(error)
  return code === '28000' || TLS_CODES.test(code) || TLS_WORDS.test(message)
}
