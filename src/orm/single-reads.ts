import { readText } from '../sql/text-reader.ts'

const MOST_TEXTS = 1_000

/** What tells connections apart: whoever asks for it may hold one, and mean that one. */
const TELLS_CONNECTION = /\b(?:pg_backend_pid|current_setting)\b/i

/** Knows by its text whether a statement, if it is the only one, could run on any connection. */
export class SingleReads {
  readonly #known = new Map<string, boolean>()

  has(text: string): boolean {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const isRead = readText(text).onlyReads && !TELLS_CONNECTION.test(text)
    if (this.#known.size >= MOST_TEXTS) this.#known.clear()
    this.#known.set(text, isRead)
    return isRead
  }
}
