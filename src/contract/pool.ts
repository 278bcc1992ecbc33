/// <reference lib="esnext.disposable" preserve="true" />
import type { PoolEventName, PoolListener } from './events.ts'
import type { AcquireOptions, Lease } from './lease.ts'
import type { ResizeOptions } from './options.ts'
import type { PoolStats } from './stats.ts'

export interface ReadyOptions {
  /** Default: the pool's `acquireTimeoutMs`. */
  timeoutMs?: number
  signal?: AbortSignal
}

export interface CloseOptions {
  /** Milliseconds that leases may take to come back before they are destroyed. Default 10 000; 0 = none. */
  drainTimeoutMs?: number
}

/** What closing the pool came to. */
export interface CloseReport {
  /** Connections closed in order. */
  closed: number
  /** Leases that were still out at the deadline; their connections were closed under them. */
  destroyed: number
  /** Sockets that did not close in time and were written off. */
  abandoned: number
  /** Callers that were still waiting. */
  rejected: number
  durationMs: number
}

export interface Pool<C, L extends Lease<C> = Lease<C>> extends AsyncDisposable {
  readonly name: string
  /** True from the call of `close` on. */
  readonly closed: boolean
  /**
   * Borrows a connection: an idle one at once, else the first that becomes free.
   * @throws AcquireTimeoutError, QueueFullError, PoolClosedError, ConnectError, or the signal's reason
   */
  acquire(options?: AcquireOptions): Promise<L>
  /** An idle connection that needs no check and no hook, when nobody waits. @throws PoolClosedError */
  tryAcquire(): L | undefined
  /** Borrows a connection for as long as `work` runs. */
  use<T>(work: (lease: L) => T | Promise<T>, options?: AcquireOptions): Promise<T>
  /** Resolves when `min` connections, and at least one, are open. */
  ready(options?: ReadyOptions): Promise<void>
  stats(): PoolStats
  /** Changes options while the pool runs: all of them or, when one is refused, none. */
  resize(options: ResizeOptions): void
  /** No connection older than now is lent again. */
  refresh(): void
  /** `acquire` and `query` wait, their deadlines run, and `min` is not refilled, until `resume`. */
  suspend(): void
  resume(): void
  /** Rejects waiters, waits for leases, closes everything. Never fails; a later call joins the first. */
  close(options?: CloseOptions): Promise<CloseReport>
  on(event: PoolEventName, listener: PoolListener): this
  off(event: PoolEventName, listener: PoolListener): this
  once(event: PoolEventName, listener: PoolListener): this
}
