/** Where a waiter is: in the queue, given a connection that `onAcquire` still prepares, or served, failed or left. */
export type WaiterState = 'queued' | 'preparing' | 'settled'

export interface WaiterFacts {
  since: number
  deadline: number
  priority: number
  affinity: unknown
  shares: boolean
}

/** Somebody who waits: for a lease, or for the pool to be ready. The pool's own class adds the promise. */
export class Waiter {
  /** A lease's waiter stands in the queue; a `ready` one only has a deadline. */
  readonly kind: 'lease' | 'ready'
  readonly since: number
  /** Absolute; never re-armed, never extended. */
  readonly deadline: number
  readonly priority: number
  readonly affinity: unknown
  /** A place beside others on a connection would do. */
  readonly shares: boolean
  state: WaiterState = 'queued'
  /** The order of arrival: how one that lost its connection finds its place again. */
  arrival = 0
  next: Waiter | undefined = undefined
  previous: Waiter | undefined = undefined
  /** preparing: the connection meant for it. */
  slot: { readonly id: number } | undefined = undefined

  constructor(kind: 'lease' | 'ready', facts: WaiterFacts) {
    this.kind = kind
    this.since = facts.since
    this.deadline = facts.deadline
    this.priority = facts.priority
    this.affinity = facts.affinity
    this.shares = facts.shares
  }

  get done(): boolean {
    return this.state === 'settled'
  }
}
