import { Ending } from '../ending.ts'
import { Links } from '../links.ts'
import { rolledBack } from '../rolled-back.ts'
import type { Package, Socket, TediousConnection, TediousRequest } from './client.ts'

export const links = new Links<Link>()
export const linkOf = links.of

/** Listens to one connection until its socket is closed. */
export class Link extends Ending {
  readonly connection: TediousConnection
  readonly package: Package
  readonly socket: Socket
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>
  /** Statements that the server has prepared, by name and types. */
  readonly prepared = new Map<string, number>()
  /** A transaction of ours has changed the session's isolation, and nothing but we changes it back. */
  isElevated = false
  #hasBegun = false
  /** The last error of a statement, and with it perhaps the reason why the server ended a transaction. */
  #lastError: unknown
  #isOver = false
  readonly #atChange = new Set<() => void>()

  constructor(
    connection: TediousConnection,
    given: Package,
    { socket, closed }: Pick<Link, 'socket' | 'closed'>,
  ) {
    super()
    this.connection = connection
    this.package = given
    this.socket = socket
    this.closed = closed
    links.add(connection, this)
    // Without a listener an error that belongs to no statement would end the process.
    connection.on('error', (error) => this.#finish(error))
    connection.on('end', () => {
      this.#isOver = true
      this.#changed()
      // The reason comes right behind.
      setImmediate(() => this.#finish(new Error('the connection was closed')))
    })
    this.#watch()
    this.#keepRequest()
  }

  get isOver(): boolean {
    return this.#isOver || this.socket.destroyed || this.connection.state.name === 'Final'
  }

  /** A request is in flight, ours or the user's own, or its attention is not acknowledged yet. */
  get isBusy(): boolean {
    return !this.isOver && this.connection.state.name !== 'LoggedIn'
  }

  /** Resolves when nothing is in flight. */
  async quiet(): Promise<void> {
    while (this.isBusy) await new Promise<void>((resolve) => this.#atChange.add(resolve))
  }

  /** A transaction of ours has begun, or it is over for us. */
  set hasBegun(hasBegun: boolean) {
    this.#hasBegun = hasBegun
    this.#lastError = undefined
  }

  /**
   * The server ends a transaction by itself: after a deadlock, a conversion that failed, any error under XACT_ABORT.
   * Whatever came next would be committed at once, one by one: nothing more runs until it is over for us as well.
   */
  get isEnded(): boolean {
    return this.#hasBegun && !this.connection.inTransaction
  }

  assertWhole(): void {
    if (this.isEnded && !this.isBusy && !this.isOver) throw rolledBack(this.#lastError)
  }

  /**
   * Makes a request of ours, and resolves with the number of rows that it changed. It waits for one of the user's own:
   * tedious takes one at a time, and refuses another as if the connection were lost.
   */
  async run(sql: string, send: (request: TediousRequest) => void): Promise<number> {
    while (this.isBusy) await this.quiet()
    return new Promise((resolve, reject) => {
      const { Request } = this.package
      send(
        new Request(sql, (error, rowCount) => (error ? reject(this.#noted(error)) : resolve(rowCount ?? 0))),
      )
    })
  }

  /** One of tedious' own requests, which take a callback. */
  async ask(send: (done: (error?: Error | null) => void) => void): Promise<void> {
    while (this.isBusy) await this.quiet()
    return new Promise((resolve, reject) => {
      send((error) => (error ? reject(this.#noted(error)) : resolve()))
    })
  }

  #noted(error: Error): Error {
    this.#lastError = error
    return error
  }

  /** tedious tells nobody when it has become ready for the next request. */
  #watch(): void {
    const { connection } = this
    const { transitionTo } = connection
    connection.transitionTo = (state) => {
      transitionTo.call(connection, state)
      this.#changed()
    }
  }

  /**
   * When a socket dies while tedious still reads what has arrived, it forgets the request, reads on, and at the end calls
   * back to nothing: an exception that nobody can catch. Once all is over there is always a request, whose callback is idle.
   */
  #keepRequest(): void {
    const idle = new this.package.Request('', () => undefined)
    let current: unknown = (this.connection as { request?: unknown }).request
    Object.defineProperty(this.connection, 'request', {
      configurable: true,
      enumerable: true,
      get: () => current ?? (this.isOver ? idle : undefined),
      set: (request) => {
        current = request
      },
    })
  }

  #changed(): void {
    for (const told of this.#atChange) told()
    this.#atChange.clear()
  }

  #finish(error: unknown): void {
    this.#isOver = true
    this.#changed()
    this.endedBy(error)
  }
}
