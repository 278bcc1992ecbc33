import { isScript } from './script.ts'

const MOST_TEXTS = 1_000
/** A read that takes less is done in the calling thread: the way to another one and back takes longer. */
const FAST_MS = 0.1
/** A read in the calling thread that takes longer holds up everything else. */
const HOLDUP_MS = 5
/** Runs that must have been fast before the first one in the calling thread. */
const PROBATION = 2
const WEIGHT = 0.3

/** What is known of the text of a statement: read from it at first, then learnt. */
export interface TextFacts {
  /** Several statements in one text. */
  readonly script: boolean
  /** Its result is made of rows, read one by one; nothing in it looks like a write. */
  readonly byRows: boolean
  /** It reads or makes what only this session has: not for another connection. */
  readonly personal: boolean
  /** It leaves something behind in the session that later statements may need. */
  readonly leaves: boolean
  /** Inserts, whose key is of interest. */
  readonly inserts: boolean
  /** Changes rows, whose number is of interest. */
  readonly changes: boolean
  /** A connection that refuses writes took it (`reads`), or refused it (`writes`). */
  verdict: 'unknown' | 'reads' | 'writes'
  averageMs: number
  /** Fast runs still to come before the calling thread may run it. */
  probation: number
}

/** Remembers what was learnt about texts; the oldest are forgotten. */
export class Texts {
  readonly #facts = new Map<string, TextFacts>()

  look(text: string): TextFacts {
    const known = this.#facts.get(text)
    if (known !== undefined) return known
    const facts = read(text)
    if (this.#facts.size >= MOST_TEXTS) this.#facts.delete(this.#facts.keys().next().value as string)
    this.#facts.set(text, facts)
    return facts
  }
}

/** Known to read, whatever the connection, and to be done before a message could have been sent. */
export function isFast(facts: TextFacts): boolean {
  return (
    facts.byRows &&
    !facts.personal &&
    facts.verdict === 'reads' &&
    facts.probation === 0 &&
    facts.averageMs < FAST_MS
  )
}

/** A read took so long; `here`: in the calling thread. */
export function learnRead(facts: TextFacts, ms: number, here: boolean): void {
  facts.verdict = 'reads'
  facts.averageMs += facts.averageMs === 0 ? ms : (ms - facts.averageMs) * WEIGHT
  // What it has cost everybody is spread over so many runs that each is fast again.
  if (here && ms > HOLDUP_MS) facts.probation = Math.ceil(ms / FAST_MS)
  else if (ms < FAST_MS && facts.probation > 0) facts.probation--
}

const WRITES = /\b(?:insert|update|delete|replace)\b/i
const LEAVES = /\b(?:temp|temporary|attach|detach|pragma|savepoint|load_extension)\b/i
const PERSONAL = /\b(?:last_insert_rowid|changes|total_changes)\b/i

function read(text: string): TextFacts {
  const word = (/^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*([a-z]+)/i.exec(text)?.[1] ?? '').toUpperCase()
  const writes = WRITES.test(text)
  return {
    script: isScript(text),
    byRows: ['SELECT', 'VALUES', 'EXPLAIN', 'PRAGMA'].includes(word) || (word === 'WITH' && !writes),
    personal: LEAVES.test(text) || PERSONAL.test(text),
    leaves: LEAVES.test(text),
    inserts: word === 'INSERT' || word === 'REPLACE' || (word === 'WITH' && /\binsert\b/i.test(text)),
    changes: ['INSERT', 'UPDATE', 'DELETE', 'REPLACE'].includes(word) || (word === 'WITH' && writes),
    verdict: 'unknown',
    averageMs: 0,
    probation: PROBATION,
  }
}
