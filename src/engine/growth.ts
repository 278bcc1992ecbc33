import type { EngineState } from './state.ts'

/** Callers that one shared connection serves at a time. */
export const SHARED_BY = 32

/** A check or a reset that takes longer than this is no longer counted on. */
export const PATIENCE_MS = 100

/** Connects to start now, were there room and permission for all of them. */
export function connectsWanted<R, H>(state: EngineState<R, H>, now: number): number {
  if (state.closing || state.suspended) return 0
  const floor = state.readies.size > 0 ? state.readyAt : state.options.min
  const { size, sharing } = state.queue
  const needed = size - sharing + Math.ceil(sharing / SHARED_BY)
  return Math.max(needed - incoming(state, now), floor - state.live)
}

/** Connections on their way to the queue without anybody's doing. */
export function incoming<R, H>(state: EngineState<R, H>, now: number): number {
  const { counts } = state
  if (counts.resetting === 0 && counts.validating === state.preparing) return counts.connecting
  let resets = 0
  for (const slot of state.slots) if (slot.state === 'resetting' && now - slot.since < PATIENCE_MS) resets++
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
    if (now - slot.since < PATIENCE_MS) checks.prompt++
    else checks.overdue++
  }
  return checks
}
