import { PoolBugError } from '../contract/errors.ts'
import type { SlotState } from '../contract/state.ts'
import type { CloseReason } from '../contract/stats.ts'
import type { Waiter } from './waiter.ts'

/** Which moves exist. `gone` is no state of a connection but the end of it. */
const MOVES: Record<SlotState, readonly (SlotState | 'gone')[]> = {
  connecting: ['validating', 'idle', 'leased', 'closing', 'gone'],
  // The check may be followed by the hook, and a hook whose caller has left by the next caller's.
  validating: ['validating', 'idle', 'leased', 'closing'],
  idle: ['validating', 'leased', 'closing'],
  leased: ['resetting', 'validating', 'idle', 'leased', 'closing', 'gone'],
  resetting: ['validating', 'idle', 'leased', 'closing'],
  closing: ['gone'],
}

/**
 * A place for one connection, from the start of its connect until its socket is gone. Fields that only some states need
 * stand together under the state's name; `R` is the connection, `H` who holds it.
 */
export class Slot<R = unknown, H = unknown> {
  readonly id: number
  /** The pool's generation when the connect began. */
  readonly generation: number
  /** The share of the lifetime jitter that fell to this connection. */
  readonly chance: number

  state: SlotState | 'gone' = 'connecting'
  /** When it entered its state. */
  since: number
  /** connecting, validating, resetting, closing: when the phase must be over. */
  deadline = Number.POSITIVE_INFINITY

  /** Known from the end of the connect. */
  connection: R | undefined = undefined
  connectedAt = 0
  /** When its lifetime is over. */
  expiresAt = Number.POSITIVE_INFINITY
  /** When it last connected or answered a check. */
  provenAt = 0
  /** When it last was proven or used: the age that the liveness check goes by. */
  aliveAt = 0
  /** When it was last given back, or connected. */
  usedAt = 0
  uses = 0
  affinity: unknown = undefined
  label: string | undefined = undefined
  /** Set when it must not be lent again: it closes on return. */
  retiring: CloseReason | undefined = undefined

  /** idle: the neighbours in the list of idle ones. */
  colder: Slot<R, H> | undefined = undefined
  warmer: Slot<R, H> | undefined = undefined
  /** validating: the waiter for whom `onAcquire` prepares it. */
  waiter: Waiter | undefined = undefined
  /** connecting, validating, resetting: ends what is under way; kept for the pool. */
  phase: AbortController | undefined = undefined
  /** leased: who holds it; kept for the pool. */
  holder: H | undefined = undefined
  leakReported = false
  /** leased: statements share it; how long it is out says nothing. */
  shared = false
  /** What was said when the connection died. */
  death: unknown = undefined
  /** A statement changed the session: nothing but a full reset makes it as it was. */
  tainted = false
  /** A write was refused as a demoted server refuses it, and the server has not said yet whether it is one. */
  inDoubt = false
  /** The connect succeeded: it was a connection of the pool's. */
  opened = false
  /** The pool took it from its holder at the end of a drain. */
  revoked = false
  /** closing: why. */
  reason: CloseReason = 'close'

  constructor(id: number, facts: { generation: number; chance: number; now: number }) {
    this.id = id
    this.generation = facts.generation
    this.chance = facts.chance
    this.since = facts.now
  }
}

/** How many slots are in each state, kept by `move` alone. */
export type SlotCounts = Record<SlotState, number>

export function noSlots(): SlotCounts {
  return { connecting: 0, validating: 0, idle: 0, leased: 0, resetting: 0, closing: 0 }
}

/** The only place where a slot changes its state. */
export function move(slot: Slot, to: SlotState | 'gone', now: number, counts: SlotCounts): void {
  const from = slot.state
  // The way out and back is taken millions of times: it looks nothing up.
  if (from === 'idle' && to === 'leased') {
    counts.idle--
    counts.leased++
  } else if (from === 'leased' && to === 'idle') {
    counts.leased--
    counts.idle++
  } else count(slot, to, counts)
  slot.state = to
  slot.since = now
}

function count({ id, state: from }: Slot, to: SlotState | 'gone', counts: SlotCounts): void {
  if (from === 'leased' && to === 'leased') return
  if (from === 'gone' || !MOVES[from].includes(to)) {
    throw new PoolBugError(`connection ${id} cannot go from ${from} to ${to}`)
  }
  counts[from]--
  if (to !== 'gone') counts[to]++
}
