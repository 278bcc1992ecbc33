import { afterAll, beforeAll, vi } from 'vitest'
import type { Comparison } from '../comparison/comparison.ts'

/**
 * The same behaviours, in a time that goes on only when everything else has come to rest: then the next timer is due. So neither
 * side is ever late, however slow the machine is. For what waits for nothing but timers and promises.
 */
export function inVirtualTime<S>(comparisons: readonly Comparison<S>[]): Comparison<S>[] {
  // Once for the whole file: time must not start anew, as what has a deadline takes it for monotonic.
  beforeAll(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
    })
  })
  afterAll(() => {
    vi.useRealTimers()
  })
  return comparisons.map((comparison) => ({ ...comparison, run: (subject) => play(comparison.run(subject)) }))
}

async function play<T>(played: Promise<T>): Promise<T> {
  let isOver = false
  const over = () => {
    isOver = true
  }
  played.then(over, over)
  for (await rest(); !isOver; await rest()) await vi.advanceTimersToNextTimerAsync()
  return played
}

/** Lets everything happen that waits for no timer: some turns, as promises may have to come back through `setImmediate`. */
async function rest(turns = 10): Promise<void> {
  for (let n = 0; n < turns; n++) await new Promise<void>((resolve) => setImmediate(resolve))
}
