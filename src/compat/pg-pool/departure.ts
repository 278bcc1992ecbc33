import type { Pool } from '../../contract/pool.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import type { Checkout } from './checkout.ts'

const LOOK_EVERY_MS = 1_000

export interface DepartureParts {
  readonly pool: Pool<PgClient>
  readonly ownsPool: boolean
  /** Callers that came before the end and still wait for a client. */
  readonly waiting: () => number
  /** Nobody waits, nothing is out. */
  readonly isQuiet: () => boolean
  readonly checkouts: Iterable<Checkout>
  /** Milliseconds for which a client may be checked out and do nothing. */
  readonly unusedLimitMs: number
}

/**
 * The end of a pool: those who wait are served, what runs may finish; but a client that somebody has forgotten is not waited
 * for without end.
 */
export class Departure {
  readonly done: Promise<void>
  readonly #parts: DepartureParts
  readonly #timer: NodeJS.Timeout | undefined
  #finish: () => void = () => undefined
  #isClosing = false

  constructor(parts: DepartureParts) {
    this.#parts = parts
    this.done = new Promise((resolve) => {
      this.#finish = resolve
    })
    const { unusedLimitMs } = parts
    const every = Math.min(LOOK_EVERY_MS, Math.max(1, unusedLimitMs / 4))
    this.#timer =
      unusedLimitMs === Number.POSITIVE_INFINITY ? undefined : setInterval(() => this.#sweep(), every)
    this.look()
  }

  /** Something has come back, or somebody no longer waits. */
  look(): void {
    const { ownsPool, waiting, isQuiet } = this.#parts
    if (!ownsPool) {
      if (isQuiet()) this.#end()
    } else if (waiting() === 0 && !this.#isClosing) {
      this.#isClosing = true
      void this.#close()
    }
  }

  async #close(): Promise<void> {
    await this.#parts.pool.close({ drainTimeoutMs: Number.POSITIVE_INFINITY })
    this.#end()
  }

  #sweep(): void {
    const { checkouts, unusedLimitMs } = this.#parts
    for (const checkout of checkouts) if (checkout.unusedMs >= unusedLimitMs) checkout.takeBack()
  }

  #end(): void {
    clearInterval(this.#timer)
    this.#finish()
  }
}
