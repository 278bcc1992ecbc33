/// <reference lib="esnext.disposable" preserve="true" />

/** Options of one acquire. */
export interface AcquireOptions {
  /** Milliseconds to wait at most, all phases together. Default: the pool's `acquireTimeoutMs`. 0 = an idle connection or failure at once. */
  timeoutMs?: number
  /** Gives up waiting; `acquire` rejects with the signal's reason. */
  signal?: AbortSignal
  /** Higher is served first, equal ones in order of arrival. Default 0. */
  priority?: number
  /**
   * Joins: while a lease with this key is out, `acquire` resolves at once with another lease on the same connection.
   * The caller promises that they do not run at the same time.
   */
  key?: unknown
  /** Prefers the idle connection that was last used with this value. Never waits for it, never shares it. */
  affinity?: unknown
  /** A replica or a reader may serve. */
  readOnly?: boolean
  /** What the connection is wanted for; `onAcquire` sees it, and the label that the connection had before. */
  label?: string
}

/**
 * One borrowing of one connection. A fresh object for each, so that a stale one can be refused without harm to the
 * connection's next owner.
 */
export interface Lease<C> extends AsyncDisposable, Disposable {
  /** The driver's own client. Throws `LeaseReleasedError` once the lease has ended. */
  readonly connection: C
  /** The pool would like it back: somebody waits with no other hope, or it is due to retire. */
  readonly wanted: boolean
  /** Gives the connection back. A second call throws `LeaseReleasedError`. */
  release(): void
  /** Closes the connection: it is never lent again. */
  destroy(reason?: unknown): void
  /** Marks the connection to be closed when it comes back. */
  retire(): void
  /** Takes the connection out of the pool, which forgets it: closing it is now up to you. */
  detach(): C
}
