import type { CloseReason } from '../contract/stats.ts'
import type { Slot } from './slot.ts'
import type { EngineState } from './state.ts'

/** Why a connection that comes back is not kept; undefined when it is. */
export function dueReason<R, H>(
  state: EngineState<R, H>,
  slot: Slot<R, H>,
  now: number,
): CloseReason | undefined {
  const { options } = state
  if (state.closing) return 'close'
  if (slot.retiring !== undefined) return slot.retiring
  if (slot.generation < state.generation) return state.outdated
  if (now >= slot.expiresAt) return 'lifetime'
  if (slot.uses >= options.maxUses) return 'uses'
  return surplusReason(state, state.idle.size)
}

/** Why there is one connection too many that would be idle beside so many others. */
export function surplusReason<R, H>(state: EngineState<R, H>, others: number): CloseReason | undefined {
  const { live, options } = state
  if (live > options.max) {
    if (live > state.cap) return 'resize'
    if (!isWaitedFor(state)) return 'overflow'
  }
  const { maxIdle = Number.POSITIVE_INFINITY } = options
  return others >= maxIdle && !isWaitedFor(state) ? 'idle' : undefined
}

function isWaitedFor<R, H>(state: EngineState<R, H>): boolean {
  return (state.queue.size > 0 || state.readies.size > 0) && !state.suspended
}

/** The connection must answer before it is lent. */
export function needsCheck<R, H>(state: EngineState<R, H>, slot: Slot<R, H>, now: number): boolean {
  if (!state.canCheck) return false
  return slot.provenAt <= state.suspectAt || now - slot.aliveAt >= state.options.validateAfterIdleMs
}

/** When the coldest idle connection has been idle for long enough; Infinity while `min` needs it. */
export function nextIdleEnd<R, H>(state: EngineState<R, H>): number {
  const { coldest } = state.idle
  if (coldest === undefined || state.live <= state.options.min) return Number.POSITIVE_INFINITY
  return coldest.usedAt + state.options.idleTimeoutMs
}

/** When a connection's life ends: somewhat earlier for each, so that not all end together. */
export function lifetimeEnd<R, H>(state: EngineState<R, H>, slot: Slot<R, H>): number {
  const { maxLifetimeMs, lifetimeJitter } = state.options
  return slot.connectedAt + maxLifetimeMs * (1 - lifetimeJitter * slot.chance)
}
