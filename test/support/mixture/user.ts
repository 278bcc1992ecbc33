import type { Queryable, QueryOptions, QueryResult, SqlPool } from '../../../src/index.ts'
import type { Random } from '../../../src/testing/random.ts'
import type { Expectation, Judge } from './judge.ts'
import type { Ledger } from './ledger.ts'

/** Few may be in it at a time: those who hold a connection while they wait for another, and those who wait for them. */
export class Room {
  #free: number

  constructor(places: number) {
    this.#free = places
  }

  /** Runs `work` when there is a place, else nothing. */
  async enter(work: () => Promise<void>): Promise<void> {
    if (this.#free === 0) return
    this.#free--
    try {
      await work()
    } finally {
      this.#free++
    }
  }
}

/** One of those who use the pool at the same time. */
export interface User {
  readonly pool: SqlPool
  readonly random: Random
  readonly judge: Judge
  /** Of the table `ledger`, where nothing keeps a token from being written twice. */
  readonly ledger: Ledger
  /** Of the table `once`, whose tokens are unique. */
  readonly once: Ledger
  /** For those who hold a row lock and wait for the pool. */
  readonly holders: Room
  /** For those who wait for a row lock. */
  readonly lockWaiters: Room
}

export interface Statement {
  readonly sql: string
  readonly params?: readonly unknown[]
  readonly options?: QueryOptions
}

/** Runs one statement, judged. */
export function ask(
  user: User,
  on: Queryable,
  { sql, params, options }: Statement,
  expected: Partial<Expectation> = {},
): Promise<QueryResult> {
  const held = on !== user.pool
  const kind = `${sql} [${params ?? ''}]${held ? ' on a lease' : ''}`
  const watched = { kind, held, ...expected, ...(options === undefined ? {} : { limits: options }) }
  return user.judge.watch(watched, () => on.query(sql, params, options))
}

/** Options by chance: prepared or not, shared or not, with a signal that aborts soon, with little time. */
export function someOptions({ random }: User): QueryOptions | undefined {
  if (random.chance(0.5)) return undefined
  const options: QueryOptions = {}
  if (random.chance(0.4)) options.prepare = random.chance(0.5)
  if (random.chance(0.05)) options.multiplex = false
  if (random.chance(0.15)) options.idempotent = true
  if (random.chance(0.2)) options.signal = soon(random)
  if (random.chance(0.1)) options.timeoutMs = random.integer(1, 25)
  return options
}

export function soon(random: Random): AbortSignal {
  const control = new AbortController()
  const reason = new Error('no longer wanted')
  if (random.chance(0.2)) setImmediate(() => control.abort(reason))
  else setTimeout(() => control.abort(reason), random.between(0, 20))
  return control.signal
}
