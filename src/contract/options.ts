import type { Clock } from './clock.ts'
import type { ResetDepth } from './driver.ts'
import type { Permits } from './permits.ts'

/** What every hook is told. */
export interface HookContext {
  /** Aborted when the pool no longer waits for the hook. */
  signal: AbortSignal
}

/** What `onAcquire` is told about the acquire that it prepares a connection for. */
export interface AcquireHookContext extends HookContext {
  /** The acquire's `key`. */
  key: unknown
  /** The acquire's `affinity`. */
  affinity: unknown
  /** The acquire's `label`. */
  label: string | undefined
  /** What the connection was used for before. */
  lastLabel: string | undefined
  /** The connection has not been lent before. */
  fresh: boolean
}

/**
 * Options of a pool. Times are in milliseconds; `undefined` means the default. One that is unknown or impossible throws
 * `InvalidOptionError` when the pool is created.
 */
export interface PoolOptions<C = unknown> {
  /** Names the pool in errors, events and metrics. Default: the driver's name, numbered from the second pool on. */
  name?: string
  /**
   * Connections kept open, leased ones included; refilled in the background, also after losses. Default 0. Protects the first
   * callers after a quiet time from waiting for a login.
   */
  min?: number
  /**
   * Most connections that exist, whatever they are doing, those that connect or close included. Default 10. Protects the
   * server from more connections than it can take.
   */
  max?: number
  /** Extra connections above `max` under pressure, closed on return when nobody waits. Default 0. For short peaks. */
  maxOverflow?: number
  /** Idle connections kept; others are closed on return. Default: `max`. 0 keeps none: a cap without a pool. */
  maxIdle?: number
  /**
   * Milliseconds that `acquire` waits at most, all phases together; then `AcquireTimeoutError`. Default 30 000; 0 = an idle
   * connection or failure at once. Protects callers from waiting for ever.
   */
  acquireTimeoutMs?: number
  /**
   * Milliseconds for one attempt to connect, with `onConnect`; then another attempt is made. Default 10 000. Protects from
   * servers that accept and say nothing.
   */
  connectTimeoutMs?: number
  /**
   * Milliseconds for a liveness check, and for `onAcquire`; then the connection is closed. Default 5 000. Protects from
   * connections that died without a sign.
   */
  validateTimeoutMs?: number
  /**
   * Milliseconds for the reset with `onRelease`, statements still in flight included; then the connection is closed. Default
   * 5 000. Protects from statements that never end.
   */
  resetTimeoutMs?: number
  /**
   * Milliseconds for closing a connection before it is written off as `abandoned`. Default 5 000. Protects shutdown from
   * sockets that do not close.
   */
  closeTimeoutMs?: number
  /**
   * Callers that may wait beyond the connections that are idle, connecting or may still be opened; more are refused with
   * `QueueFullError`. Default Infinity; 0 = connect, but never wait for a release. Protects from a queue that nobody survives.
   */
  maxWaiting?: number
  /**
   * Milliseconds after which an idle connection above `min` is closed. Default 600 000; Infinity = never. Protects the server
   * from holding what a peak needed.
   */
  idleTimeoutMs?: number
  /**
   * Milliseconds that a connection lives; it ends while idle or on return, never while leased. Default 1 800 000; Infinity =
   * never. Protects from sessions whose memory grows, and from old DNS answers and credentials.
   */
  maxLifetimeMs?: number
  /** The share by which a lifetime is shortened at random, so that not all end together. 0 to 1, default 0.25. */
  lifetimeJitter?: number
  /** Leases that a connection serves, then it is closed. Default Infinity. Protects from leaks within a driver or server. */
  maxUses?: number
  /**
   * Milliseconds of idleness after which a connection must answer before it is lent. Default 1 000; 0 = always; Infinity =
   * never. Protects callers from connections that died while idle.
   */
  validateAfterIdleMs?: number
  /** Milliseconds between background checks of idle connections. Default 0 = off. For firewalls that forget silent ones. */
  keepaliveMs?: number
  /** Which idle connection goes out first: the warmest (`lifo`, the default) or the coldest. */
  idleOrder?: 'lifo' | 'fifo'
  /**
   * What happens on return: `rollback` (the default) when a transaction is open; `full` makes the session as after connect;
   * `none`; or a function called on every return.
   */
  reset?: ResetDepth | 'none' | ((connection: C, context: HookContext) => void | Promise<void>)
  /** Prepares each new connection, within `connectTimeoutMs`. Failing = a failed connect. */
  onConnect?: (connection: C, context: HookContext) => void | Promise<void>
  /** Prepares a connection for one acquire, within `validateTimeoutMs`. Failing = destroyed, and the caller keeps its place. */
  onAcquire?: (connection: C, context: AcquireHookContext) => void | Promise<void>
  /** Runs after the reset, within `resetTimeoutMs`. Failing = destroyed. */
  onRelease?: (connection: C, context: HookContext) => void | Promise<void>
  /** Milliseconds after which a lease is reported by `leak`, once, with the stack that took it. Default 0 = off. */
  leakThresholdMs?: number
  /** `pool.query` may share connections where that is safe (`auto`, the default), or each statement has its own (`off`). */
  multiplex?: 'auto' | 'off'
  /**
   * What stands between the pool and the server: PgBouncer and its kin. With `transaction` no statement is prepared under a
   * name, and statements that would change the session are refused. With either, connections are not shared. Default `none`.
   */
  pooler?: 'none' | 'transaction' | 'session'
  /**
   * What happens to callers while the queue does not shrink: they wait until their deadline (`queue`, the default), or those
   * who have waited for long are turned away with `OverloadError` (`shed`).
   */
  overload?: 'queue' | 'shed'
  /** Idle connections and maintenance do not keep the process alive; acquires and leases do. Default false. Needs a driver with `unref`. */
  exitWhenIdle?: boolean
  /** Time; for tests. Default: the system's. */
  clock?: Clock
  /** Where permission to connect is asked for. Default: always granted. */
  permits?: Permits
}

