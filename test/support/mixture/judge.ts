import { ConnectionLostError, PoolError, type QueryOptions } from '../../../src/index.ts'

/** What may become of one call, besides that it succeeds. */
export interface Expectation {
  /** What it is, for the report. */
  readonly kind: string
  readonly limits?: QueryOptions
  /** Codes that it may fail with of its own. */
  readonly may?: readonly string[]
  /** It must fail, with one of these codes or by what befalls the connection. */
  readonly must?: readonly string[]
  /** It runs on a lease: what was surely not executed cannot be run again elsewhere. */
  readonly held?: boolean
}

/** What became of a call: a value, or a code and the error. */
export type Outcome<T> = { readonly value: T } | { readonly code: string; readonly error: unknown }

const MOST_TOLD = 20

/** Watches calls: each must settle, with what is its own or with an error that it may have. */
export class Judge {
  /** Calls that have been made. */
  started = 0
  settled = 0
  /** What is not as it must be. */
  readonly wrong: string[] = []
  readonly codes = new Map<string, number>()
  readonly #open = new Map<number, string>()
  #tokens = 0

  /** A number that nobody else has. */
  token(): number {
    return ++this.#tokens
  }

  /** Calls that have not settled, for a report. */
  get open(): string[] {
    return [...this.#open.values()]
  }

  assert(holds: boolean, problem: () => string): void {
    if (holds) return
    if (this.wrong.length < MOST_TOLD) this.wrong.push(problem())
    else this.wrong[MOST_TOLD] = 'and more'
  }

  /** The same promise, judged. */
  async watch<T>(expected: Expectation, run: () => Promise<T>): Promise<T> {
    const number = ++this.started
    this.#open.set(number, expected.kind)
    try {
      const value = await run()
      this.#count('answered')
      this.assert(expected.must === undefined, () => `${expected.kind}: should have failed`)
      return value
    } catch (error) {
      this.#examine(expected, error)
      throw error
    } finally {
      this.settled++
      this.#open.delete(number)
    }
  }

  #examine(expected: Expectation, error: unknown): void {
    const code = codeOf(error, expected.limits)
    this.#count(code)
    this.assert(mayFail(expected, code), () => `${expected.kind}: failed with ${code}: ${String(error)}`)
    if (!(error instanceof ConnectionLostError)) return
    const repeats = error.executed === 'no' && expected.held !== true && !isLimited(expected.limits)
    this.assert(!repeats, () => `${expected.kind}: was not executed, and not run again: ${String(error)}`)
  }

  #count(code: string): void {
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1)
  }
}

function mayFail({ may = [], must = [], limits, held }: Expectation, code: string): boolean {
  if (may.includes(code) || must.includes(code)) return true
  if (code === 'CONNECTION_LOST') return limits?.idempotent !== true || held === true || isLimited(limits)
  if (code === 'ABORTED') return limits?.signal !== undefined
  return limits?.timeoutMs !== undefined && (code === 'QUERY_TIMEOUT' || code === 'ACQUIRE_TIMEOUT')
}

function isLimited(limits: QueryOptions | undefined): boolean {
  return limits?.signal !== undefined || limits?.timeoutMs !== undefined
}

/** The pool's code, `ABORTED` for the very reason of the signal, else the server's code. */
export function codeOf(error: unknown, limits?: QueryOptions): string {
  if (limits?.signal?.aborted === true && error === limits.signal.reason) return 'ABORTED'
  if (error instanceof PoolError) return error.code
  return String((error as { code?: unknown }).code ?? error)
}

/** What became of it, without throwing. */
export async function outcomeOf<T>(running: Promise<T>, limits?: QueryOptions): Promise<Outcome<T>> {
  try {
    return { value: await running }
  } catch (error) {
    return { code: codeOf(error, limits), error }
  }
}
