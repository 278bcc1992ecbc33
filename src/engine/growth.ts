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
  let coming = counts.connecting
  if (counts.resetting === 0 && counts.validating === state.preparing) return coming
  for (const slot of state.slots) {
    const onItsWay = slot.state === 'resetting' || (slot.state === 'validating' && slot.waiter === undefined)
    if (onItsWay && now - slot.since < PATIENCE_MS) coming++
  }
  return coming
}
