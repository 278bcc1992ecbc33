/// <reference lib="esnext.disposable" preserve="true" />
import type { PoolEventName, PoolListener } from './events.ts'
import type { AcquireOptions, Lease } from './lease.ts'
import type { ResizeOptions } from './options.ts'
import type { PoolStats } from './stats.ts'

/** Options of `ready`. */
export interface ReadyOptions {
  /** Milliseconds. Default: the pool's `acquireTimeoutMs`. */
  timeoutMs?: number
  /** Gives up waiting; `ready` rejects with the signal's reason. */
  signal?: AbortSignal
}

/** Options of `close`. */
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

/** A pool of connections, or of anything that a driver can open and close. */
export interface Pool<C, L extends Lease<C> = Lease<C>> extends AsyncDisposable {
  /** The name in errors, events and metrics. */
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
  /**
   * Borrows a connection for as long as `work` runs, and gives it back whatever happens.
   * @throws what `acquire` throws, and what `work` throws
   */
  use<T>(work: (lease: L) => T | Promise<T>, options?: AcquireOptions): Promise<T>
  /**
   * Resolves when `min` connections, and at least one, are open.
   * @throws ConnectError at once when the server refuses for good; AcquireTimeoutError, with the last error as `cause`
   */
  ready(options?: ReadyOptions): Promise<void>
  /** The state of the pool, counted now. Cheap. */
  stats(): PoolStats
  /** Changes options while the pool runs: all of them or, when one is refused, none. @throws InvalidOptionError */
  resize(options: ResizeOptions): void
  /** No connection older than now is lent again: idle ones are closed, leased ones on return. For changed credentials. */
  refresh(): void
  /** `acquire` and `query` wait, their deadlines run, and `min` is not refilled, until `resume`. */
  suspend(): void
  /** Ends `suspend`. */
  resume(): void
  /** Rejects waiters, waits for leases, closes everything. Never fails; a later call joins the first. */
  close(options?: CloseOptions): Promise<CloseReport>
  /** Adds a listener. An `error` event that nobody listens to is no crash. */
  on(event: PoolEventName, listener: PoolListener): this
  /** Removes a listener. */
  off(event: PoolEventName, listener: PoolListener): this
  /** Adds a listener for the next one only. */
  once(event: PoolEventName, listener: PoolListener): this
}
