import { PoolError, type PoolErrorCode } from './pool-error.ts'
import type { AcquirePhase } from './state.ts'
import type { Snapshot } from './stats.ts'

export { PoolError, type PoolErrorCode }

/**
 * Nobody could lend a connection before the caller's deadline. The message and `snapshot` say who holds what; `cause` is the
 * last connect error, if there was one since the last success.
 */
export class AcquireTimeoutError extends PoolError {
  static override readonly brand = 'AcquireTimeoutError'
  override readonly name = 'AcquireTimeoutError'
  declare readonly code: 'ACQUIRE_TIMEOUT'
  /** What the caller was waiting for. */
  readonly phase: AcquirePhase
  readonly waitedMs: number
  /** What the pool looked like at that moment. */
  readonly snapshot: Snapshot

  constructor(
    pool: string,
    facts: { phase: AcquirePhase; waitedMs: number; snapshot: Snapshot },
    options?: ErrorOptions,
  ) {
    super('ACQUIRE_TIMEOUT', describeTimeout(pool, facts), options)
    this.phase = facts.phase
    this.waitedMs = facts.waitedMs
    this.snapshot = facts.snapshot
  }
}

const WAITING_FOR: Record<AcquirePhase, string> = {
  queue: 'all connections stayed in use',
  connect: 'no connection could be opened in time',
  validate: 'the liveness check did not end in time',
  suspended: 'the pool is suspended',
}

function describeTimeout(
  pool: string,
  facts: { phase: AcquirePhase; waitedMs: number; snapshot: Snapshot },
): string {
  const { phase, waitedMs, snapshot: s } = facts
  const parts = [
    `pool "${pool}": no connection after ${Math.round(waitedMs)} ms: ${WAITING_FOR[phase]}`,
    ` (${s.leased} leased, ${s.idle} idle, ${s.connecting} connecting, ${s.waiting} waiting, max ${s.max})`,
  ]
  if (s.oldestLeaseMs !== undefined) parts.push(`; the oldest lease is ${Math.round(s.oldestLeaseMs)} ms old`)
  if (s.lateByMs > 0) parts.push(`; the event loop was blocked for ${Math.round(s.lateByMs)} ms`)
  if (s.lastConnectError !== undefined) parts.push(`; last connect error: ${messageOf(s.lastConnectError)}`)
  if (s.oldestLeaseStack !== undefined) parts.push(`; the oldest lease was taken\n${s.oldestLeaseStack}`)
  return parts.join('')
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ')
  if (error instanceof Error) return error.message
  try {
    return String(error)
  } catch {
    return 'something that cannot be shown'
  }
}

/** `maxWaiting` callers wait already: try again later. */
export class QueueFullError extends PoolError {
  static override readonly brand = 'QueueFullError'
  override readonly name = 'QueueFullError'
  declare readonly code: 'QUEUE_FULL'
  readonly waiting: number

  constructor(pool: string, facts: { waiting: number; maxWaiting: number; max: number }) {
    super(
      'QUEUE_FULL',
      `pool "${pool}": all ${facts.max} connections are in use and ${facts.waiting} callers wait (maxWaiting ${facts.maxWaiting})`,
    )
    this.waiting = facts.waiting
  }
}

/** The pool is closed, or was closed while the caller waited. */
export class PoolClosedError extends PoolError {
  static override readonly brand = 'PoolClosedError'
  override readonly name = 'PoolClosedError'
  declare readonly code: 'POOL_CLOSED'

  constructor(pool: string) {
    super('POOL_CLOSED', `pool "${pool}" is closed`)
  }
}

/** The server refuses us for good (a wrong password, no such database); its own error is the `cause`. */
export class ConnectError extends PoolError {
  static override readonly brand = 'ConnectError'
  override readonly name = 'ConnectError'
  declare readonly code: 'CONNECT_FAILED'

  constructor(pool: string, problem: string, options?: ErrorOptions) {
    super('CONNECT_FAILED', `pool "${pool}": ${problem}`, options)
  }
}

/** A lease, transaction or session was used or given back after its end. */
export class LeaseReleasedError extends PoolError {
  static override readonly brand = 'LeaseReleasedError'
  override readonly name = 'LeaseReleasedError'
  declare readonly code: 'LEASE_RELEASED'

  constructor(problem: string, options?: ErrorOptions) {
    super('LEASE_RELEASED', problem, options)
  }
}

/** Every lease is held by somebody who waits for another one. Not raised by this version. */
export class PoolDeadlockError extends PoolError {
  static override readonly brand = 'PoolDeadlockError'
  override readonly name = 'PoolDeadlockError'
  declare readonly code: 'POOL_DEADLOCK'

  constructor(pool: string, problem: string, options?: ErrorOptions) {
    super('POOL_DEADLOCK', `pool "${pool}": ${problem}`, options)
  }
}

