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
  const stop = abortOf(signal)
  try {
    await (stop === undefined ? turn : Promise.race([turn, stop.happened]))
    rows = open()[Symbol.asyncIterator]()
    for (;;) {
      const next = await (stop === undefined ? rows.next() : Promise.race([rows.next(), stop.happened]))
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
    stop?.forget()
    // Who has stopped early waits until the connection is usable; who was aborted does not wait for the server.
    const end = Promise.all([turn, rows?.return?.(), cancelled]).then(letGo, letGo)
    if (signal?.aborted !== true) await end
  }
}

function abortOf(signal: AbortSignal | undefined): { happened: Promise<never>; forget(): void } | undefined {
  if (signal === undefined) return undefined
  let onAbort: () => void = ignore
  const happened = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  happened.catch(ignore)
  return { happened, forget: () => signal.removeEventListener('abort', onAbort) }
}
