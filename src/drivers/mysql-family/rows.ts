import type { Row } from '../../contract/sql-driver.ts'
import type { Killer } from './kill.ts'
import type { Link } from './link.ts'

/** What of a result is left over at an early end may be read to its end that long, rather than stopped. */
const DRAIN_MS = 50

/** How a package is told to wait and to go on. */
export interface Flow {
  pause(): void
  resume(): void
}

/** Rows on their way from the package, which pushes, to a reader, who pulls: `batch` of them wait at most, and what has arrived with them. */
export class RowReader {
  readonly #batch: number
  #rows: Row[] = []
  #flow: Flow | undefined
  #isPaused = false
  #isDiscarding = false
  #end: { error: unknown } | undefined
  #change: () => void = () => undefined

  constructor(batch: number) {
    this.#batch = batch
  }

  push(row: Row): void {
    if (this.#isDiscarding) return
    this.#rows.push(row)
    if (this.#rows.length >= this.#batch && !this.#isPaused) {
      this.#isPaused = true
      this.#flow?.pause()
    }
    this.#change()
  }

  finish(error?: unknown): void {
    this.#end ??= { error }
    this.#change()
  }

  async *read(link: Link, killer: Killer, open: () => Flow): AsyncGenerator<Row, void, undefined> {
    const forget = link.onEnd((error) => this.finish(error))
    try {
      this.#flow = open()
      for (;;) {
        const rows = this.#rows
        this.#rows = []
        for (const row of rows) yield row
        if (this.#rows.length > 0) continue
        if (this.#end !== undefined) break
        this.#goOn()
        if (this.#rows.length === 0 && this.#end === undefined) await this.#changed()
      }
      if (this.#end.error !== undefined) throw this.#end.error
    } finally {
      await this.#drain(link, killer)
      forget()
    }
  }

  /** Leaves the connection usable: the rest of the result must arrive before anything else can. */
  async #drain(link: Link, killer: Killer): Promise<void> {
    if (this.#flow === undefined || this.#end !== undefined) return
    this.#isDiscarding = true
    this.#rows = []
    this.#goOn()
    const late = setTimeout(() => void killer.cancel(link).catch(() => undefined), DRAIN_MS)
    while (this.#end === undefined) await this.#changed()
    clearTimeout(late)
  }

  #goOn(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#flow?.resume()
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#change = resolve
    })
  }
}
