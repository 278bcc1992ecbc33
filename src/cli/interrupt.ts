import { setMaxListeners } from 'node:events'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type Signal = (typeof SIGNALS)[number]

/** Somebody wants the program to stop, by a signal or by no longer reading its output (`| head`). */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly by: Signal | 'EPIPE'

  constructor(by: Signal | 'EPIPE') {
    super(`interrupted by ${by}`)
    this.by = by
  }
}

/** Turns interruptions into an AbortSignal, so that they take the same way out as everything else. */
export class Interrupt {
  readonly #controller = new AbortController()

  constructor() {
    setMaxListeners(0, this.signal)
    for (const name of SIGNALS) process.on(name, this.#onSignal)
    process.stdout.on('error', this.#onOutputError)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The outcome of `work`, or a rejection with `Interrupted`, whichever is first. */
  async during<T>(work: Promise<T>): Promise<T> {
    let stop: () => void = () => undefined
    const interrupted = new Promise<never>((_, reject) => {
      stop = () => reject(this.signal.reason)
      this.signal.addEventListener('abort', stop)
    })
    // Whichever loses must not be reported as unhandled.
    work.catch(() => undefined)
    try {
      return await Promise.race([work, interrupted])
    } finally {
      this.signal.removeEventListener('abort', stop)
    }
  }

  dispose(): void {
    for (const name of SIGNALS) process.off(name, this.#onSignal)
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    // Somebody is impatient: what exit handlers can do is done, the rest is the guard's.
    if (this.signal.aborted) process.exit(1)
    this.#controller.abort(new Interrupted(name as Signal))
  }

  readonly #onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error
    if (!this.signal.aborted) this.#controller.abort(new Interrupted('EPIPE'))
  }
}
