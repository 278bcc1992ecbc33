import type { Timer } from '../contract/clock.ts'
import { Agenda } from './agenda.ts'
import type { IoClock } from './io-clock.ts'
import { Random } from './random.ts'

export interface VirtualClockOptions {
  /** Milliseconds since 1970 at the start. Default: the first of January 2026. */
  wall?: number
  /** Where the pool's jitter comes from. Default: one that starts from seed 0, so that every run is the same. */
  random?: Random
  /**
   * Lets promises settle after each callback. Default: `eventLoopTurn`; `promiseJobs` is five times as fast and enough where
   * nothing but promises is involved.
   */
  settle?: () => Promise<void>
}

// Taken when the module is loaded: fake timers that a test runner puts in place later must not stop this clock.
const { setImmediate } = globalThis
const { nextTick } = process

/** Comes back when all promise chains have run to where they wait for the outside, however long they are. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The same without giving the event loop a turn: what waits for real I/O or a real timer does not get on. */
export function promiseJobs(): Promise<void> {
  return new Promise((resolve) => nextTick(resolve))
}

/** So many callbacks without time passing can only be a loop. */
const STUCK_AFTER = 100_000

/**
 * Time that passes when a test says so, with the turns of an event loop: in each turn the timers that are due, then the
 * I/O that has arrived, then what waited for that with `afterPoll`. Promises settle after every single callback.
 */
export class VirtualClock implements IoClock {
  readonly #epoch: number
  readonly #random: Random
  readonly #settle: () => Promise<void>
  readonly #timers = new Agenda()
  readonly #arrivals = new Agenda()
  #afterPoll: (() => void)[] = []
  /** What this clock shows; it stands still while the machine sleeps. */
  #now = 0
  /** The time that has passed outside, where servers live. */
  #world = 0
  #order = 0
  #turn: 'none' | 'timers' | 'poll' | 'check' = 'none'
  /** Entries from this number on were made in the present phase and wait for the next turn. */
  #firstNew = 0
  #checking: (() => void)[] = []
  #sinceTimeMoved = 0

  constructor(options: VirtualClockOptions = {}) {
    this.#epoch = options.wall ?? Date.UTC(2026, 0, 1)
    this.#random = options.random ?? new Random(0)
    this.#settle = options.settle ?? eventLoopTurn
  }

  now(): number {
    return this.#now
  }

  wall(): number {
    return this.#epoch + this.#world
  }

  random(): number {
    return this.#random.next()
  }

  after(ms: number, run: () => void): Timer {
    return this.#timers.add(this.#now + delay(ms), this.#order++, run)
  }

  afterPoll(run: () => void): void {
    this.#afterPoll.push(run)
  }

  io(ms: number, run: () => void): Timer {
    return this.#arrivals.add(this.#world + delay(ms), this.#order++, run)
  }

  /** Timers that are neither fired nor cancelled, and `afterPoll` callbacks. */
  get pending(): number {
    return this.#timers.size + this.#afterPoll.length + this.#checking.length
  }

  /** Those of the pending that keep the process alive. */
  get referenced(): number {
    return this.pending - this.#timers.size + this.#timers.referenced
  }

  /** Answers that are still under way. */
  get arriving(): number {
    return this.#arrivals.size
  }

  /** Lets time pass: what becomes due runs, each at its time. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + delay(ms)
    await this.#settle()
    while (this.step(target)) await this.#settle()
    this.#passTo(target)
  }

  /** Lets time pass until the promise settles, and gives what it gives. At most an hour, unless told otherwise. */
  async until<T>(promise: Promise<T>, { withinMs = 3_600_000 }: { withinMs?: number } = {}): Promise<T> {
    const target = this.#now + delay(withinMs)
    let settled = false
    const settle = () => {
      settled = true
    }
    promise.then(settle, settle)
    await this.#settle()
    while (!settled) {
      if (!this.step(target)) {
        throw new Error(
          this.#next() === undefined
            ? 'nothing is left to happen, and the promise has not settled'
            : `the promise has not settled within ${withinMs} ms`,
        )
      }
      await this.#settle()
    }
    return promise
  }

