import type { FakeConnection } from '../fake-connection.ts'

/** Who holds a connection: a caller, or several that have joined under one key. */
export interface Owner {
  readonly key: unknown
  readonly callers: number[]
}

/** One connect of the pool and what came of it, as the driver sees it. */
export class Socket {
  /** Also the pool's number of the connection: it counts its connects. */
  readonly id: number
  /** How often the pool had been refreshed when the connect began. */
  readonly generation: number
  /** When the connect began. */
  readonly since: number
  connection: FakeConnection | undefined = undefined
  /** It counts against the cap: until the connect has failed, or the close has settled. */
  counts = true
  writtenOff = false
  detached = false
  /** The pool has told of it as connected. */
  opened = false
  /** The pool has told that it is closed. */
  told = false
  closes = 0
  /** Its death was told, or seen by a statement. */
  lost = false
  /** Its holder has destroyed it. */
  destroyed = false
  /** The step in which the pool was told of its death. */
  diedStep = Number.POSITIVE_INFINITY
  /** The step in which it was opened. */
  openedStep = Number.POSITIVE_INFINITY
  owner: Owner | undefined = undefined
  leases = 0
  connectedAt = 0
  /** When it was last lent, given back, cleaned, or answered anything. */
  aliveAt = 0
  /** When it was opened, or last given back. */
  usedAt = 0
  /** When it was last lent. */
  lentAt = 0
  /** Its holder was told of as a leak. */
  leakTold = false
  /** The value that it was last used with. */
  affinity: unknown = undefined
  closedAt = 0
  /** It has not been idle for as long as it may be. */
  closedEarly = false
  /** `onAcquire` has run on it since it was last lent. */
  prepared = false
  /** `onRelease` has run on it since it was last lent. */
  released = false
  /** A full reset has made it as it was before `onConnect`. */
  bare = false
  /** When the check, hook or reset that runs on it must be over, and the connection free or closed. */
  phaseDeadline = Number.POSITIVE_INFINITY
  /** When the statement that is served now came to its turn. */
  turnAt = 0
  /** The step in which it last connected or answered its check. */
  provenStep = 0
  /** A BEGIN is on its way. */
  beginning = false
  /** Whose statements run in the transaction that is open here. */
  transactionOf: number | undefined = undefined
  /** Liveness checks under way. */
  checking = 0

  constructor(id: number, generation: number, since: number) {
    this.id = id
    this.generation = generation
    this.since = since
  }
}
