/** What the text of a statement tells about it. */
export interface TextFacts {
  /** Set for statements that need a session of one's own: the word, and what to use instead. */
  readonly session: { readonly word: string; readonly instead: string } | undefined
  /** It changes the session: the connection needs a full reset before somebody else gets it. */
  readonly taints: boolean
}

const MOST_TEXTS = 1_000

const TRANSACTION_WORDS = new Set(['START', 'COMMIT', 'END', 'ROLLBACK', 'ABORT', 'SAVEPOINT', 'RELEASE'])
const SESSION_WORDS = new Set(['LISTEN', 'UNLISTEN', 'DECLARE', 'FETCH', 'LOCK', 'UNLOCK', 'HANDLER'])
const TAINTING_WORDS = new Set([
  'SET',
  'RESET',
  'PREPARE',
  'DEALLOCATE',
  'DO',
  'CALL',
  'USE',
  'LOAD',
  'DISCARD',
  'EXEC',
  'EXECUTE',
  'ATTACH',
  'DETACH',
  'PRAGMA',
])
/** Parts of a statement that leave something behind in the session, wherever they stand. */
const TAINTING =
  /\b(?:temp|temporary|set_config|(?:try_)?advisory_lock|pg_(?:try_)?advisory_lock(?:_shared)?|get_lock|dblink_connect)\b/i
/** `BEGIN` also opens a block of a procedural language, which is no transaction. */
const BEGINS_TRANSACTION =
  /^BEGIN\s*(?:$|;|WORK\b|TRAN\b|TRANSACTION\b|ISOLATION\b|READ\b|NOT\b|DEFERRABLE\b|DEFERRED\b|IMMEDIATE\b|EXCLUSIVE\b|CONCURRENT\b)/i

/** Remembers what was read from the texts of statements; the least recently learnt are forgotten. */
export class TextBook {
  readonly #facts = new Map<string, TextFacts>()

  look(text: string): TextFacts {
    const known = this.#facts.get(text)
    if (known !== undefined) return known
    const facts = read(text)
    if (this.#facts.size >= MOST_TEXTS) {
      const [oldest] = this.#facts.keys()
      this.#facts.delete(oldest as string)
    }
    this.#facts.set(text, facts)
    return facts
  }
}

function read(text: string): TextFacts {
  const bare = text.slice(startOf(text))
  const word = (/^[a-z]+/i.exec(bare)?.[0] ?? '').toUpperCase()
  if (TRANSACTION_WORDS.has(word) || BEGINS_TRANSACTION.test(bare)) {
    return { session: { word, instead: 'pool.transaction() or pool.use()' }, taints: false }
  }
  if (SESSION_WORDS.has(word)) return { session: { word, instead: 'pool.use()' }, taints: false }
  return { session: undefined, taints: TAINTING_WORDS.has(word) || TAINTING.test(bare) }
}

/** Where the first word stands: after blanks, comments and opening parentheses. */
function startOf(text: string): number {
  const skipped = /^(?:[\s(;]+|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/.exec(text)
  return skipped?.[0].length ?? 0
}
