import type { ErrorClass } from '../../contract/driver.ts'
import { PoolError, TransactionError } from '../../contract/errors.ts'

/** What an error of a package, of the server or of a socket may carry. */
interface Facts {
  /** The server's number, or one of the mariadb package's own above 45000. */
  readonly errno: number
  readonly code: string
  readonly sqlState: string
  readonly message: string
  readonly isFatal: boolean
}

function factsOf(error: unknown): Facts {
  const { errno, code, sqlState, message, fatal } = (error ?? {}) as Record<string, unknown>
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  return {
    errno: typeof errno === 'number' && errno > 0 ? errno : 0,
    code: text(code),
    sqlState: text(sqlState),
    message: text(message),
    isFatal: fatal === true,
  }
}

export function numberOf(error: unknown): number {
  return factsOf(error).errno
}

/** Too many connections, for all or for this user; out of resources, no thread to be had. */
const NO_ROOM = new Set([1040, 1203, 1226, 1041, 1135])

/**
 * Refusals that another attempt meets again: no right to the database (1044), wrong password (1045, 1698), no such database
 * (1049), host not allowed or blocked (1130, 1129), login method unknown (1251, 1524, 1275), password expired (1820, 1862),
 * account locked (3118, 4151), TLS demanded (3159), a variable or its value that does not exist (1193, 1231), an unknown
 * character set (1115). Then the mariadb package's own words for TLS, login methods and statements that it runs at connect.
 */
const REFUSALS = new Set([
  1044, 1045, 1698, 1049, 1130, 1129, 1251, 1524, 1275, 1820, 1862, 3118, 4151, 3159, 1193, 1231, 1115, 45008,
  45023, 45025, 45029, 45030, 45033, 45036, 45038, 45044, 45047, 45056, 45057, 45059, 45062, 45063, 45064,
])

/** Codes of mysql2 without a number. */
const REFUSAL_CODES = /^(HANDSHAKE_NO_SSL_SUPPORT|AUTH_SWITCH_PLUGIN_ERROR|MYSQL_CLEAR_PASSWORD_NOT_ENABLED)$/

const TLS_CODES =
  /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/

/** mysql2 puts its own code over everything that happens while TLS begins, a lost connection included. */
const CUT_OFF = /disconnected|ECONN|EPIPE|ETIMEDOUT|socket hang up/

/** Deadlock, lock wait timeout, a snapshot overtaken by another transaction, XA's and group replication's rollbacks. */
const CONFLICTS = new Set([1213, 1205, 1020, 1613, 1614, 3101])

/** The server refuses to write: an option such as --read-only, InnoDB or the whole server read-only, a read-only transaction. */
const READ_ONLY = new Set([1290, 1836, 1874, 1792])

/** Shutdown, killed, aborted; a packet that is too large, after which the server hangs up; and the packages' own. */
const LOST = new Set([
  1053, 1077, 1078, 1079, 1080, 1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1927, 4031,
  45001, 45004, 45009, 45011, 45012, 45013, 45014, 45015, 45019, 45020, 45024, 45026, 45032, 45042, 45065,
])

/** By KILL QUERY, and before the end of a session that is killed. */
export const INTERRUPTED = 1317

/** That, or a time limit: the mariadb package calls this fatal, the server goes on. */
const STOPPED = new Set([INTERRUPTED, 1969, 3024, 1028])

/** The server's words at the end of a session. */
const FAREWELLS = new Set([1053, 1077, 1078, 1079, 1080, 1927, 4031])

const LOST_CODES =
  /^(PROTOCOL_(CONNECTION_LOST|ERROR|UNEXPECTED_PACKET|PACKETS_OUT_OF_ORDER)|ECONN\w+|EPIPE|ETIMEDOUT|EHOST\w+|ENET\w+|ENOTCONN|EADDR\w+|ENOTFOUND|EAI_\w+|ERR_STREAM_\w+|ERR_SOCKET_\w+)$/

export function classify(error: unknown, during: 'connect' | 'statement'): ErrorClass {
  return during === 'connect' ? classifyConnect(error) : classifyStatement(error)
}

/** Without a sign that another attempt must fail as well, a failed connect is worth repeating: 'fatal'. */
function classifyConnect(error: unknown): ErrorClass {
  // Our own: an impossible option, a package that is not installed.
  if (error instanceof PoolError) return 'permanent'
  const { errno, code, message } = factsOf(error)
  if (NO_ROOM.has(errno)) return 'exhausted'
  if (REFUSALS.has(errno) || REFUSAL_CODES.test(code) || TLS_CODES.test(code)) return 'permanent'
  if (code === 'HANDSHAKE_SSL_ERROR' && !CUT_OFF.test(message)) return 'permanent'
  return 'fatal'
}

function classifyStatement(error: unknown): ErrorClass {
  // A transaction that the server has rolled back: what it said decides whether another attempt is worth it.
  if (error instanceof TransactionError)
    return error.cause === undefined ? 'statement' : classifyStatement(error.cause)
  const { errno, code, sqlState, isFatal } = factsOf(error)
  if (STOPPED.has(errno)) return 'statement'
  if (LOST.has(errno) || LOST_CODES.test(code) || TLS_CODES.test(code)) return 'fatal'
  if (CONFLICTS.has(errno) || sqlState === '40001') return 'conflict'
  if (READ_ONLY.has(errno)) return 'stale'
  return isFatal || sqlState.startsWith('08') ? 'fatal' : 'statement'
}

export function isFarewell(error: unknown): boolean {
  return FAREWELLS.has(factsOf(error).errno)
}

/** After this error the server has rolled the whole transaction back, and what follows commits by itself. */
export function endsTransaction(error: unknown): boolean {
  const { errno } = factsOf(error)
  return errno === 1213 || errno === 1613 || errno === 1614 || errno === 3101
}

/** A single statement of a kind that cannot begin a transaction where every statement is one by itself. */
export function cannotBegin(sql: string): boolean {
  return /^\s*(select|insert|update|delete|replace|with|values|table|show|explain|describe)\b[^;]*;?\s*$/i.test(
    sql,
  )
}
