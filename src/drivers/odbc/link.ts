import { InvalidOptionError, TransactionError } from '../../contract/errors.ts'
import type { OdbcConnection, OdbcResult } from './client.ts'
import { classify, endsTransaction } from './errors.ts'
import type { Family } from './family.ts'
import type { Gate } from './gate.ts'

const links = new WeakMap<object, Link>()

/** What we know about a connection that we opened. */
export function linkOf(connection: unknown): Link {
  const link = links.get(connection as object)
  if (link === undefined) throw new TypeError('this connection was not opened by the driver it is given to')
  return link
}

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
export class Link {
  readonly connection: OdbcConnection
  readonly family: Family
  whereabouts: Whereabouts | undefined
  /** A cancel has been sent, which may still be on its way. */
  cancelling: Promise<void> | undefined
  /** A transaction of ours was begun by ODBC's own switch. */
  isNative = false
  /** The session refuses writes until its transaction is over. */
  isQueryOnly = false
  /** It has not answered in time: whatever we ask may hang as well. */
  isSilent = false
  #mayBeOpen = false
  #hasBegun = false
  /** A statement of the transaction has failed. */
  #failure: { error: unknown; endsAll: boolean } | undefined
  #running = 0
  #isClosing = false
  #lost: { error: unknown } | undefined
  #onLost: ((error: unknown) => void) | undefined
  #whenQuiet: (() => void)[] = []
  readonly #gate: Gate
  readonly #query: OdbcConnection['query']

  constructor(connection: OdbcConnection, family: Family, gate: Gate) {
    this.connection = connection
    this.family = family
    this.#gate = gate
    this.#query = connection.query.bind(connection)
    links.set(connection, this)
    this.#watch()
  }

  get isBusy(): boolean {
    return this.#running > 0 || this.cancelling !== undefined
  }

  get isRunning(): boolean {
    return this.#running > 0
  }

  get isLost(): boolean {
    return this.#lost !== undefined
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
    this.#failure = undefined
    this.isNative = false
  }

  markClosing(): void {
    this.#isClosing = true
  }

  onLost(told: (error: unknown) => void): void {
    this.#onLost = told
    if (this.#lost !== undefined && !this.#isClosing) told(this.#lost.error)
  }

  async quiet(): Promise<void> {
    while (this.isBusy) {
      await this.cancelling?.catch(() => undefined)
      if (this.isRunning) await new Promise<void>((resolve) => this.#whenQuiet.push(resolve))
    }
  }

  /**
   * A database that has ended the transaction by itself (a deadlock) would commit whatever comes next, statement by
   * statement: nothing more runs until the transaction is over for us as well.
   */
  assertWhole(): void {
    if (!this.#hasBegun || this.#failure?.endsAll !== true) return
    throw new TransactionError(
      'TRANSACTION_ABORTED',
      'the server has rolled the transaction back, because of an earlier error: roll back, or begin anew',
      { cause: this.#failure.error },
    )
  }

  /** Sends a statement of the user's; what it does to the transaction is kept in mind. */
  send(sql: string, params: readonly unknown[], options?: object): Promise<unknown> {
    if (/^\s*rollback\b/i.test(sql)) this.forgive()
    this.assertWhole()
    return this.#sent(sql, () => this.#query(sql, params.length === 0 ? undefined : params, options))
  }

  /** Sends a statement of our own. Nobody waits for one that begins a transaction, but it may wait for others. */
  async ask(sql: string, isUrgent = true): Promise<OdbcResult> {
    return (await this.call(isUrgent, () => this.#query(sql))) as OdbcResult
  }

  /** Something that keeps the connection busy. What a transaction does is urgent: others may wait for its locks. */
  async call<T>(isUrgent: boolean, work: () => Promise<T>): Promise<T> {
    this.#running++
    try {
      return await this.#gate.run(isUrgent || this.mayBeOpen, work)
    } catch (error) {
      this.#note(error)
      throw error
    } finally {
      this.#running--
      if (this.#running === 0) for (const told of this.#whenQuiet.splice(0)) told()
    }
  }

  async #sent<T>(sql: string, work: () => Promise<T>): Promise<T> {
    const problem = this.family.refuses?.(sql)
    if (problem !== undefined) throw new InvalidOptionError('sql', problem)
    if (!PLAIN.test(sql)) this.#mayBeOpen = true
    return this.call(false, work)
  }

  #note(error: unknown): void {
    const endsAll = endsTransaction(error)
    if (this.#hasBegun) this.#failure = { error, endsAll: endsAll || this.#failure?.endsAll === true }
    if (this.#lost !== undefined || classify(error, 'statement') !== 'fatal') return
    this.#lost = { error }
    if (!this.#isClosing) this.#onLost?.(error)
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
        return typeof args.at(-1) === 'function' ? work() : this.call(false, work)
      }
    }
  }
}
