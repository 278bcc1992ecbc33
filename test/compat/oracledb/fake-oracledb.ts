import { createRequire } from 'node:module'
import { InvalidOptionError } from '../../../src/contract/errors.ts'

const original = createRequire(import.meta.url)('oracledb')

/** A session on no server; its methods and attributes are those that the original's prototype has. */
export class FakeOracleConnection {
  transactionInProgress = false
  callTimeout = 0
  readonly statements: string[] = []
  readonly id: number
  readonly #server: FakeOracledb
  #alive = true
  #open = true
  /** Calls run one after another, as the package has it. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(server: FakeOracledb, id: number) {
    this.#server = server
    this.id = id
  }

  isHealthy(): boolean {
    return this.#open && this.#alive
  }

  die(): void {
    this.#alive = false
  }

  async ping(): Promise<void> {
    this.#server.pings++
    this.#assertOpen()
  }

  execute(sql: string, ..._: unknown[]): Promise<{ rows: unknown[] }> {
    return this.#inTurn(async () => {
      this.#assertOpen()
      await this.#server.pace
      this.statements.push(sql)
      if (/^(insert|update|delete)/i.test(sql)) this.transactionInProgress = true
      return { rows: [[this.id]] }
    })
  }

  async commit(): Promise<void> {
    this.#assertOpen()
    this.transactionInProgress = false
  }

  rollback(): Promise<void> {
    return this.#inTurn(async () => {
      this.#assertOpen()
      this.statements.push('rollback')
      this.transactionInProgress = false
    })
  }

  async close(): Promise<void> {
    if (!this.#open) throw new Error('NJS-003: invalid or closed connection')
    this.#open = false
    this.#server.closed.push(this.id)
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(call)
    this.#turn = result.catch(() => undefined)
    return result
  }

  #assertOpen(): void {
    if (!this.isHealthy()) throw new Error('NJS-500: connection to the Oracle Database was broken')
  }
}

/** The package with all its constants and settings, and connections to nowhere. */
export class FakeOracledb {
  opened: Record<string, unknown>[] = []
  closed: number[] = []
  pings = 0
  refusal: Error | undefined = undefined
  /** Statements wait for it. */
  pace: Promise<unknown> = Promise.resolve()
  connections: FakeOracleConnection[] = []

  module(): Record<string, unknown> {
    const descriptors = Object.getOwnPropertyDescriptors(original)
    const value = async (attributes: Record<string, unknown>) => {
      if (typeof attributes !== 'object') throw new InvalidOptionError('attributes', 'no attributes')
      this.opened.push(attributes)
      if (this.refusal !== undefined) throw this.refusal
      const connection = new FakeOracleConnection(this, this.opened.length)
      this.connections.push(connection)
      return connection
    }
    return Object.create(Object.prototype, {
      ...descriptors,
      getConnection: { value, enumerable: true, configurable: true },
    })
  }
}
