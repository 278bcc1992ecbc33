import type { ErrorClass } from '../../contract/driver.ts'
import { PoolError, TransactionError } from '../../contract/errors.ts'

/** The server's number, and the driver's own: one error may have both, because the driver puts its own over the server's. */
interface Facts {
  readonly ora: number
  readonly njs: number
  readonly message: string
}

function factsOf(error: unknown): Facts {
  const { code, errorNum, message } = (error ?? {}) as Record<string, unknown>
  const text = String(message ?? '')
  const njs = /NJS-(\d{3})/.exec(`${code ?? ''} ${text}`)
  const ora = /ORA-(\d{5})/.exec(`${code ?? ''} ${text}`)
  const number = typeof errorNum === 'number' && !String(code).startsWith('NJS') ? errorNum : 0
  return { ora: ora === null ? number : Number(ora[1]), njs: Number(njs?.[1] ?? 0), message: text }
}

/** Processes, sessions and handlers used up; no session of this user's profile, or of the server's pool, to be had. */
const NO_ROOM = new Set([18, 20, 2391, 12516, 12518, 12519, 12520, 24457, 24459, 24496])
/** The package's own pool, which rides on DRCP: its queue was full or took too long. */
const NO_ROOM_NJS = new Set([40, 76])

/** Wrong password, locked, expired, no right to connect; a service or SID that the listener does not know. */
const REFUSALS = new Set([
  1005, 1017, 1035, 1045, 12505, 12514, 28000, 28001, 28003, 28009, 28030, 28040, 28547,
])
/** No credentials, no or a wrong connect string, a name that is nowhere, TLS; a login method, server or encryption that is not known. */
const REFUSALS_NJS = new Set([
  4, 5, 6, 7, 100, 101, 116, 125, 136, 138, 140, 505, 506, 507, 508, 512, 514, 515, 516, 517, 518, 519, 520,
  522, 524, 529, 533,
])

/** Deadlock, a snapshot overtaken; a distributed lock waited for in vain. */
const CONFLICTS = new Set([60, 8177, 2049])

/** Open read-only, as a standby is. A read-only transaction says something else: 01456. */
const READ_ONLY = new Set([16000])

/** Killed, shut down, out of contact, no longer logged in. */
const LOST = new Set([
  22, 28, 31, 45, 378, 600, 602, 603, 609, 1012, 1033, 1034, 1041, 1043, 1089, 1090, 1092, 2396, 2399, 3113,
  3114, 3122, 3135, 12153, 12537, 12547, 12570, 12571, 12583, 25402, 25408, 27146, 28511, 56600,
])
const LOST_NJS = new Set([3, 500, 501, 503, 509, 510, 511, 513, 521])

/** What the server says before it closes a session. */
const FAREWELLS = new Set([28, 1089, 1092, 2396, 2399])

/** By `break`; it may arrive when its statement has ended. */
const CANCELLED = 1013

export function classify(error: unknown, during: 'connect' | 'statement'): ErrorClass {
  return during === 'connect' ? classifyConnect(error) : classifyStatement(error)
}

/** Without a sign that another attempt must fail as well, a failed connect is worth repeating: 'fatal'. */
function classifyConnect(error: unknown): ErrorClass {
  if (error instanceof PoolError) return 'permanent'
  const { ora, njs } = factsOf(error)
  if (NO_ROOM.has(ora) || NO_ROOM_NJS.has(njs)) return 'exhausted'
  return REFUSALS.has(ora) || REFUSALS_NJS.has(njs) ? 'permanent' : 'fatal'
}

function classifyStatement(error: unknown): ErrorClass {
  if (error instanceof TransactionError)
    return error.cause === undefined ? 'statement' : classifyStatement(error.cause)
  const { ora, njs, message } = factsOf(error)
  // A call that took too long leaves the connection usable, unless the package could not stop it.
  if (LOST.has(ora) || LOST_NJS.has(njs) || /NJS-500|DPI-1080|DPI-1010/.test(message)) return 'fatal'
  if (CONFLICTS.has(ora)) return 'conflict'
  return READ_ONLY.has(ora) ? 'stale' : 'statement'
}

export function isFarewell(error: unknown): boolean {
  return FAREWELLS.has(factsOf(error).ora)
}

export function isCancelled(error: unknown): boolean {
  return factsOf(error).ora === CANCELLED
}
