type Listener = (() => void) | { handleEvent(): void }

/** Listeners on all the signals of one run: there must be none in the end. */
export interface ListenerCount {
  listening: number
}

/** The part of `AbortSignal` that a pool uses, which counts who listens. */
export class CountedSignal {
  aborted = false
  reason: unknown = undefined
  readonly #count: ListenerCount
  /** Most signals hear of nobody. */
  #listeners: Set<Listener> | undefined = undefined

  constructor(count: ListenerCount) {
    this.#count = count
  }

  /** For options, which ask for the platform's own. */
  get asSignal(): AbortSignal {
    return this as unknown as AbortSignal
  }

  addEventListener(_: string, listener: Listener): void {
    this.#listeners ??= new Set()
    if (this.#listeners.has(listener)) return
    this.#listeners.add(listener)
    this.#count.listening++
  }

  removeEventListener(_: string, listener: Listener): void {
    if (this.#listeners?.delete(listener) === true) this.#count.listening--
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason
  }

  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    for (const listener of [...(this.#listeners ?? [])]) {
      // The pool listens once, wherever it listens.
      this.removeEventListener('abort', listener)
      if (typeof listener === 'function') listener()
      else listener.handleEvent()
    }
  }
}

/** The part of `AbortController` that a pool uses. */
class LightController {
  readonly signal = new CountedSignal({ listening: 0 })

  abort(reason: unknown): void {
    this.signal.abort(reason)
  }
}

/**
 * While this runs, the controllers of the whole program are light ones: the platform's cost more than all else that a
 * connect does here. For a program that does nothing but simulate.
 */
export async function withLightSignals<T>(run: () => Promise<T>): Promise<T> {
  const { AbortController } = globalThis
  globalThis.AbortController = LightController as unknown as typeof AbortController
  try {
    return await run()
  } finally {
    globalThis.AbortController = AbortController
  }
}
