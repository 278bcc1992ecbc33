import type { SqlError } from './error.ts'
import type { Scope } from './evaluate.ts'
import type { LockOwner } from './locks.ts'
import type { Session } from './session.ts'
import type { Column, Plain, Value } from './value.ts'

/** Where the results of statements go. */
export interface Sink {
  columns(columns: readonly Column[]): void
  /** May have to wait for the client. */
  row(values: readonly Plain[]): void | Promise<void>
  /** A statement has ended, and has read or changed so many rows. */
  done(count?: number): void
  /** A statement has failed. */
  failed(error: SqlError): void
  info(message: SqlError): void
}

/** What statements run in: one batch of one session. */
export interface Context {
  readonly session: Session
  readonly sink: Sink
  /** Aborted by an attention, a kill, or the end of the connection. */
  readonly signal: AbortSignal
  readonly variables: Map<string, Value>
}

export function scopeOf({ session, variables }: Context): Scope {
  return { session, variables }
}

/** Waits for a lock as the session is willing to. */
export async function lock(
  { session, signal }: Context,
  owner: LockOwner,
  wish: { thing: string; mode: 'IS' | 'IX' | 'S' | 'X' },
): Promise<void> {
  await session.host.locks.take(owner, wish, { signal, timeoutMs: session.lockTimeoutMs })
}
