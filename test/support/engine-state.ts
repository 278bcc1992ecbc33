import type { PoolOptions } from '../../src/contract/options.ts'
import { resolveOptions } from '../../src/contract/resolve-options.ts'
import type { SlotState } from '../../src/contract/state.ts'
import { Slot } from '../../src/engine/slot.ts'
import { EngineState } from '../../src/engine/state.ts'
import { Waiter } from '../../src/engine/waiter.ts'

/** The moment at which a state made here is looked at. */
export const NOW = 10_000
export const NEVER = Number.POSITIVE_INFINITY

/** What the engine knows, put together by hand: for the functions that only read it. */
export function engineState(options: PoolOptions<object> = {}) {
  const driver = { name: 'none', connect: async () => ({}), close: () => {}, isAlive: async () => true }
  const state = new EngineState<object, object>(resolveOptions(options, driver), { canCheck: true })
  const slots = (count: number, as: SlotState, age = 0) =>
    Array.from({ length: count }, () => {
      const slot = new Slot<object, object>(state.slots.size, { generation: 0, chance: 0, now: NOW - age })
      slot.state = as
      state.counts[as]++
      state.slots.add(slot)
      if (as === 'idle') state.idle.add(Object.assign(slot, { usedAt: NOW - age, aliveAt: NOW - age }))
      return slot
    })
  const waiters = (count: number, age = 0, shares = false) => {
    for (let n = 0; n < count; n++) {
      const waiter = new Waiter('lease', NOW - age, NEVER)
      waiter.shares = shares
      state.queue.join(waiter)
    }
  }
  return { state, slots, waiters }
}
