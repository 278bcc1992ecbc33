/**
 * The one door through which time enters. Pools run on the system's clock unless a test hands them another one.
 */
export interface Clock {
  /** Milliseconds that never run backwards; only differences mean anything. */
  now(): number
  /** `now`, or where it is asked thousands of times in one turn of the event loop a time a few questions old. Default: `now`. */
  glance?(): number
  /** Milliseconds since 1970. Compared only with itself, to notice a process that was suspended. */
  wall?(): number
  /** Calls `run` once, after at least `ms` milliseconds. */
  after(ms: number, run: () => void): Timer
  /** Chance from 0 to below 1, for jitter. Default: `Math.random`. */
  random?(): number
  /** Calls `run` after exactly one poll for I/O, so that what has already arrived is seen first. */
  afterPoll(run: () => void): void
}

/** What `after` has started. */
export interface Timer {
  /** Does nothing once the timer has fired. */
  cancel(): void
  /** Keeps the process alive until the timer fires: how a timer starts. */
  ref(): void
  /** Lets the process end although the timer runs. */
  unref(): void
}
