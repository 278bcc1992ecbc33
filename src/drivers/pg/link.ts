import { isBusy, isSurelyPooler, type PgClient, type PgStream, type TransactionStatus } from './client.ts'
import type { Description } from './description.ts'
import { endsSession } from './errors.ts'
import { Outbox } from './outbox.ts'

const links = new WeakMap<PgClient, Link>()

/** What we know about a client that we opened. */
export function linkOf(client: PgClient): Link {
  const link = links.get(client)
  if (link === undefined) throw new TypeError('this client was not opened by the driver it is given to')
  return link
}

/**
 * Listens to one connection from before it is opened until after its socket is closed. An 'error' event that nobody
 * listens to would end the process, and pg emits some even after `end()`.
 */
export class Link {
  /** The transaction status of the last ReadyForQuery. */
  status: TransactionStatus | undefined
  /** Settings that the server reports by itself. */
  readonly settings = new Map<string, string>()
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>
  readonly outbox: Outbox
  /** What makes the user's own kind of socket, where he has one. */
  readonly makeStream: unknown
  /** The other end of a TCP connection. */
  peer: { host: string; port: number } | undefined
  readonly #client: PgClient
  /** With TLS, pg puts a second socket over this one. */
  readonly #socket: PgStream
  #isClosing = false
  #isClosed = false
  #lost: { error: unknown } | undefined
  #isEndedByServer = false
  #isGivenUp = false
  /** How many statements, or rather ReadyForQuery messages, there have been. */
  #answers = 0
  #onLost: ((error: unknown) => void) | undefined
  /** An ErrorResponse has come, the ReadyForQuery that follows it has not. */
  #isFailing = false
  /** What the answers to named statements look like: asked for once. */
  readonly #descriptions = new Map<string, Description>()
  #waiting: (() => void)[] = []
  /** Cancel requests on their way: each could still hit whatever runs. */
  #cancelling = 0
  #cancelFailure: unknown

  constructor(client: PgClient, makeStream?: unknown) {
    this.#client = client
    this.#socket = client.connection.stream
    this.makeStream = makeStream
    this.outbox = new Outbox(client)
    links.set(client, this)
    const { connection } = client
    client.on('error', (error) => this.#lose(error))
    connection.on('connect', () => {
      const { remoteAddress: host, remotePort: port } = this.#socket
      if (host !== undefined && port !== undefined) this.peer = { host, port }
    })
    connection.on('readyForQuery', (message) => {
      this.status = message.status
      this.#answers++
      this.outbox.answered()
      this.#isFailing = false
      this.#wakeLater()
    })
    connection.on('errorMessage', (error) => {
      this.#isFailing = true
      // The server ends the session; what pg says when the socket closes would not tell why.
      if (!endsSession(error)) return
      this.#isEndedByServer = true
      this.#lose(error)
    })
    connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
      this.settings.set(parameterName, parameterValue)
    })
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        this.#isClosed = true
        this.#lose(new Error('Connection terminated unexpectedly'))
        this.#wakeLater()
        resolve()
      })
    })
  }

  /** What the answer to this named statement looks like, where it is known. */
  descriptionOf(name: string): Description | undefined {
    return this.#descriptions.get(name)
  }

  /**
   * The server refuses to execute a named statement whose answer would look otherwise. Behind a pooler each execution may
   * meet another session, where the statement was prepared later, from other tables.
   */
  remember(name: string, description: Description): void {
    if (!isSurelyPooler(this.#client)) this.#descriptions.set(name, description)
  }

  forget(name: string): void {
    this.#descriptions.delete(name)
  }

  forgetAll(): void {
    this.#descriptions.clear()
  }

  /** We end it: what happens to it from now on is no loss. */
  markClosing(): void {
    this.#isClosing = true
  }

  /** Closes the socket without a word; `closed` tells when that is done. */
  destroy(): void {
    this.#client.connection.stream.destroy()
    this.#socket.destroy()
  }

  /** It does not answer a question that costs nothing: nothing runs there, and a goodbye would be waited for in vain. */
  giveUp(): void {
    this.#isGivenUp = true
    this.destroy()
  }

  get isClosing(): boolean {
    return this.#isClosing
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /** A statement may still run in the server, whatever became of the socket. */
  get mayRun(): boolean {
    return isBusy(this.#client) && !this.#isEndedByServer && !this.#isGivenUp
  }

  /** Tells whether the statement that is in flight now has ended. */
  watchStatement(): () => boolean {
    if (!isBusy(this.#client)) return () => true
    const answers = this.#answers
    return () => this.#answers !== answers || this.#isClosed
  }

  /** Told once, and at once if it has happened already. */
  onLost(told: (error: unknown) => void): void {
    this.#onLost = told
    if (this.#lost !== undefined) told(this.#lost.error)
  }

  /** A cancel request goes out; one that does not come to a known end spoils the connection for good. */
  async cancelling(request: Promise<void>): Promise<void> {
    this.#cancelling++
    try {
      await request
      this.#cancelling--
    } catch (error) {
      this.#cancelFailure = error
      throw error
    } finally {
      this.#wakeLater()
    }
  }

  /** A statement is in flight, or something that may hit the next one. */
  get isBusy(): boolean {
    return this.#cancelling > 0 || isBusy(this.#client)
  }

  /** Resolves when nothing is in flight; rejects when that cannot be had any more. */
  async quiet(): Promise<void> {
    while (this.isBusy) {
      if (this.#lost !== undefined) throw this.#lost.error
      if (this.#cancelFailure !== undefined) throw this.#cancelFailure
      if (this.#isClosed) throw new Error('Connection terminated')
      await this.#change()
    }
  }

  /**
   * Resolves when the server is done with the statement whose error has just arrived. The error comes a packet earlier,
   * and a connection given back in between would look busy.
   */
  async settled(): Promise<void> {
    while (this.#isFailing && !this.isLost && !this.#isClosed) await this.#change()
  }

  /** Resolves at the next event, or after a while. */
  async changeWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms)
    })
    await Promise.race([this.#change(), late])
    clearTimeout(timer)
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Our listeners run before pg's own: in a microtask pg knows as well. */
  #wakeLater(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    queueMicrotask(() => {
      for (const wake of waiting) wake()
    })
  }

  #lose(error: unknown): void {
    if (this.#isClosing || this.#lost !== undefined) return
    this.#lost = { error }
    this.#wakeLater()
    this.#onLost?.(error)
  }
}
