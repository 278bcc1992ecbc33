import { ConnectionLostError } from '../../../src/index.ts'
import type { Outcome } from './judge.ts'

/** `there` exactly once, `maybe` once, or `absent`. */
type Fate = 'there' | 'maybe' | 'absent'

/** What must be in the table at the end. */
export class Ledger {
  readonly #fates = new Map<number, Fate>()
  readonly #groups: (readonly number[])[] = []

  /** One statement has written this token, or not. */
  wrote(token: number, outcome: Outcome<unknown>): void {
    this.#fates.set(token, fateOfStatement(outcome))
  }

  /** A transaction has: all of its tokens, or none. */
  committed(tokens: readonly number[], outcome: Outcome<unknown>): void {
    const fate = fateOfTransaction(outcome)
    for (const token of tokens) this.#fates.set(token, fate)
    this.#groups.push(tokens)
  }

  /** It was rolled back. */
  undone(token: number): void {
    this.#fates.set(token, 'absent')
  }

  count(wanted: Fate): number {
    return [...this.#fates.values()].filter((fate) => fate === wanted).length
  }

  /** What the table has and should not, or the other way round. */
  differences(found: readonly { token: number; times: number }[]): string[] {
    const times = new Map(found.map((row) => [row.token, row.times]))
    const wrong: string[] = []
    for (const [token, fate] of this.#fates) {
      const seen = times.get(token) ?? 0
      const isRight = fate === 'there' ? seen === 1 : seen <= (fate === 'maybe' ? 1 : 0)
      if (!isRight) wrong.push(`token ${token}, which should be ${fate}, is there ${seen} times`)
    }
    for (const token of times.keys()) {
      if (!this.#fates.has(token)) wrong.push(`nobody wrote token ${token}`)
    }
    for (const tokens of this.#groups) {
      const seen = tokens.filter((token) => times.has(token)).length
      if (seen !== 0 && seen !== tokens.length)
        wrong.push(`of the transaction ${tokens} only ${seen} are there`)
    }
    return wrong
  }
}

/** Given up while it may have been on its way, or cut off. */
const UNKNOWN = ['ABORTED', 'QUERY_TIMEOUT', 'COMMIT_UNKNOWN']

function fateOfStatement(outcome: Outcome<unknown>): Fate {
  if ('value' in outcome) return 'there'
  if (outcome.error instanceof ConnectionLostError)
    return outcome.error.executed === 'no' ? 'absent' : 'maybe'
  return UNKNOWN.includes(outcome.code) ? 'maybe' : 'absent'
}

/** Whatever ends it before COMMIT is sent ends it for good. */
function fateOfTransaction(outcome: Outcome<unknown>): Fate {
  if ('value' in outcome) return 'there'
  return outcome.code === 'COMMIT_UNKNOWN' ? 'maybe' : 'absent'
}
