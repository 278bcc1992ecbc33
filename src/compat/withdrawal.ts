/** What a pool registers: `handleEvent` takes the acquire back. */
interface Listener {
  handleEvent(): void
}

/**
 * How a caller takes an acquire back. The part of an AbortSignal that a pool looks at: a real one for every acquire costs
 * as much as the acquire.
 */
export class Withdrawal {
  aborted = false
  reason: unknown = undefined
  #listener: Listener | undefined = undefined

  /** The same object, as pools want it. */
  get signal(): AbortSignal {
    return this as unknown as AbortSignal
  }

  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.#listener?.handleEvent()
  }

  addEventListener(_: 'abort', listener: Listener): void {
    this.#listener = listener
  }

  removeEventListener(): void {
    this.#listener = undefined
  }
}
