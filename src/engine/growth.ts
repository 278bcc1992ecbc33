import type { Slot } from './slot.ts'
import type { EngineState } from './state.ts'

/** Callers that one shared connection serves at a time. */
export const SHARED_BY = 32

/** A check or a reset that takes longer than this is no longer counted on. */
export const PATIENCE_MS = 100

/** Connects to start now, were there room and permission for all of them. */
export function connectsWanted<R, H>(state: EngineState<R, H>, now: number): number {
  if (state.closing || state.suspended) return 0
  const floor = state.readies.size > 0 ? state.readyAt : state.options.min
  const uncovered = placesNeeded(state, now) - incoming(state, now)
  return Math.max(uncovered <= 0 ? 0 : uncovered - foreseen(state, uncovered, now), floor - state.live)
}

/** When the forecast for the queue must be looked at again: a lease is late, or the first waiter should have been served. */
export function nextForecast<R, H>(state: EngineState<R, H>, now: number): number {
  const { first } = state.queue
  if (first === undefined || state.total >= state.cap) return Number.POSITIVE_INFINITY
  let at = first.since + state.forecast.connectMs
  for (const slot of state.slots) {
    const late = slot.state === 'leased' ? state.forecast.lateAt(slot as Slot) : now
    if (late > now) at = Math.min(at, late)
  }
  return at > now ? at : Number.POSITIVE_INFINITY
}

/** Connections that the queue could use. Those who share are served by the shared ones there are, if that goes on. */
function placesNeeded<R, H>(state: EngineState<R, H>, now: number): number {
  const { size, sharing } = state.queue
  const helped = state.shared > 0 && !isOverdue(state, now)
  return size - sharing + (helped ? 0 : Math.ceil(sharing / SHARED_BY))
}

/** Of so many waiters, those whom leases under way will serve before a connect could. */
function foreseen<R, H>(state: EngineState<R, H>, waiters: number, now: number): number {
  if (isOverdue(state, now)) return 0
  return state.forecast.servedBy(state.slots as Set<Slot>, {
    leased: state.counts.leased - state.shared,
    waiters,
    now,
  })
}

/** The first waiter should have been served by now: the forecast was wrong, and holds nothing back any more. */
function isOverdue<R, H>(state: EngineState<R, H>, now: number): boolean {
  const { first } = state.queue
  return first !== undefined && now >= first.since + state.forecast.connectMs
}

/** Connections on their way to the queue without anybody's doing. */
export function incoming<R, H>(state: EngineState<R, H>, now: number): number {
  const { counts } = state
  if (counts.resetting === 0 && counts.validating === state.preparing) return counts.connecting
  let resets = 0
  for (const slot of state.slots) if (slot.state === 'resetting' && now < slot.since + PATIENCE_MS) resets++
  // Where one does not answer, the others may not either.
  const { prompt, overdue } = checksUnderWay(state, now)
  return counts.connecting + resets + (overdue > 0 ? 0 : prompt)
}

/** Liveness checks that may still end in time for the queue, and those that are no longer counted on. */
export function checksUnderWay<R, H>(
  state: EngineState<R, H>,
  now: number,
): { prompt: number; overdue: number } {
  const checks = { prompt: 0, overdue: 0 }
  if (state.counts.validating === state.preparing) return checks
  for (const slot of state.slots) {
    if (slot.state !== 'validating' || slot.waiter !== undefined) continue
    if (now < slot.since + PATIENCE_MS) checks.prompt++
    else checks.overdue++
  }
  return checks
}
