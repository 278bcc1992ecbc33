import type { Clock } from '../contract/clock.ts'
import { QueryTimeoutError } from '../contract/errors.ts'

/** What ends a statement early. */
export interface Limits {
  signal?: AbortSignal
  /** How long it may run, and the whole time that was given, for the error. */
  timeout?: { leftMs: number; givenMs: number }
}

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
    return this.#runLimited(start, limits)
  }

  /** Nothing else starts before this has settled. It must not reject. */
  occupy(until: Promise<void>): void {
    this.#tail = until
    until.then(() => {
      if (this.#tail === until) this.#tail = undefined
    })
  }

  #runLimited<T>(start: () => Promise<T>, { signal, timeout }: Limits): Promise<T> {
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const { clock, name, cancel } = this.#parts
    return new Promise((resolve, reject) => {
      let state: 'waiting' | 'running' | 'over' = 'waiting'
      let cancelled: Promise<void> | undefined
      const onAbort = () => stop(signal?.reason)
      const onTimeout = (givenMs: number) => {
        // Had the loop been blocked, the answer may have arrived: one poll, then judge.
        clock.afterPoll(() => {
          if (state !== 'over') stop(new QueryTimeoutError(name, givenMs))
        })
      }
      const timer =
        timeout === undefined || timeout.leftMs === Number.POSITIVE_INFINITY
          ? undefined
          : clock.after(timeout.leftMs, () => onTimeout(timeout.givenMs))
      const finish = () => {
        state = 'over'
        timer?.cancel()
        signal?.removeEventListener('abort', onAbort)
      }
      const stop = (reason: unknown) => {
        if (state === 'running') cancelled = cancel?.().catch(ignore)
        finish()
        reject(reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      const execute = async () => {
        if (state === 'over') return
        state = 'running'
        try {
          resolve(await start())
        } catch (error) {
          reject(error)
        }
        finish()
        await cancelled
      }
      this.occupy(this.#tail === undefined ? execute() : this.#tail.then(execute))
    })
  }
}
