import type { OracleConnection } from './client.ts'
import { classify } from './errors.ts'

const links = new WeakMap<object, Link>()

/** What we know about a connection that we opened. */
export function linkOf(connection: unknown): Link {
  const link = links.get(connection as object)
  if (link === undefined) throw new TypeError('this connection was not opened by the driver it is given to')
  return link
}

/** All that keeps a connection busy, whoever calls it; the package lets them run one after another. */
const CALLS = [
  'execute',
  'executeMany',
  'runPipeline',
  'commit',
  'rollback',
  'ping',
  'changePassword',
  'getStatementInfo',
]

/** Watches what is called on a connection: the package has no event for its end, nor for what is in flight. */
export class Link {
  readonly connection: OracleConnection
  /** Between our own begin and commit nothing commits by itself. */
  hasBegun = false
  /** It has not answered in time: a goodbye would be waited for in vain. */
  isSilent = false
  cancelling: Promise<void> | undefined
  #mayBeOpen = false
  #running = 0
  #isClosing = false
  #lost: { error: unknown } | undefined
  #onLost: ((error: unknown) => void) | undefined
  #whenQuiet: (() => void)[] = []

  constructor(connection: OracleConnection) {
    this.connection = connection
    links.set(connection, this)
    this.#watch()
  }

  get isRunning(): boolean {
    return this.#running > 0
  }

  get isBusy(): boolean {
    return this.isRunning || this.cancelling !== undefined
  }

  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /** By the server's last answer; versions of the package that do not pass it on leave only what was sent to go by. */
  get inTransaction(): boolean {
    return this.connection.transactionInProgress ?? (this.hasBegun || this.#mayBeOpen)
  }

  /** The transaction is over. */
  over(): void {
    this.hasBegun = false
    this.#mayBeOpen = false
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

  #watch(): void {
    const members = this.connection as unknown as Record<string, unknown>
    for (const name of CALLS) {
      const method = members[name]
      if (typeof method !== 'function') continue
      members[name] = (...args: unknown[]) => {
        const { autoCommit } = (args[2] ?? {}) as { autoCommit?: unknown }
        if (name.startsWith('execute') && autoCommit !== true) this.#mayBeOpen = true
        const result: unknown = Reflect.apply(method, this.connection, args)
        if (result instanceof Promise) void this.#follow(result)
        return result
      }
    }
  }

  async #follow(result: Promise<unknown>): Promise<void> {
    this.#running++
    try {
      await result
    } catch (error) {
      this.#note(error)
    }
    this.#running--
    if (this.#running === 0) for (const told of this.#whenQuiet.splice(0)) told()
  }

  #note(error: unknown): void {
    if (this.#lost !== undefined || classify(error, 'statement') !== 'fatal') return
    this.#lost = { error }
    if (!this.#isClosing) this.#onLost?.(error)
  }
}
