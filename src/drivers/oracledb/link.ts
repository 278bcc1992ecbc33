import { Links } from '../links.ts'
import { WatchedLink } from '../watched-link.ts'
import type { OracleConnection } from './client.ts'
import { classify } from './errors.ts'

export const links = new Links<Link>()
export const linkOf = links.of

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

/** What we know about a connection, by watching what is called on it. */
export class Link extends WatchedLink {
  readonly connection: OracleConnection
  /** Between our own begin and commit nothing commits by itself. */
  hasBegun = false
  #mayBeOpen = false

  constructor(connection: OracleConnection) {
    super()
    this.connection = connection
    links.add(connection, this)
    this.#watch()
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

  protected failed(error: unknown): void {
    if (classify(error, 'statement') === 'fatal') this.endedBy(error)
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
        if (result instanceof Promise) this.during(() => result).catch(() => undefined)
        return result
      }
    }
  }
}
