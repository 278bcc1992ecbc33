import type { Queryable, QueryOptions } from '../../contract/sql.ts'
import type { QueryResult } from '../../contract/sql-driver.ts'
import { FakeError } from '../fake-error.ts'
import type { Random } from '../random.ts'
import { plainText, TEXTS } from './database.ts'
import type { Stage } from './stage.ts'
import { codeOf } from './tickets.ts'

/** A statement, whose it is, and what must come of it. */
export interface Statement {
  readonly text: string
  readonly params: readonly unknown[] | undefined
  readonly token: number
  /** The value in its first row; undefined = none is expected. */
  readonly answer: number | undefined
  readonly writes: boolean
}

export function makeStatement(stage: Stage, caller: number, kind: keyof typeof TEXTS): Statement {
  const token = stage.token(caller)
  const reads = kind === 'read' || kind === 'slow'
  return {
    text: TEXTS[kind],
    params: [token],
    token,
    answer: reads ? token : undefined,
    writes: kind === 'write',
  }
}

/** Without parameters: whose it is cannot be seen, but what it must be answered can. */
export function makePlain(random: Random): Statement {
  const { text, answer } = plainText(random.integer(0, 100))
  return { text, params: undefined, token: 0, answer, writes: false }
}

const KINDS = ['read', 'read', 'read', 'slow', 'write', 'write', 'write', 'fail', 'conflict'] as const

export function randomStatement(stage: Stage, caller: number, random: Random): Statement {
  return random.chance(0.4) ? makePlain(random) : makeStatement(stage, caller, random.pick(KINDS))
}

/** How a statement went. */
export type Outcome = 'answered' | 'failed'

/** Runs a statement and checks its answer; a write is noted where it takes effect at once. */
export async function run(
  stage: Stage,
  caller: number,
  to: Queryable,
  { statement, options, at }: { statement: Statement; options?: QueryOptions; at: 'once' | 'commit' },
): Promise<Outcome> {
  const { database, law, trace, traffic } = stage.parts
  const { text, params, token, answer, writes } = statement
  stage.call('query', caller)
  if (writes && options?.idempotent !== true) database.onlyOnce(token)
  const isPools = to === stage.parts.sql
  if (params !== undefined) traffic.given(token, isPools ? 'pool' : 'lease')
  let result: QueryResult
  try {
    result = await to.query(text, params, options)
  } catch (error) {
    trace.note('failed', caller)
    if (params !== undefined) traffic.failed(token)
    judgeFailure(stage, error, options?.signal)
    if (error instanceof FakeError) judgeAnswer(stage, error, { isPools, options })
    return 'failed'
  }
  trace.note('answered', caller)
  if (answer !== undefined) {
    const got = result.rows[0]?.v
    law.demand(got === answer, 'own answers', () => `${caller} asked ${text} (${token}) and got ${got}`)
  }
  if (writes && at === 'once') database.acknowledged(token)
  return 'answered'
}

const EXPECTED = new Set<string | undefined>([
  'ACQUIRE_TIMEOUT',
  'QUERY_TIMEOUT',
  'CONNECTION_LOST',
  'TRANSACTION_ABORTED',
  'COMMIT_UNKNOWN',
  // The caller has let go of the lease, or the pool has ended it.
  'LEASE_RELEASED',
])

/** An error that a caller meets must be one that the contract knows. */
export function judgeFailure(stage: Stage, error: unknown, signal?: AbortSignal): void {
  const { law, tickets } = stage.parts
  if (error instanceof FakeError || error instanceof CallersOwnError) return
  if (signal?.aborted === true && error === signal.reason) return
  const { closed, mayBeFull, mayShed, mayBeRefused } = tickets.expected
  const code = codeOf(error)
  if (EXPECTED.has(code)) return
  if (code === 'POOL_CLOSED' && closed) return
  if (code === 'QUEUE_FULL' && mayBeFull) return
  if (code === 'OVERLOADED' && mayShed) return
  if (code === 'CONNECT_FAILED' && mayBeRefused()) return
  law.breaks(
    'errors that the contract knows',
    error instanceof Error ? (error.stack ?? error.message) : String(error),
  )
}

/** An error of the server's must be this statement's own. */
function judgeAnswer(
  { parts: { law } }: Stage,
  { code }: FakeError,
  { isPools, options }: { isPools: boolean; options: QueryOptions | undefined },
): void {
  const isLimited = options?.timeoutMs !== undefined || options?.signal !== undefined
  law.demand(code !== 'CANCELED' || isLimited, 'nobody cancels what is not his', () => 'canceled')
  law.demand(code !== 'NOT_PREPARED' || !isPools, 'forgotten plans are made again', () => 'not prepared')
}

/** What a caller throws itself. */
export class CallersOwnError extends Error {}
