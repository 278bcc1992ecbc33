/** How long statements may follow each other in the calling thread before others get their turn. */
const MOST_MS = 4

/**
 * Statements that end at once only ever give way to microtasks: a program that awaits a thousand of them would hold up
 * timers and sockets until the last one. So after a while the next one waits for a turn of the event loop.
 */
export class Breath {
  #since: number | undefined = undefined
  #rest: Promise<void> | undefined = undefined

  /** True when it is time to let go. @param now of `performance.now()` */
  isShort(now: number): boolean {
    if (this.#since !== undefined) return now - this.#since > MOST_MS
    this.#since = now
    void this.rest()
    return false
  }

  /** Resolves in the next turn of the event loop. */
  rest(): Promise<void> {
    this.#rest ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#since = undefined
        this.#rest = undefined
        resolve()
      })
    })
    return this.#rest
  }
}
