import type { FakeAnswer, FakeStatement } from '../fake-answers.ts'
import { FakeError } from '../fake-error.ts'
import type { FakeServer } from '../fake-server.ts'
import type { Law } from './law.ts'

/** Texts of which there are several, so that some are learnt as fast and some as slow. */
const PLAIN = 12

/** What the fake server knows, and what it has done for whom. */
export class Database {
  readonly #law: Law
  /** Writes that stand: no rollback has taken them back. */
  readonly #written = new Set<number>()
  readonly #acknowledged = new Set<number>()
  readonly #once = new Set<number>()
  readonly #executed = new Set<number>()

  constructor(server: FakeServer, law: Law) {
    this.#law = law
    server.answer(
      () => true,
      (statement) => this.#answer(statement),
    )
  }

  /** This write may run once only. */
  onlyOnce(token: number): void {
    this.#once.add(token)
  }

  /** The caller was told that this write has taken effect. */
  acknowledged(token: number): void {
    this.#acknowledged.add(token)
  }

  /** At the end: what was acknowledged is there. */
  audit(): void {
    for (const token of this.#acknowledged)
      this.#law.demand(this.#written.has(token), 'acknowledged writes stand', () => `write ${token}`)
  }

  #answer({ sql, params, session }: FakeStatement): FakeAnswer {
    const [token] = params as [number]
    const word = sql.slice(0, sql.indexOf(' '))
    if (word === 'select') return this.#select(sql, token)
    if (word === 'update') {
      if (this.#executed.has(token) && this.#once.has(token))
        this.#law.breaks('executed once', `statement ${token} ran again`)
      this.#executed.add(token)
      this.#written.add(token)
      session.onRollback(() => this.#written.delete(token))
      return { rowCount: 1 }
    }
    if (word === 'set') {
      session.memory.set('tainted', token)
      return {}
    }
    if (word === 'conflict') return { error: new FakeError('conflict', 'somebody else was faster') }
    if (word === 'fail') return { error: new FakeError('statement', 'no such table') }
    return { rows: Array.from({ length: token % 7 }, (_, n) => ({ n })) }
  }

  #select(sql: string, token: number): FakeAnswer {
    if (sql === TEXTS.read) return { rows: [{ v: token }] }
    if (sql === TEXTS.slow) return { rows: [{ v: token }], takesMs: 20 }
    const number = Number(sql.slice('select '.length))
    return number % 5 === 4 ? { rows: [{ v: number }], takesMs: number } : { rows: [{ v: number }] }
  }
}

/** The first parameter of each is the token of the one who sends it. */
export const TEXTS = {
  read: 'select $1',
  slow: 'select $1, 20',
  write: 'update things set v = $1',
  set: 'set x = $1',
  conflict: 'conflict $1',
  fail: 'fail $1',
  rows: 'rows $1',
}

/** A text without parameters, and what it must be answered. */
export function plainText(number: number): { text: string; answer: number } {
  const answer = number % PLAIN
  return { text: `select ${answer}`, answer }
}
