import type { CloseReason } from '../contract/stats.ts'
import type { Slot } from './slot.ts'
import type { Waiter } from './waiter.ts'

/** Why a waiter leaves without a connection. */
export type Refusal = 'timeout' | 'permanent' | 'closed' | 'overload'

/** What the engine decided and the pool does. Calls return at once; results come back through the engine's methods. */
export interface Ports<R, H> {
  /** Open a connection, then `connected` or `connectFailed`. */
  connect(slot: Slot<R, H>): void
  /** The connect has taken too long, or is no longer wanted: abort it; when it has settled, `gone`. */
  abortConnect(slot: Slot<R, H>, why: 'timeout' | 'close'): void
  /** Run the liveness check, then `checked`. */
  check(slot: Slot<R, H>): void
  /** Run `onAcquire` for this waiter, then `prepared`. */
  prepare(slot: Slot<R, H>, waiter: Waiter): void
  /** The phase has taken too long: its signal is aborted. The engine closes the connection. */
  abortPhase(slot: Slot<R, H>): void
  /** Returns false when the waiter has already left: the connection goes to somebody else. */
  grant(waiter: Waiter, slot: Slot<R, H>): boolean
  refuse(waiter: Waiter, why: Refusal): void
  /** The pool is as full as `ready` asked for. */
  ready(waiter: Waiter): void
  /** The lease ends without its holder's doing. */
  revoke(slot: Slot<R, H>, why: 'lost' | 'close'): void
  /** Close the connection, then `gone`. */
  close(slot: Slot<R, H>, reason: CloseReason): void
  /** The slot is no more; `reason` is undefined when its connect failed. */
  gone(slot: Slot<R, H>, reason: CloseReason | undefined): void
  /** The connection goes idle: it need not keep the process alive. */
  idle(slot: Slot<R, H>): void
  leak(slot: Slot<R, H>): void
  /** Nothing is left of a closed pool. */
  closed(): void
  /** Call `tick` at this time, and no longer at the one asked for before; Infinity = not at all. */
  wake(at: number): void
}
