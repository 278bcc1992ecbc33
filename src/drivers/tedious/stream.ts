import type { Row } from '../../contract/sql-driver.ts'
import type { Column, TediousRequest } from './client.ts'
import type { Link } from './link.ts'
import { rowOf, send, valuesOf } from './query.ts'
import { cancel } from './session.ts'

/** Rows on their way from tedious, which pushes, to a reader, who pulls: `batch` of them wait at most, and what has arrived with them. */
class RowReader {
  readonly #batch: number
  #rows: Row[] = []
  #request: TediousRequest | undefined
  #isPaused = false
  #end: { error: unknown } | undefined
  #change: () => void = () => undefined

  constructor(batch: number) {
    this.#batch = batch
  }

  read(request: TediousRequest): void {
    this.#request = request
    request.on('row', (columns: Column[]) => this.#push(rowOf(columns)))
  }

  finish(error?: unknown): void {
    this.#end ??= { error }
    this.#change()
  }

  get isFinished(): boolean {
    return this.#end !== undefined
  }

  async *rows(): AsyncGenerator<Row, void, undefined> {
    for (;;) {
      const rows = this.#rows
      this.#rows = []
      yield* rows
      if (this.#rows.length > 0) continue
      if (this.#end !== undefined) break
      this.#goOn()
      if (this.#rows.length === 0 && this.#end === undefined) await this.#changed()
    }
    if (this.#end.error !== undefined) throw this.#end.error
  }

  #push(row: Row): void {
    this.#rows.push(row)
    if (this.#rows.length >= this.#batch && !this.#isPaused) {
      this.#isPaused = true
      this.#request?.pause()
    }
    this.#change()
  }

  #goOn(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#request?.resume()
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#change = resolve
    })
  }
}

/** A reader who leaves early has the server stop: an attention costs one round trip, however much is left. */
export async function* stream(
  link: Link,
  { sql, params, batch }: { sql: string; params: readonly unknown[]; batch: number },
): AsyncGenerator<Row, void, undefined> {
  if (link.isBusy) await link.quiet()
  link.assertWhole()
  const reader = new RowReader(batch)
  const values = valuesOf(link, { sql, params })
  send(link, { sql, params, values }, (request) => reader.read(request)).then(
    () => reader.finish(),
    (error) => reader.finish(error),
  )
  try {
    yield* reader.rows()
  } finally {
    if (!reader.isFinished) await cancel(link)
  }
}
