const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

/** Everything that happens in a run, as one number; and as lines, when somebody wants to read it. */
export class Trace {
  /** Undefined unless lines are wanted. */
  readonly lines: string[] | undefined
  readonly #now: () => number
  readonly #words = new Map<string, number>()
  #a = OFFSET
  #b = OFFSET ^ 0x5bd1e995

  constructor(now: () => number, { lines }: { lines: boolean }) {
    this.#now = now
    this.lines = lines ? [] : undefined
  }

  /** The same for the same events in the same order at the same times, on every runtime. */
  get hash(): string {
    return [this.#a, this.#b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')
  }

  note(what: string, who: number, detail: number | string = 0): void {
    this.#mix(this.#wordOf(what))
    this.#mix(who)
    this.#mix(typeof detail === 'number' ? detail : this.#wordOf(detail))
    // Microseconds, folded to 32 bits.
    this.#mix(Math.round(this.#now() * 1000) % 0xffffffff)
    this.lines?.push(
      `${this.#now().toFixed(3).padStart(12)}  #${who} ${what}${detail === 0 ? '' : ` ${detail}`}`,
    )
  }

  #wordOf(text: string): number {
    let word = this.#words.get(text)
    if (word === undefined) {
      word = OFFSET
      for (let at = 0; at < text.length; at++) word = Math.imul(word ^ text.charCodeAt(at), PRIME)
      this.#words.set(text, word)
    }
    return word
  }

  #mix(value: number): void {
    this.#a = Math.imul(this.#a ^ value, PRIME)
    this.#b = (Math.imul(this.#b ^ (value >>> 7) ^ this.#a, 0x85ebca6b) + value) | 0
  }
}
