import type { Random } from '../random.ts'
import { borrow, randomWish, tryBorrow } from './borrow.ts'
import { judgeChoice } from './choice.ts'
import type { Held } from './held.ts'
import type { Stage } from './stage.ts'

/** Something that callers do: its calls and waits, on their own. */
export type Act = (stage: Stage, caller: number, random: Random) => Promise<void> | void

/** Mostly short. */
export function pause(stage: Stage, random: Random, mostMs = 20): Promise<void> {
  return stage.sleep(random.next() * random.next() * mostMs)
}

/** After so many rounds a loop lets time pass. */
const BREATH = 100

/** The hot path is walked often: where nothing happens on the way, more often. */
function loopsOf({ parts: { plan } }: Stage): number {
  const { onAcquire, onRelease } = plan.hooks
  return onAcquire || onRelease || plan.resetsItself || plan.options.reset === 'full' ? 100 : 800
}

/** Gives it back in one of the ways there are. */
function finish(held: Held, random: Random): void {
  const way = random.next()
  if (way < 0.85) held.release()
  else if (way < 0.95) held.dispose()
  else held.destroy()
}

export const leaseActs: Record<string, Act> = {
  async hold(stage, caller, random) {
    const held = await borrow(stage, caller, randomWish(stage, random))
    if (held === undefined) return
    await pause(stage, random)
    finish(held, random)
  },

  async 'many at once'(stage, caller, random) {
    const one = async () => {
      const held = await borrow(stage, caller, randomWish(stage, random))
      if (held === undefined) return
      if (random.chance(0.5)) await pause(stage, random, 5)
      held.release()
    }
    await Promise.all(Array.from({ length: random.integer(2, 24) }, one))
  },

  async 'in a loop'(stage, caller, random) {
    for (let left = random.integer(1, loopsOf(stage)); left > 0; left--) {
      const held = await borrow(stage, caller)
      if (held === undefined) return
      held.release()
      if (left % BREATH === 0) await pause(stage, random, 1)
    }
  },

  async 'try in a loop'(stage, caller, random) {
    for (let left = random.integer(1, loopsOf(stage)); left > 0; left--) {
      const held = tryBorrow(stage, caller)
      if (held === undefined) return
      held.release()
      if (left % BREATH === 0) await pause(stage, random, 1)
    }
  },

  async try(stage, caller, random) {
    const held = tryBorrow(stage, caller)
    if (held === undefined) return
    judgeChoice(stage, held.socket)
    await pause(stage, random)
    finish(held, random)
  },

  async nest(stage, caller, random) {
    const outer = await borrow(stage, caller, randomWish(stage, random))
    if (outer === undefined) return
    const inner = await borrow(stage, caller, { options: { timeoutMs: random.between(0, 50) } })
    await pause(stage, random)
    inner?.release()
    outer.release()
  },

  async 'end twice'(stage, caller, random) {
    const held = await borrow(stage, caller)
    if (held === undefined) return
    await pause(stage, random, 5)
    held.release()
    if (random.chance(0.5)) await pause(stage, random)
    held.endAgain(random.pick(['release', 'destroy', 'detach', 'retire'] as const))
  },

  async 'use after the end'(stage, caller, random) {
    const held = await borrow(stage, caller)
    if (held === undefined) return
    finish(held, random)
    if (random.chance(0.5)) await pause(stage, random)
    held.useAfterEnd()
  },

  async 'release late'(stage, caller, random) {
    const held = await borrow(stage, caller)
    await stage.sleep(random.chance(0.05) ? random.between(50, 3_000) : random.between(0, 30))
    held?.release()
  },

  async leak(stage, caller, random) {
    // A pool of which all is leaked has nothing more to show.
    if (stage.leaked.length >= 2 || random.chance(0.5)) return
    const held = await borrow(stage, caller, { options: { timeoutMs: 100 } })
    if (held !== undefined) stage.leaked.push(held)
  },

  async detach(stage, caller, random) {
    const held = await borrow(stage, caller)
    if (held === undefined) return
    await pause(stage, random)
    held.detach(random.between(0, 100))
  },

  async retire(stage, caller, random) {
    const held = await borrow(stage, caller)
    if (held === undefined) return
    held.retire()
    await pause(stage, random)
    held.release()
  },

  async join(stage, caller, random) {
    const key = `key ${random.integer(0, 2)}`
    const options = { key, timeoutMs: random.pick([5, 100, 1_000]) }
    const one = async () => {
      const held = await borrow(stage, caller, { options })
      if (held === undefined) return
      await pause(stage, random)
      const way = random.next()
      if (way < 0.1) held.destroy()
      else if (way < 0.2) held.detach(1)
      else held.release()
    }
    await Promise.all(Array.from({ length: random.integer(1, 4) }, one))
  },

  async 'give up'(stage, caller, random) {
    const signal = stage.signal(random.between(0, 10))
    const held = await borrow(stage, caller, { signal })
    if (held === undefined) return
    await pause(stage, random)
    held.release()
  },

  async yield(stage, caller, random) {
    const held = await borrow(stage, caller)
    if (held === undefined) return
    for (let left = 10; left > 0 && !held.isOver && !held.lease.wanted; left--) await pause(stage, random, 5)
    held.release()
  },
}
