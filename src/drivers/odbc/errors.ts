import type { ErrorClass } from '../../contract/driver.ts'
import { PoolError, TransactionError } from '../../contract/errors.ts'

/** What the package hangs on an error: SQLSTATE, the database's own number, and its words. */
interface Facts {
  readonly state: string
  readonly code: number
  readonly message: string
  readonly origin: Origin
}

/** Whose numbers they are: the drivers put their names before their messages. */
type Origin = 'mysql' | 'sqlite' | 'sqlserver' | 'other'

const ORIGINS: readonly (readonly [RegExp, Origin])[] = [
  [/^\[(ma-|MySQL|MariaDB)/i, 'mysql'],
  [/^\[SQLite\]/i, 'sqlite'],
  [/^\[(FreeTDS|Microsoft)\]/i, 'sqlserver'],
]

function factsOf(error: unknown): Facts {
  const { odbcErrors } = (error ?? {}) as { odbcErrors?: unknown }
  const [first] = Array.isArray(odbcErrors) ? (odbcErrors as Record<string, unknown>[]) : []
  const message = String(first?.message ?? '')
  return {
    state: String(first?.state ?? ''),
    code: Number(first?.code ?? 0),
    message,
    origin: ORIGINS.find(([pattern]) => pattern.test(message))?.[1] ?? 'other',
  }
}

interface Numbers {
  readonly noRoom: readonly number[]
  readonly refusals: readonly number[]
  readonly conflicts: readonly number[]
  readonly readOnly: readonly number[]
  readonly lost: readonly number[]
}

const NUMBERS: Readonly<Record<Origin, Numbers>> = {
  mysql: {
    noRoom: [1040, 1203, 1226, 1041, 1135],
    refusals: [1044, 1045, 1698, 1049, 1130, 1129, 1251, 1524, 1275, 1820, 1862, 3118, 4151, 3159],
    conflicts: [1213, 1205, 1020, 1613, 1614, 3101],
    readOnly: [1290, 1836, 1874, 1792],
    lost: [
      1053, 1077, 1078, 1079, 1080, 1152, 1153, 1158, 1159, 1160, 1161, 1184, 1927, 4031, 2006, 2013, 2055,
    ],
  },
  // Busy, locked, and a snapshot overtaken; perm, cannot open, auth, not a database; I/O error, not a database.
  sqlite: { noRoom: [], refusals: [3, 14, 23, 26], conflicts: [5, 6, 517], readOnly: [], lost: [10, 26] },
  sqlserver: {
    noRoom: [10928, 10929, 17809, 49918, 49919, 49920],
    refusals: [4060, 4062, 4064, 18452, 18456, 18470, 18486, 18487, 18488, 40615],
    conflicts: [1205, 3960, 41302, 41305, 41325, 41839],
    readOnly: [3906, 978],
    lost: [596, 6005, 10053, 10054, 10060, 20004, 20006, 20047, 40197, 40613],
  },
  other: { noRoom: [], refusals: [], conflicts: [], readOnly: [], lost: [] },
}

/** Connection exceptions, and PostgreSQL's ends of a session. */
const SESSION_ENDS = /^(08...|57P0[1-5]|25P0[34])$/
const CONFLICTS = /^(40001|40P01)$/
const NO_ROOM = /^(53300|53200|53400)$/
const NO_ROOM_WORDS = /too many (clients|connections)|connection slots are reserved|no more connections/i
/** Authorization, no such database, no such DSN or driver; an option that does not exist. */
const REFUSALS = /^(28...|3D...|42...|22...|IM00[2-8]|IM01\d)$/
/** psqlODBC puts its own 08001 over whatever the server said. */
const REFUSAL_WORDS =
  /FATAL: +(password authentication failed|no pg_hba\.conf entry|database "|role "|Peer authentication|no such (database|user))|Can't open lib|no password supplied|certificate verify failed|does not support SSL/i

/** What psqlODBC, or libpq through it, says where it notices between two parts of a statement that the connection is gone. */
const BROKEN_WORDS =
  /^(internal SAVEPOINT failed|.*unable due to the connection lost|(server closed|no connection|could not (send|receive)|SSL connection has been closed)\b|FATAL: +terminating connection)/

export function classify(error: unknown, during: 'connect' | 'statement'): ErrorClass {
  return during === 'connect' ? classifyConnect(error) : classifyStatement(error)
}

/** Without a sign that another attempt must fail as well, a failed connect is worth repeating: 'fatal'. */
function classifyConnect(error: unknown): ErrorClass {
  if (error instanceof PoolError) return 'permanent'
  const { state, code, message, origin } = factsOf(error)
  const { noRoom, refusals } = NUMBERS[origin]
  if (noRoom.includes(code) || NO_ROOM.test(state) || NO_ROOM_WORDS.test(message)) return 'exhausted'
  if (refusals.includes(code) || REFUSALS.test(state) || REFUSAL_WORDS.test(message)) return 'permanent'
  return 'fatal'
}

/** The package itself says no more than that it could not connect: why, stands in what ODBC has told it. */
export function tellWhy(error: unknown): never {
  const { message } = factsOf(error)
  if (message === '') throw error
  const { odbcErrors } = error as { odbcErrors: unknown }
  throw Object.assign(new Error(message.trim(), { cause: error }), { odbcErrors })
}

function classifyStatement(error: unknown): ErrorClass {
  if (error instanceof TransactionError)
    return error.cause === undefined ? 'statement' : classifyStatement(error.cause)
  if (isClosed(error)) return 'fatal'
  const { state, code, message, origin } = factsOf(error)
  const { conflicts, readOnly, lost } = NUMBERS[origin]
  if (lost.includes(code) || SESSION_ENDS.test(state) || BROKEN_WORDS.test(message)) return 'fatal'
  if (conflicts.includes(code) || CONFLICTS.test(state)) return 'conflict'
  return readOnly.includes(code) || state === '25006' ? 'stale' : 'statement'
}

/** What the package says itself of a connection that it has closed. */
function isClosed(error: unknown): boolean {
  return /Connection has already been closed|handle was no longer valid/.test(
    String((error as Error | undefined)?.message),
  )
}

/** PostgreSQL's last words to a session; other servers have none that ODBC passes on. */
export function isFarewell(error: unknown): boolean {
  return /^(57P0[1245]|25P0[34])$/.test(factsOf(error).state)
}

/** After this error the server has rolled the whole transaction back, and what follows commits by itself. */
export function endsTransaction(error: unknown): boolean {
  const { code, origin } = factsOf(error)
  return origin === 'mysql'
    ? [1213, 1613, 1614, 3101].includes(code)
    : origin === 'sqlserver' && code === 1205
}

/** What the package makes of "no data", ODBC's word for a statement that has changed nothing: an error without a reason. */
export function hasNoRows(error: unknown): boolean {
  const { message, odbcErrors } = error as { message?: unknown; odbcErrors?: unknown }
  return (
    message === '[odbc] Error executing the statement' && Array.isArray(odbcErrors) && odbcErrors.length === 0
  )
}

/** By a KILL QUERY that came when its statement had ended. */
export function isInterrupted(error: unknown): boolean {
  const { code, origin } = factsOf(error)
  return origin === 'mysql' && code === 1317
}