type HasDefault =
  | 'min'
  | 'max'
  | 'maxOverflow'
  | 'acquireTimeoutMs'
  | 'connectTimeoutMs'
  | 'validateTimeoutMs'
  | 'resetTimeoutMs'
  | 'closeTimeoutMs'
  | 'maxWaiting'
  | 'idleTimeoutMs'
  | 'maxLifetimeMs'
  | 'lifetimeJitter'
  | 'maxUses'
  | 'validateAfterIdleMs'
  | 'keepaliveMs'
  | 'idleOrder'
  | 'reset'
  | 'leakThresholdMs'
  | 'multiplex'
  | 'pooler'
  | 'overload'
  | 'exitWhenIdle'

/** Options with every default filled in. `maxIdle` stays undefined while it follows `max`. */
export type ResolvedOptions<C = unknown> = Readonly<
  PoolOptions<C> & Required<Pick<PoolOptions<C>, HasDefault>>
>

/** What `resize` may change while the pool runs. */
export type ResizeOptions = Pick<
  PoolOptions,
  'min' | 'max' | 'maxIdle' | 'maxOverflow' | Extract<keyof PoolOptions, `${string}Ms`>
>

export const DEFAULTS = Object.freeze({
  min: 0,
  max: 10,
  maxOverflow: 0,
  acquireTimeoutMs: 30_000,
  connectTimeoutMs: 10_000,
  validateTimeoutMs: 5_000,
  resetTimeoutMs: 5_000,
  closeTimeoutMs: 5_000,
  maxWaiting: Number.POSITIVE_INFINITY,
  idleTimeoutMs: 600_000,
  maxLifetimeMs: 1_800_000,
  lifetimeJitter: 0.25,
  maxUses: Number.POSITIVE_INFINITY,
  validateAfterIdleMs: 1_000,
  keepaliveMs: 0,
  idleOrder: 'lifo',
  reset: 'rollback',
  leakThresholdMs: 0,
  multiplex: 'auto',
  pooler: 'none',
  overload: 'queue',
  exitWhenIdle: false,
} as const satisfies Required<Pick<PoolOptions, HasDefault>>)
