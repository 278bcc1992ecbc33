import type { Clock, Timer } from '../contract/clock.ts'

/** A clock that also brings the answers of a simulated server, as I/O: after the timers that are due, before `afterPoll`. */
export interface IoClock extends Clock {
  /** Calls `run` when something arrives from the network, `ms` milliseconds from now. */
  io(ms: number, run: () => void): Timer
}

// Taken when the module is loaded: fake timers that a test runner puts in place later must not stop this clock.
const { setTimeout, clearTimeout, setImmediate, clearImmediate, performance } = globalThis

/** Real time, for a fake server in a program that is not under a virtual clock. */
export const realTime: IoClock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, run) => timeout(ms, run),
  afterPoll: (run) => {
    setImmediate(run)
  },
  io: (ms, run) => (ms > 0 ? timeout(ms, run) : immediate(run)),
}

function timeout(ms: number, run: () => void): Timer {
  const timer = setTimeout(run, ms)
  return { cancel: () => clearTimeout(timer), ref: () => timer.ref(), unref: () => timer.unref() }
}

function immediate(run: () => void): Timer {
  const immediate = setImmediate(run)
  return {
    cancel: () => clearImmediate(immediate),
    ref: () => immediate.ref(),
    unref: () => immediate.unref(),
  }
}
