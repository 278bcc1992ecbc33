import type { Clock } from './clock.ts'
import type { ResetDepth } from './driver.ts'
import type { Permits } from './permits.ts'

export interface HookContext {
  /** Aborted when the pool no longer waits for the hook. */
  signal: AbortSignal
}

export interface AcquireHookContext extends HookContext {
  key: unknown
  affinity: unknown
  /** What this acquire asked for. */
  label: string | undefined
  /** What the connection was used for before. */
  lastLabel: string | undefined
  /** The connection has not been lent before. */
  fresh: boolean
}

export interface PoolOptions<C = unknown> {
  /** Names the pool in errors, events and metrics. Default: the driver's name, numbered from the second pool on. */
  name?: string
  /** Connections kept open, leased ones included; refilled in the background. Default 0. */
  min?: number
  /** Most connections that exist, whatever they are doing. Default 10. Protects the server. */
  max?: number
  /** Extra connections above `max` under pressure, closed on return when nobody waits. Default 0. */
  maxOverflow?: number
  /** Idle connections kept. Default: `max`. 0 keeps none: a cap without a pool. */
  maxIdle?: number
  /** Milliseconds that `acquire` waits at most, all phases together. Default 30 000; 0 = an idle connection or failure at once. */
  acquireTimeoutMs?: number
  /** Milliseconds for a connect with `onConnect`. Default 10 000. */
  connectTimeoutMs?: number
  /** Milliseconds for a liveness check, and for `onAcquire`. Default 5 000. */
  validateTimeoutMs?: number
  /** Milliseconds for the reset with `onRelease`, statements still in flight included. Default 5 000. */
  resetTimeoutMs?: number
  /** Milliseconds for closing a connection before it is written off as `abandoned`. Default 5 000. */
  closeTimeoutMs?: number
  /**
   * Callers that may wait beyond the connections that are idle, connecting or may still be opened; more are refused with
   * `QueueFullError`. Default Infinity; 0 = connect, but never wait for a release.
   */
  maxWaiting?: number
  /** Milliseconds after which an idle connection above `min` is closed. Default 600 000; Infinity = never. */
  idleTimeoutMs?: number
  /** Milliseconds that a connection lives; it ends while idle or on return. Default 1 800 000; Infinity = never. */
  maxLifetimeMs?: number
  /** The share by which a lifetime is shortened at random, so that not all end together. 0 to 1, default 0.25. */
  lifetimeJitter?: number
  /** Leases that a connection serves. Default Infinity. */
  maxUses?: number
  /** Milliseconds of idleness after which a connection must answer before it is lent. Default 1 000; 0 = always; Infinity = never. */
  validateAfterIdleMs?: number
  /** Milliseconds between background checks of idle connections. Default 0 = off. */
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
  /** Milliseconds after which a lease is reported as leaked, with the stack that took it. Default 0 = off. */
  leakThresholdMs?: number
  /** `pool.query` may share connections where that is safe (`auto`, the default), or each statement has its own (`off`). */
  multiplex?: 'auto' | 'off'
  /** What stands between the pool and the server: PgBouncer and its kin. Default `none`. */
  pooler?: 'none' | 'transaction' | 'session'
  /** What happens to callers under overload: they wait their time (`queue`, the default), or are shed. */
  overload?: 'queue' | 'shed'
  /** Idle connections and maintenance do not keep the process alive. Default false. Needs a driver with `unref`. */
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
