import type { QueryResult } from '../../contract/sql-driver.ts'
import type { Breath } from './breath.ts'
import type { Engine, Outcome } from './engine.ts'
import { isBusy, isRefusedWrite } from './errors.ts'
import { isFast, learnRead, type TextFacts } from './texts.ts'

/**
 * The reader in the calling thread, for reads known to be faster than a message to another one. All sessions share it: it
 * is used for one statement at a time and never within a transaction, so nobody can see anything of anybody else.
 */
export class NearReader {
  readonly #open: () => Engine
  readonly #breath: Breath
  readonly #mayRead: () => boolean
  #engine: Engine | undefined = undefined
  #users = 0

  /** @param mayRead false while a transaction that others must not see is open on the same connection */
  constructor(open: () => Engine, breath: Breath, mayRead: () => boolean) {
    this.#open = open
    this.#breath = breath
    this.#mayRead = mayRead
  }

  /** Sessions that are open; the reader lives no longer than the last of them. */
  retain(): void {
    this.#users++
  }

  release(): void {
    this.#users--
    if (this.#users === 0) this.drop()
  }

  drop(): void {
    const engine = this.#engine
    this.#engine = undefined
    engine?.close()
  }

  /** The result, if the text is one for this reader and it is not time to let others go first. */
  answer(facts: TextFacts, text: string, params: readonly unknown[]): QueryResult | undefined {
    if (!isFast(facts) || this.#users === 0 || !this.#mayRead()) return undefined
    const start = performance.now()
    if (this.#breath.isShort(start)) return undefined
    const engine = this.#opened()
    if (engine === undefined) return undefined
    let outcome: Outcome
    try {
      engine.allowWrites(false)
      outcome = engine.run(text, params)
    } catch (error) {
      // The one that reads is not what it was (a view may have become something else), or is locked: it goes the long way.
      if (isRefusedWrite(error)) facts.verdict = 'unknown'
      if (isRefusedWrite(error) || isBusy(error)) return undefined
      throw error
    }
    learnRead(facts, performance.now() - start, true)
    return resultOf(facts, outcome)
  }

  /** Where it cannot be opened, locked or gone, nobody is worse off than without it. */
  #opened(): Engine | undefined {
    if (this.#engine !== undefined) return this.#engine
    try {
      this.#engine = this.#open()
    } catch {
      return undefined
    }
    return this.#engine
  }
}

export function resultOf(facts: TextFacts, { rows, names, changes, insertId }: Outcome): QueryResult {
  const fields = new Array<{ name: string }>(names.length)
  for (let i = 0; i < names.length; i++) fields[i] = { name: names[i] as string }
  const reads = names.length > 0
  const result: QueryResult = { rows, rowCount: reads ? rows.length : facts.changes ? changes : 0, fields }
  if (!reads && facts.inserts && changes > 0 && insertId !== undefined) result.insertId = insertId
  return result
}
