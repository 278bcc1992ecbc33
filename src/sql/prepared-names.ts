/** At its fifth use on a connection a text has earned a prepared statement. */
const USES_BEFORE_PREPARE = 5
const MOST_NAMES = 100
/** Texts counted at the same time. */
const MOST_COUNTED = 500
/** PostgreSQL reads these when it prepares: the time would stay that of the first run. */
const TIME_IN_WORDS = /['$]\s*(?:now|today|tomorrow|yesterday)\b/i

interface Entry {
  uses: number
  name: string | undefined
  /** Without being told to. */
  readonly mayPrepare: boolean
}

let made = 0

/**
 * Behind a pooler that nobody has declared, another process may use the session that a name was made in. It must find an
 * error there rather than a statement of somebody else, so no two processes make the same name.
 */
function newName(): string {
  return `rockpool_${++made}_${Math.random().toString(36).slice(2)}`
}

/** Which statements have earned a name on one connection. */
export class PreparedNames {
  readonly #entries = new Map<string, Entry>()
  #names = 0

  /** The name to run this text under; undefined = unprepared. */
  nameFor(text: string, prepare: boolean | undefined): string | undefined {
    if (prepare === false) return undefined
    const entry = this.#entry(text)
    entry.uses++
    if (entry.name !== undefined) return entry.name
    if (prepare !== true && (entry.uses < USES_BEFORE_PREPARE || !entry.mayPrepare)) return undefined
    if (this.#names >= MOST_NAMES) return undefined
    this.#names++
    entry.name = newName()
    return entry.name
  }

  /** The server does not know the name any more, or its plan is invalid: the text starts anew under another. */
  forget(text: string): void {
    if (this.#entries.get(text)?.name !== undefined) this.#names--
    this.#entries.delete(text)
  }

  #entry(text: string): Entry {
    let entry = this.#entries.get(text)
    if (entry === undefined) {
      if (this.#entries.size >= MOST_COUNTED) this.#dropUnnamed()
      entry = { uses: 0, name: undefined, mayPrepare: !TIME_IN_WORDS.test(text) }
      this.#entries.set(text, entry)
    }
    return entry
  }

  #dropUnnamed(): void {
    for (const [text, { name }] of this.#entries) if (name === undefined) this.#entries.delete(text)
  }
}