/** With `overload: 'shed'`: the queue does not shrink, and this caller was turned away. */
export class OverloadError extends PoolError {
  static override readonly brand = 'OverloadError'
  override readonly name = 'OverloadError'
  declare readonly code: 'OVERLOADED'
  /** When it may be worth trying again, in milliseconds from now. */
  readonly retryAfterMs: number

  constructor(pool: string, facts: { waitedMs: number; retryAfterMs: number }) {
    super(
      'OVERLOADED',
      `pool "${pool}" is overloaded: turned away after ${Math.round(facts.waitedMs)} ms; try again in ${Math.round(facts.retryAfterMs)} ms`,
    )
    this.retryAfterMs = facts.retryAfterMs
  }
}

/** An option or an argument is unknown or impossible. The message names it, what was given and what is allowed. */
export class InvalidOptionError extends PoolError {
  static override readonly brand = 'InvalidOptionError'
  override readonly name = 'InvalidOptionError'
  declare readonly code: 'INVALID_OPTION'
  readonly option: string

  constructor(option: string, problem: string, options?: ErrorOptions) {
    super('INVALID_OPTION', problem, options)
    this.option = option
  }
}

/** The package that speaks to this database is not installed. */
export class DriverMissingError extends PoolError {
  static override readonly brand = 'DriverMissingError'
  override readonly name = 'DriverMissingError'
  declare readonly code: 'DRIVER_MISSING'
  readonly packageName: string

  constructor(packageName: string, options?: ErrorOptions) {
    super(
      'DRIVER_MISSING',
      `the package "${packageName}" is not installed: run \`npm install ${packageName}\``,
      options,
    )
    this.packageName = packageName
  }
}

/** The statement did not end within its `timeoutMs`; the server was asked to stop it. */
export class QueryTimeoutError extends PoolError {
  static override readonly brand = 'QueryTimeoutError'
  override readonly name = 'QueryTimeoutError'
  declare readonly code: 'QUERY_TIMEOUT'
  readonly timeoutMs: number

  constructor(pool: string, timeoutMs: number) {
    super('QUERY_TIMEOUT', `pool "${pool}": the statement did not end within ${timeoutMs} ms`)
    this.timeoutMs = timeoutMs
  }
}

/** The connection died under a statement; `executed` says whether the statement may have taken effect. */
export class ConnectionLostError extends PoolError {
  static override readonly brand = 'ConnectionLostError'
  override readonly name = 'ConnectionLostError'
  declare readonly code: 'CONNECTION_LOST'
  /** `no`: it surely did not run. */
  readonly executed: 'no' | 'unknown'

  constructor(pool: string, executed: 'no' | 'unknown', options?: ErrorOptions) {
    const fate = executed === 'no' ? 'the statement was not executed' : 'the statement may have been executed'
    const reason = options?.cause === undefined ? '' : ` (${messageOf(options.cause)})`
    super('CONNECTION_LOST', `pool "${pool}": the connection was lost; ${fate}${reason}`, options)
    this.executed = executed
  }
}

/** A transaction did not commit (`TRANSACTION_ABORTED`), or nobody knows whether it did (`COMMIT_UNKNOWN`). */
export class TransactionError extends PoolError {
  static override readonly brand = 'TransactionError'
  override readonly name = 'TransactionError'
  declare readonly code: 'TRANSACTION_ABORTED' | 'COMMIT_UNKNOWN'
}

/** A statement that needs a session (`BEGIN`, `LISTEN`, `LOCK`) was sent through `pool.query`, where no session is the caller's own. */
export class SessionStatementError extends PoolError {
  static override readonly brand = 'SessionStatementError'
  override readonly name = 'SessionStatementError'
  declare readonly code: 'SESSION_STATEMENT'

  constructor(word: string, instead: string) {
    super(
      'SESSION_STATEMENT',
      `${word} would run on whichever connection is free, which is nobody's afterwards: use ${instead}`,
    )
  }
}

/**
 * An ORM that was given this pool did not go through it: it opened connections of its own, or spread a transaction over several.
 * Told at its first use, before anything is lost silently.
 */
export class PoolBypassedError extends PoolError {
  static override readonly brand = 'PoolBypassedError'
  override readonly name = 'PoolBypassedError'
  declare readonly code: 'POOL_BYPASSED'
  /** Who went past the pool, such as `Drizzle`. */
  readonly orm: string

  constructor(pool: string, orm: string, facts: string, options?: ErrorOptions) {
    super('POOL_BYPASSED', `pool "${pool}": ${orm} goes past the pool: ${facts}`, options)
    this.orm = orm
  }
}

/** The pool broke its own rules: please report it. */
export class PoolBugError extends PoolError {
  static override readonly brand = 'PoolBugError'
  override readonly name = 'PoolBugError'
  declare readonly code: 'POOL_BUG'

  constructor(problem: string) {
    super('POOL_BUG', `${problem}: this is a bug in rockpool`)
  }
}
