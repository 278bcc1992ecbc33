import type { AcquireOptions } from '../contract/lease.ts'
import { Waiter } from '../engine/waiter.ts'

/**
 * A promise of the pool that somebody waits for. There may be a hundred thousand of them: one object each, beside the
 * promise, which listens to the caller's signal itself.
 */
export class Pending<T> extends Waiter {
  readonly promise: Promise<T>
  resolve!: (value: T) => void
  reject!: (error: unknown) => void
  #signal: AbortSignal | undefined = undefined
  #leave: ((pending: AnyPending) => void) | undefined = undefined

  constructor(kind: 'lease' | 'ready', since: number, deadline: number) {
    super(kind, since, deadline)
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  /** Calls `leave` should the signal be aborted before `forgetSignal`. */
  watch(signal: AbortSignal, leave: (pending: AnyPending) => void): void {
    this.#signal = signal
    this.#leave = leave
    signal.addEventListener('abort', this, { once: true })
  }

  forgetSignal(): void {
    this.#signal?.removeEventListener('abort', this)
    this.#signal = undefined
  }

  handleEvent(): void {
    const reason = this.#signal?.reason
    this.#leave?.(this)
    this.reject(reason)
  }
}

/** A pending promise, whatever it is for. */
export interface AnyPending extends Waiter {
  reject(error: unknown): void
  watch(signal: AbortSignal, leave: (pending: AnyPending) => void): void
  forgetSignal(): void
}

export class PendingLease<L> extends Pending<L> {
  readonly options: AcquireOptions
  /** Where the caller stands, while leaks are looked for. */
  trace: Error | undefined = undefined

  constructor(since: number, deadline: number, options: AcquireOptions) {
    super('lease', since, deadline)
    this.options = options
    this.affinity = options.affinity
    if (options.priority !== undefined) this.priority = options.priority
  }
}
