import type { Query } from 'mysql2'
import type { Node, Nodes, Selector } from './cluster-nodes.ts'
import { executeOnce, type LendCallback } from './execute.ts'
import type { Mysql2Package, Settled } from './package.ts'

/** What a view asks of its cluster. */
export interface NodeLender {
  readonly mysql2: Mysql2Package
  readonly nodes: Nodes
  /** After this error another node may be tried. */
  mayRetry(error: Error): boolean
  lend(node: Node, callback: LendCallback): void
}

interface Command extends Query {
  readonly onResult?: Settled
}

/** The part of a cluster whose names fit a pattern. */
export class PoolNamespace {
  readonly #lender: NodeLender
  readonly #pattern: string | RegExp
  readonly #select: Selector

  constructor(lender: NodeLender, pattern: string | RegExp, select: Selector) {
    this.#lender = lender
    this.#pattern = pattern
    this.#select = select
  }

  /** mysql2's promises ask whether to keep where they were called. */
  get trace(): boolean {
    const nodes = this.#lender.nodes.matching(this.#pattern)
    return nodes.length === 0 || nodes.some(({ pool }) => traceOf(pool.config))
  }

  getConnection(callback: LendCallback): void {
    const online = this.#lender.nodes.online(this.#pattern)
    const node = online.length === 0 ? undefined : this.#select(online)
    if (node === undefined) {
      callback(this.#nothingThere())
      return
    }
    this.#lender.lend(node, (error, connection) => {
      if (error === null) callback(null, connection)
      else if (this.#lender.mayRetry(error) && this.#lender.nodes.online(this.#pattern).length > 0)
        this.getConnection(callback)
      else callback(error)
    })
  }

  query(sql: unknown, values?: unknown, callback?: unknown): Query {
    const { Connection } = this.#lender.mysql2
    const command = createQuery(Connection, [sql, values, callback])
    const fail = (error: unknown) => {
      if (command.onResult === undefined) command.emit('error', error)
      else command.onResult(error as never)
    }
    this.getConnection((error, connection) => {
      if (error !== null || connection === undefined) return fail(error)
      try {
        return connection.query(command as never).once('end', () => connection.release())
      } catch (problem) {
        connection.release()
        return fail(problem)
      }
    })
    return command
  }

  execute(...given: unknown[]): void {
    executeOnce((callback) => this.getConnection(callback), given)
  }

  #nothingThere(): Error {
    return this.#lender.nodes.matching(this.#pattern).length > 0
      ? Object.assign(new Error('Pool does Not have online node.'), { code: 'POOL_NONEONLINE' })
      : Object.assign(new Error('Pool does Not exist.'), { code: 'POOL_NOEXIST' })
  }
}

function createQuery(Connection: Mysql2Package['Connection'], args: unknown[]): Command {
  const [sql, values, callback] = args
  const create = Connection.createQuery as unknown as (...args: unknown[]) => Command
  return create(sql, values, callback, {})
}

function traceOf(config: unknown): boolean {
  return (config as { connectionConfig?: { trace?: boolean } }).connectionConfig?.trace === true
}
