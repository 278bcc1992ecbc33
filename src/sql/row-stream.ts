import { whenAborted } from '../pool/when-aborted.ts'
import type { Line } from './line.ts'

export interface RowSource<R> {
  line: Line
  /** Throws when the lease has ended. */
  enter(): void
  open(): AsyncIterable<R>
  signal: AbortSignal | undefined
  cancel: (() => Promise<void>) | undefined
  judge(error: unknown): unknown
}

const ignore = () => {}

/** The rows of a large result, as they are asked for. The connection is occupied until the last one, or an early end. */
export async function* rowsOf<R>({
  line,
  enter,
  open,
  signal,
  cancel,
  judge,
}: RowSource<R>): AsyncGenerator<R, void, undefined> {
  signal?.throwIfAborted()
  enter()
  const turn = line.quiet
  let letGo: () => void = ignore
  line.occupy(new Promise((resolve) => (letGo = resolve)))
  let rows: AsyncIterator<R> | undefined
  let cancelled: Promise<void> | undefined
  const patience = signal === undefined ? undefined : new Patience(signal)
  try {
    await (patience === undefined ? turn : patience.with(turn))
    rows = open()[Symbol.asyncIterator]()
    for (;;) {
      const next = await (patience === undefined ? rows.next() : patience.with(rows.next()))
      if (next.done === true) return
      yield next.value
    }
  } catch (error) {
    if (signal?.aborted === true) {
      if (rows !== undefined) cancelled = cancel?.().catch(ignore)
      throw signal.reason
    }
    throw judge(error)
  } finally {
    patience?.end()
    // Who has stopped early waits until the connection is usable; who was aborted does not wait for the server.
    const end = Promise.all([turn, rows?.return?.(), cancelled]).then(letGo, letGo)
    if (signal?.aborted !== true) await end
  }
}

/**
 * Waits for one thing after the other, each until the signal is aborted. What has been waited for is forgotten: with
 * `Promise.race` a signal that is never aborted would keep something of every row.
 */
class Patience {
  readonly #signal: AbortSignal
  #give: ((reason: unknown) => void) | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    whenAborted(signal, this.#onAbort)
  }

  with<T>(running: Promise<T> | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#give = reject
      Promise.resolve(running as Promise<T>).then(resolve, reject)
      if (this.#signal.aborted) this.#onAbort()
    })
  }

  end(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
  }

  readonly #onAbort = (): void => this.#give?.(this.#signal.reason)
}
