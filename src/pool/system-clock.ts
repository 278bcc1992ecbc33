import type { Clock, Timer } from '../contract/clock.ts'
import { Rush } from './rush.ts'

/** The longest delay that `setTimeout` keeps; beyond it, it would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

/** The globals are called late, so that a test's fake timers work. */
const now = () => performance.now()
const afterPoll = (run: () => void) => {
  setImmediate(run)
}
const rush = new Rush(now, afterPoll)

export const systemClock: Clock = {
  now,
  glance: () => rush.glance(),
  wall: () => Date.now(),
  after: (ms, run) => new SystemTimer(ms, run),
  afterPoll,
}

class SystemTimer implements Timer {
  #handle: ReturnType<typeof setTimeout>
  #keepsAlive = true

  constructor(ms: number, run: () => void) {
    this.#handle = this.#start(ms, run)
  }

  cancel(): void {
    clearTimeout(this.#handle)
  }

  ref(): void {
    this.#keepsAlive = true
    this.#apply()
  }

  unref(): void {
    this.#keepsAlive = false
    this.#apply()
  }

  #start(ms: number, run: () => void): ReturnType<typeof setTimeout> {
    if (ms <= LONGEST_DELAY_MS) return setTimeout(run, Math.max(0, Math.ceil(ms)))
    return setTimeout(() => {
      this.#handle = this.#start(ms - LONGEST_DELAY_MS, run)
      this.#apply()
    }, LONGEST_DELAY_MS)
  }

  #apply(): void {
    // Some runtimes and fake timers give a number.
    if (typeof this.#handle !== 'object') return
    if (this.#keepsAlive) this.#handle.ref()
    else this.#handle.unref()
  }
}
