import type { CloseReason } from './stats.ts'

/** What a listener is told: one object, the same shape for every event. */
export interface PoolEvent {
  /** The pool's name. */
  pool: string
  /** The connection's number within its pool; 0 where no connection is concerned. */
  id: number
  /** Why the connection was closed, for `close`. */
  reason?: CloseReason
  /** What went wrong, for `error`, or the death of a connection, for `close`. */
  error?: unknown
  /** Milliseconds: of the connect, the wait of an acquire, the use of a lease, the reset, the life of a closed connection. */
  ms?: number
  /** Where the lease was taken, for `leak`. */
  stack?: string
}

/**
 * `connect` opened, `acquire` lent, `release` given back, `reset` cleaned, `close` closed, `detach` taken out of the pool,
 * `leak` held longer than `leakThresholdMs`, `error` something failed that no caller is told of.
 */
export type PoolEventName =
  | 'connect'
  | 'acquire'
  | 'release'
  | 'reset'
  | 'close'
  | 'detach'
  | 'leak'
  | 'error'

/** Called at once, within the pool's own work: be quick. One that throws is reported once and harms nobody. */
export type PoolListener = (event: PoolEvent) => void
