import type { SlotState } from './state.ts'

/** Why a connection was closed. */
export type CloseReason =
  | 'idle'
  | 'lifetime'
  | 'uses'
  | 'refresh'
  | 'stale'
  | 'lost'
  | 'invalid'
  | 'dirty'
  | 'destroyed'
  | 'overflow'
  | 'resize'
  | 'close'
  | 'abandoned'

/** A distribution of durations since the pool was created. */
export interface Summary {
  count: number
  meanMs: number
  p50Ms: number
  p95Ms: number
  p99Ms: number
  maxMs: number
}

/** How many connections are in each state, how many callers wait, and the cap. */
export interface Gauges extends Record<SlotState, number> {
  /** All connections: the sum of the states. */
  total: number
  /** Callers that wait for a connection. */
  waiting: number
  max: number
}

export interface PoolStats extends Gauges {
  /** Leases given out. */
  acquired: number
  /** Acquires that gave up at their deadline. */
  timedOut: number
  /** Connections opened. */
  created: number
  /** Attempts to connect that failed. */
  connectFailed: number
  /** Leases reported by `leakThresholdMs`. */
  leaked: number
  /** Connections closed, by reason. */
  closed: Record<CloseReason, number>
  /** From `acquire` to the lease. */
  waitTime: Summary
  /** From the lease to its end. */
  useTime: Summary
  /** From the start of a connect to the connection, `onConnect` included. */
  connectTime: Summary
}

/** What the pool looked like when an acquire gave up. */
export interface Snapshot extends Gauges {
  /** Milliseconds for which the oldest lease has been out. */
  oldestLeaseMs?: number
  /** Who took the oldest lease; known while `leakThresholdMs` is on. */
  oldestLeaseStack?: string
  /** Since the last success. */
  lastConnectError?: unknown
  /** Milliseconds by which the deadline's timer fired late: the event loop was blocked for that long. */
  lateByMs: number
}
