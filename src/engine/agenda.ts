import { nextForecast, PATIENCE_MS } from './growth.ts'
import { nextIdleEnd } from './retirement.ts'
import type { Slot } from './slot.ts'
import type { EngineState } from './state.ts'

const NEVER = Number.POSITIVE_INFINITY

/** When the engine next has something to do of its own accord. It may be too early, never too late. */
export function nextWake<R, H>(state: EngineState<R, H>, now: number): number {
  let at = Math.min(
    state.deadlines.earliest,
    nextIdleEnd(state),
    nextConnect(state, now),
    nextForecast(state, now),
  )
  for (const slot of state.slots) at = Math.min(at, nextOf(state, slot, now))
  at = Math.min(at, nextShed(state))
  if (state.closing && state.counts.leased + state.counts.resetting > 0)
    at = Math.min(at, state.drainDeadline)
  return at
}

/** Under overload: when the queue is judged, or its oldest is turned away. */
function nextShed<R, H>({ overload, queue, suspended }: EngineState<R, H>): number {
  if (overload === undefined || suspended || queue.oldest === undefined) return NEVER
  return overload.isOn
    ? Math.min(overload.judgeAt, queue.oldest.since + overload.patienceMs)
    : overload.judgeAt
}

function nextOf<R, H>(state: EngineState<R, H>, slot: Slot<R, H>, now: number): number {
  const { options } = state
  switch (slot.state) {
    case 'idle':
      return Math.min(slot.expiresAt, nextKeepalive(state, slot))
    case 'leased':
      return isLeakWatched(options.leakThresholdMs, slot) ? slot.since + options.leakThresholdMs : NEVER
    case 'validating':
    case 'resetting': {
      const patience = slot.since + PATIENCE_MS
      return state.queue.size > 0 && patience > now ? Math.min(slot.deadline, patience) : slot.deadline
    }
    default:
      return slot.deadline
  }
}

/** What statements share is the pool's own, and may be out for ever. */
export function isLeakWatched<R, H>(leakThresholdMs: number, slot: Slot<R, H>): boolean {
  return leakThresholdMs > 0 && !slot.leakReported && !slot.shared
}

/** Background checks go one after the other: the next is due when the one under way has ended. */
export function nextKeepalive<R, H>(state: EngineState<R, H>, slot: Slot<R, H>): number {
  const { keepaliveMs } = state.options
  if (keepaliveMs === 0 || state.counts.validating > state.preparing) return NEVER
  return slot.aliveAt + keepaliveMs
}

function nextConnect<R, H>(state: EngineState<R, H>, now: number): number {
  const { backoff, counts } = state
  if (!backoff.failing || counts.connecting > 0 || state.closing || state.suspended) return NEVER
  const waitedFor = state.queue.size > 0 || state.readies.size > 0
  if (!waitedFor && state.live >= state.options.min) return NEVER
  const at = backoff.until(waitedFor)
  // Once the pause is over it is not time that is missing, but room, a permit or a need: each comes with a pump.
  return at > now ? at : NEVER
}
