import type { AcquireOptions } from '../contract/lease.ts'
import { Waiter, type WaiterFacts } from '../engine/waiter.ts'

/** A promise of the pool that somebody waits for. It listens to the caller's signal itself: no closure for each. */
export abstract class Pending<T> extends Waiter {
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
  #signal: AbortSignal | undefined = undefined
  #leave: ((pending: AnyPending) => void) | undefined = undefined

  constructor(
    kind: 'lease' | 'ready',
    facts: WaiterFacts,
    settle: { resolve: (value: T) => void; reject: (error: unknown) => void },
  ) {
    super(kind, facts)
    this.resolve = settle.resolve
    this.reject = settle.reject
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
export type AnyPending = Pending<never>

export class PendingLease<L> extends Pending<L> {
  readonly options: AcquireOptions
  /** Where the caller stands, while leaks are looked for. */
  readonly trace: Error | undefined

  constructor(
    facts: WaiterFacts,
    settle: { resolve: (lease: L) => void; reject: (error: unknown) => void },
    origin: { options: AcquireOptions; trace: Error | undefined },
  ) {
    super('lease', facts, settle)
    this.options = origin.options
    this.trace = origin.trace
  }
}

export class PendingReady extends Pending<void> {
  constructor(facts: WaiterFacts, settle: { resolve: () => void; reject: (error: unknown) => void }) {
    super('ready', facts, settle)
  }
}
