import type { Clock } from '../contract/clock.ts'
import { type Limits, within } from './limits.ts'

export interface LineParts {
  name: string
  clock: Clock
  /** Asks the server to stop what runs; resolves when that can no longer hit anything. */
  cancel: (() => Promise<void>) | undefined
}

const ignore = () => {}

/**
 * The statements of one connection, one after another: a driver that gets the second while the first runs would queue it
 * or fail. It knows when the connection is quiet.
 */
export class Line {
  readonly #parts: LineParts
  /** Settles when the last statement has ended and its cancel can no longer hit; undefined = nothing runs. */
  #tail: Promise<void> | undefined = undefined

  constructor(parts: LineParts) {
    this.#parts = parts
  }

  get quiet(): Promise<void> | undefined {
    return this.#tail
  }

  /** Runs `start` when it is its turn. With limits the result may reject long before the statement has ended. */
  run<T>(start: () => Promise<T>, limits?: Limits): Promise<T> {
    if (limits?.signal === undefined && limits?.timeout === undefined) {
      const result = this.#tail === undefined ? start() : this.#tail.then(start)
      this.occupy(result.then(ignore, ignore))
      return result
    }
    if (limits.signal?.aborted === true) return Promise.reject(limits.signal.reason)
    return this.#runLimited(start, limits)
  }

  /** Nothing else starts before this has settled. It must not reject. */
  occupy(until: Promise<void>): void {
    this.#tail = until
    until.then(() => {
      if (this.#tail === until) this.#tail = undefined
    })
  }

  #runLimited<T>(start: () => Promise<T>, limits: Limits): Promise<T> {
    const { name, clock, cancel } = this.#parts
    let state: 'waiting' | 'running' | 'stopped' = 'waiting'
    let cancelled: Promise<void> | undefined
    const execute = async () => {
      // Who has left the line before his turn sends nothing, and nobody looks at the result.
      if (state === 'stopped') return undefined as T
      state = 'running'
      return start()
    }
    const onStop = () => {
      if (state === 'running') cancelled = cancel?.().catch(ignore)
      state = 'stopped'
    }
    const running = this.#tail === undefined ? execute() : this.#tail.then(execute)
    this.occupy(running.then(ignore, ignore).then(() => cancelled))
    return within(running, limits, { name, clock, onStop })
  }
}
