import type { Clock } from '../contract/clock.ts'
import { type Limits, within } from './limits.ts'

const ignore = () => {}

/**
 * The statements of one connection, one after another: a driver that gets the second while the first runs would queue it
 * or fail. It knows when the connection is quiet.
 */
export class Line {
  readonly #name: string
  readonly #clock: Clock
  /** Asks the server to stop what runs; resolves when that can no longer hit anything. */
  readonly #cancel: (() => Promise<void>) | undefined
  /** Settles, one way or the other, when the last statement has ended and its cancel can no longer hit. */
  #tail: Promise<unknown> | undefined = undefined

  constructor(pool: { name: string; clock: Clock }, cancel: (() => Promise<void>) | undefined) {
    this.#name = pool.name
    this.#clock = pool.clock
    this.#cancel = cancel
  }

  /** Settles when nothing runs; undefined = nothing does. */
  get quiet(): Promise<void> | undefined {
    return this.#tail?.then(ignore, ignore)
  }

  /**
   * Runs `start` when it is its turn; `judge` makes of an error what the caller is to see. With limits the result may
   * reject long before the statement has ended.
   */
  run<T>(start: () => Promise<T>, judge: (error: unknown) => unknown, limits?: Limits): Promise<T> {
    if (limits?.signal === undefined && limits?.timeout === undefined) return this.#runFree(start, judge)
    if (limits.signal?.aborted === true) return Promise.reject(limits.signal.reason)
    return this.#runLimited(start, limits).catch((error) => {
      throw judge(error)
    })
  }

  /** One promise for the caller and for the line: the line is free when the caller hears of it. */
  #runFree<T>(start: () => Promise<T>, judge: (error: unknown) => unknown): Promise<T> {
    const running = this.#tail === undefined ? begun(start) : this.#tail.then(start, start)
    const settled: Promise<T> = running.then(
      (value) => {
        if (this.#tail === settled) this.#tail = undefined
        return value
      },
      (error) => {
        if (this.#tail === settled) this.#tail = undefined
        throw judge(error)
      },
    )
    this.#tail = settled
    return settled
  }

  /** Nothing else starts before this has settled. It must not reject. */
  occupy(until: Promise<void>): void {
    this.#tail = until
    until.then(() => {
      if (this.#tail === until) this.#tail = undefined
    })
  }

  #runLimited<T>(start: () => Promise<T>, limits: Limits): Promise<T> {
    let state: 'waiting' | 'running' | 'stopped' = 'waiting'
    let cancelled: Promise<void> | undefined
    const execute = async () => {
      // Who has left the line before his turn sends nothing, and nobody looks at the result.
      if (state === 'stopped') return undefined as T
      state = 'running'
      return start()
    }
    const onStop = () => {
      if (state === 'running') cancelled = this.#cancel?.().catch(ignore)
      state = 'stopped'
    }
    const running = this.#tail === undefined ? execute() : this.#tail.then(execute, execute)
    this.occupy(running.then(ignore, ignore).then(() => cancelled))
    return within(running, limits, { name: this.#name, clock: this.#clock, onStop })
  }
}

/** What a driver throws instead of rejecting is the same error. */
function begun<T>(start: () => Promise<T>): Promise<T> {
  try {
    return start()
  } catch (error) {
    return Promise.reject(error)
  }
}
