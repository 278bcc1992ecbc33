/** Where a waiter is: in the queue, given a connection that `onAcquire` still prepares, or served, failed or left. */
export type WaiterState = 'queued' | 'preparing' | 'settled'

/** Somebody who waits: for a lease, or for the pool to be ready. The pool's own class adds the promise. */
export class Waiter {
  /** A lease's waiter stands in the queue; a `ready` one only has a deadline. */
  readonly kind: 'lease' | 'ready'
  readonly since: number
  /** Absolute; never re-armed, never extended. */
  readonly deadline: number
  priority = 0
  affinity: unknown = undefined
  /** A place beside others on a connection would do. */
  shares = false
  /** Waits for an idle connection to be checked or prepared, and for nothing else. */
  impatient = false
  state: WaiterState = 'queued'
  /** The order of arrival: how one that lost its connection finds its place again. */
  arrival = 0
  next: Waiter | undefined = undefined
  previous: Waiter | undefined = undefined
  /** preparing: the connection meant for it. */
  slot: { readonly id: number } | undefined = undefined

  constructor(kind: 'lease' | 'ready', since: number, deadline: number) {
    this.kind = kind
    this.since = since
    this.deadline = deadline
  }

  get done(): boolean {
    return this.state === 'settled'
  }
}
