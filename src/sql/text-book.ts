import { type Reading, readText } from './text-reader.ts'

const MOST_TEXTS = 1_000
/** Above this, others should not have to stand behind a statement. */
const FAST_MS = 5
/** A run counts as no longer than this: once in a while a machine stands still, and that says nothing of the text. */
const LONGEST_MS = 2 * FAST_MS
/** So many runs of a text go apart after something has gone wrong together. */
const APART = 1_000
/** How much the latest run counts. */
const WEIGHT = 0.2

/** What is known of one text: what was read from it, and how long the server takes for it. */
export class TextEntry {
  readonly reading: Reading
  #serviceMs: number | undefined = undefined
  #barred = false
  #apart = 0

  constructor(reading: Reading) {
    this.reading = reading
  }

  /** It may stand in a lane with others. The first runs of a text are its own, to be measured. */
  get mayShare(): boolean {
    return (
      this.#serviceMs !== undefined && this.#serviceMs < FAST_MS && this.reading.onlyReads && !this.#barred
    )
  }

  /** Worth measuring: it could share a connection if it is fast. */
  get isCandidate(): boolean {
    return this.reading.onlyReads && !this.#barred
  }

  learn(ms: number): void {
    const counted = Math.min(ms, LONGEST_MS)
    this.#serviceMs ??= counted
    this.#serviceMs += WEIGHT * (counted - this.#serviceMs)
  }

  /** The next run shares an error boundary with others of this text that are sent at the same time. */
  goesTogether(): boolean {
    if (this.#apart === 0) return true
    this.#apart--
    return false
  }

  /** Each of the next runs has its own error boundary: with an error or a slow one among them all others would have to wait. */
  keepApart(): void {
    this.#apart = APART
  }

  /** It has changed the session's state although it looked like a read: never in a lane again. */
  bar(): void {
    this.#barred = true
  }
}

/** Remembers the texts of statements, bounded: the first learnt are the first forgotten. */
export class TextBook {
  readonly #entries = new Map<string, TextEntry>()

  look(text: string): TextEntry {
    const known = this.#entries.get(text)
    if (known !== undefined) return known
    const entry = new TextEntry(readText(text))
    if (this.#entries.size >= MOST_TEXTS) {
      const [oldest] = this.#entries.keys()
      this.#entries.delete(oldest as string)
    }
    this.#entries.set(text, entry)
    return entry
  }
}