  /** Lets time pass until nothing is left to happen. */
  async runAll(): Promise<void> {
    await this.#settle()
    for (let count = 0; this.step(); count++) {
      if (count === STUCK_AFTER)
        throw new Error(`something is still to happen after ${STUCK_AFTER} callbacks`)
      await this.#settle()
    }
  }

  /** `advance` without promises: nothing settles between the callbacks. */
  tick(ms: number): void {
    const target = this.#now + delay(ms)
    while (this.step(target));
    this.#passTo(target)
  }

  /** Runs the next callback that is due until `target`, moving time to it; false when there is none. */
  step(target = Number.POSITIVE_INFINITY): boolean {
    for (;;) {
      const run = this.#nextOfPhase()
      if (run !== undefined) {
        if (++this.#sinceTimeMoved > STUCK_AFTER) {
          throw new Error(`time stands still: ${STUCK_AFTER} callbacks in a row were due at once`)
        }
        run()
        return true
      }
      if (!this.#nextPhase(target)) return false
    }
  }

  /** The event loop is blocked: time passes and nothing runs. What became due runs late, at the next `advance`. */
  block(ms: number): void {
    this.#pass(delay(ms))
  }

  /**
   * The world goes on without us. A stopped `process` finds both clocks moved; on a `machine` that slept, the monotonic
   * clock stood still.
   */
  suspend(ms: number, what: 'process' | 'machine' = 'process'): void {
    if (what === 'process') this.#pass(delay(ms))
    else this.#world += delay(ms)
  }

  #nextOfPhase(): (() => void) | undefined {
    if (this.#turn === 'timers') return this.#due(this.#timers, this.#now)
    if (this.#turn === 'poll') return this.#due(this.#arrivals, this.#world)
    return this.#checking.shift()
  }

  #due(agenda: Agenda, now: number): (() => void) | undefined {
    const entry = agenda.peek()
    if (entry === undefined || entry.at > now || entry.order >= this.#firstNew) return undefined
    agenda.shift()
    return entry.take()
  }

  #nextPhase(target: number): boolean {
    this.#firstNew = this.#order
    if (this.#turn === 'timers') {
      this.#turn = 'poll'
    } else if (this.#turn === 'poll' && this.#afterPoll.length > 0) {
      this.#turn = 'check'
      this.#checking = this.#afterPoll
      this.#afterPoll = []
    } else {
      this.#turn = 'none'
      const wait = this.#next()
      if (wait === undefined || (wait > 0 && wait > target - this.#now)) return false
      if (wait > 0) this.#moveToNext()
      this.#turn = 'timers'
    }
    return true
  }

  /** How long until something is due. */
  #next(): number | undefined {
    if (this.#afterPoll.length > 0) return 0
    const timer = this.#timers.peek()
    const arrival = this.#arrivals.peek()
    const wait = Math.min(
      timer === undefined ? Number.POSITIVE_INFINITY : timer.at - this.#now,
      arrival === undefined ? Number.POSITIVE_INFINITY : arrival.at - this.#world,
    )
    return wait === Number.POSITIVE_INFINITY ? undefined : Math.max(0, wait)
  }

  // Sets the clock that counts to the exact time of what is next: a sum of differences could round to just before it.
  #moveToNext(): void {
    const timer = this.#timers.peek()
    const arrival = this.#arrivals.peek()
    const untilTimer = timer === undefined ? Number.POSITIVE_INFINITY : timer.at - this.#now
    const untilArrival = arrival === undefined ? Number.POSITIVE_INFINITY : arrival.at - this.#world
    this.#pass(Math.min(untilTimer, untilArrival))
    if (timer !== undefined && untilTimer <= untilArrival) this.#now = timer.at
    if (arrival !== undefined && untilArrival <= untilTimer) this.#world = arrival.at
  }

  #passTo(target: number): void {
    if (target <= this.#now) return
    this.#pass(target - this.#now)
    this.#now = target
  }

  #pass(ms: number): void {
    if (ms <= 0) return
    this.#now += ms
    this.#world += ms
    this.#sinceTimeMoved = 0
  }
}

function delay(ms: number): number {
  if (typeof ms !== 'number' || Number.isNaN(ms))
    throw new RangeError(`a delay must be a number, not ${String(ms)}`)
  return Math.max(0, ms)
}
