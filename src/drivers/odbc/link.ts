import { InvalidOptionError } from '../../contract/errors.ts'
import { Links } from '../links.ts'
import { rolledBack } from '../rolled-back.ts'
import { WatchedLink } from '../watched-link.ts'
import type { OdbcConnection, OdbcResult } from './client.ts'
import { classify, endsTransaction, hasNoRows } from './errors.ts'
import type { Family } from './family.ts'
import type { Gate, Rank } from './gate.ts'

export const links = new Links<Link>()
export const linkOf = links.of

/** A single statement of a kind that cannot begin a transaction where every statement is one by itself. */
const PLAIN =
  /^\s*(select|insert|update|delete|replace|merge|with|values|table|show|explain|describe|create|drop|alter)\b[^;]*;?\s*$/i

/** All that a user may call past us and that keeps the connection busy. */
const CALLS = [
  ...['query', 'callProcedure', 'createStatement', 'beginTransaction', 'commit', 'rollback'],
  ...['setIsolationLevel', 'tables', 'columns', 'primaryKeys', 'foreignKeys'],
]

/** Where a session is, for a cancel by another connection. */
export interface Whereabouts {
  readonly id: unknown
  readonly place: string
}

/** ODBC tells nothing of a session's state: so all that is sent on a connection, by whomever, goes past here. */
export class Link extends WatchedLink {
  readonly connection: OdbcConnection
  readonly family: Family
  whereabouts: Whereabouts | undefined
  /** A transaction of ours was begun by ODBC's own switch. */
  isNative = false
  /** Undoes what the begin of a transaction has changed in the session. */
  afterwards: string | undefined
  #mayBeOpen = false
  #hasBegun = false
  /** Something was done since the transaction began: others may wait for its locks. */
  #mayHold = false
  /** A statement of the transaction has failed. */
  #failure: { error: unknown; endsAll: boolean } | undefined
  readonly #gate: Gate
  readonly #query: OdbcConnection['query']
  readonly #createStatement: OdbcConnection['createStatement']

  constructor(connection: OdbcConnection, family: Family, gate: Gate) {
    super()
    this.connection = connection
    this.family = family
    this.#gate = gate
    this.#query = connection.query.bind(connection)
    this.#createStatement = connection.createStatement.bind(connection)
    links.add(connection, this)
    this.#watch()
  }

  /** A transaction is open, or something was sent that may have begun one. */
  get mayBeOpen(): boolean {
    return this.#mayBeOpen || this.#hasBegun
  }

  get failure(): unknown {
    return this.#failure?.error
  }

  begun(): void {
    this.#hasBegun = true
    this.#mayBeOpen = true
    this.#mayHold = this.family.locksAtBegin === true
    this.#failure = undefined
  }

  /** Back to a savepoint: what failed behind it has not happened. */
  forgive(): void {
    if (this.#failure?.endsAll !== true) this.#failure = undefined
  }

  /** The transaction is over. */
  over(): void {
    this.#hasBegun = false
    this.#mayBeOpen = false
    this.#mayHold = false
    this.#failure = undefined
    this.isNative = false
  }

  /**
   * A database that has ended the transaction by itself (a deadlock) would commit whatever comes next, statement by
   * statement: nothing more runs until the transaction is over for us as well.
   */
  assertWhole(): void {
    if (!this.#hasBegun || this.#failure?.endsAll !== true) return
    throw rolledBack(this.#failure.error)
  }

  /** Sends a statement of the user's; what it does to the transaction is kept in mind. */
  send(sql: string, params: readonly unknown[], options?: object): Promise<unknown> {
    if (/^\s*rollback\b/i.test(sql)) this.forgive()
    this.assertWhole()
    return this.#sent(sql, () => {
      if (params.length === 0) return this.#query(sql, undefined, options)
      const inSteps = this.family.freesByAsking === true && options === undefined
      return inSteps ? this.#inSteps(sql, params) : this.#query(sql, params, options)
    })
  }

  async #inSteps(sql: string, params: readonly unknown[]): Promise<unknown> {
    const statement = await this.#createStatement()
    try {
      await statement.prepare(sql)
      await statement.bind(params)
      return await statement.execute()
    } catch (error) {
      if (hasNoRows(error)) return Object.assign([], { count: 0 })
      throw error
    } finally {
      // On a connection that is gone it fails, and what came before says why.
      await statement.close().catch(() => undefined)
    }
  }

  /** Sends a statement of our own. */
  async ask(sql: string, rank: Rank = 'freeing'): Promise<OdbcResult> {
    return (await this.call(rank, () => this.#query(sql))) as OdbcResult
  }

  /** Something that keeps the connection busy. */
  async call<T>(rank: Rank, work: () => Promise<T>): Promise<T> {
    try {
      const own = rank === 'plain' && this.#mayHold ? 'holding' : rank
      return await this.during(() => this.#gate.run(own, work))
    } finally {
      this.#mayHold ||= this.mayBeOpen
    }
  }

  async #sent<T>(sql: string, work: () => Promise<T>): Promise<T> {
    const problem = this.family.refuses?.(sql)
    if (problem !== undefined) throw new InvalidOptionError('sql', problem)
    if (!PLAIN.test(sql)) this.#mayBeOpen = true
    return this.call('plain', work)
  }

  protected failed(error: unknown): void {
    const endsAll = endsTransaction(error)
    if (this.#hasBegun) this.#failure = { error, endsAll: endsAll || this.#failure?.endsAll === true }
    if (classify(error, 'statement') === 'fatal') this.endedBy(error)
  }

  /** The user's own calls: those that give a promise are seen from beginning to end; after all others, anything may be. */
  #watch(): void {
    const members = this.connection as unknown as Record<string, unknown>
    for (const name of CALLS) {
      const method = members[name]
      if (typeof method !== 'function') continue
      members[name] = (...args: unknown[]) => {
        const work = () => Reflect.apply(method, this.connection, args) as Promise<unknown>
        if (name === 'query' && typeof args[0] === 'string' && typeof args.at(-1) !== 'function')
          return this.#sent(args[0], work)
        this.#mayBeOpen = true
        return typeof args.at(-1) === 'function' ? work() : this.call('plain', work)
      }
    }
  }
}
