import type { AcquireOptions } from '../contract/lease.ts'
import { Waiter } from '../engine/waiter.ts'
import { whenAborted } from './when-aborted.ts'

type Resolve = (value: never) => void
type Reject = (error: unknown) => void

let resolveOfLast: Resolve
let rejectOfLast: Reject
/** One function for all promises: a closure for each would be half of what a waiter costs. */
function keep(resolve: Resolve, reject: Reject): void {
  resolveOfLast = resolve
  rejectOfLast = reject
}

/**
 * A promise of the pool that somebody waits for. There may be a hundred thousand of them: one object each, beside the
 * promise, which listens to the caller's signal itself. It never leaves the pool, and has no private fields: they are what
 * takes longest to make.
 */
export class Pending<T> extends Waiter {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: Reject
  readonly options: AcquireOptions
  /** Where the caller stands, while leaks are looked for. */
  trace: Error | undefined = undefined
  signal: AbortSignal | undefined = undefined
  leave: ((pending: AnyPending) => void) | undefined = undefined

  constructor(kind: 'lease' | 'ready', since: number, deadline: number, options: AcquireOptions) {
    super(kind, since, deadline)
    this.promise = new Promise<T>(keep)
    this.resolve = resolveOfLast as (value: T) => void
    this.reject = rejectOfLast
    this.options = options
    this.affinity = options.affinity
    if (options.priority !== undefined) this.priority = options.priority
  }

  /** Calls `leave` should the signal be aborted before `forgetSignal`. */
  watch(signal: AbortSignal, leave: (pending: AnyPending) => void): void {
    this.signal = signal
    this.leave = leave
    whenAborted(signal, this)
  }

  forgetSignal(): void {
    this.signal?.removeEventListener('abort', this)
    this.signal = undefined
  }

  handleEvent(): void {
    const reason = this.signal?.reason
    this.leave?.(this)
    this.reject(reason)
  }
}

/** A pending promise, whatever it is for. */
export type AnyPending = Omit<Pending<unknown>, 'resolve'>
