import type { Socket } from 'node:net'
import { CANCELLED, SqlError, sqlErrors } from '../tsql/error.ts'
import type { Session } from '../tsql/session.ts'
import { pause } from '../tsql/settings.ts'
import { type Login, preloginAnswer, readLogin } from './login.ts'
import { MESSAGE, type Message, Reassembler } from './packet.ts'
import { answer, describe } from './requests.ts'
import { Response } from './response.ts'
import { CHANGE, writeCollation, writeLoginAck, writeTextChange } from './tokens.ts'

/** What a connection needs of its server. */
export interface Reception {
  /** Lets the client in; throws what it is to be told otherwise. */
  admit(login: Login, connection: TdsConnection): Session
  leave(connection: TdsConnection): void
  note(connection: TdsConnection, message: Message, says: string): void
  latencyMs(): number
  /** Something that nobody here understands. */
  baffled(error: unknown): void
}

const USUAL_PACKET = 4096
const LARGEST_PACKET = 32_767
/** A message that nobody here understands ends the connection, as on the real server. */
const REQUESTS = new Set([MESSAGE.batch, MESSAGE.rpc, MESSAGE.transaction, MESSAGE.attention])

/** One client, from its first byte to its last. */
export class TdsConnection {
  readonly socket: Socket
  readonly #reception: Reception
  readonly #messages = new Reassembler()
  #session: Session | undefined
  #packetSize = USUAL_PACKET
  /** Requests wait for those before them. */
  #tail: Promise<void> = Promise.resolve()
  readonly #running = new Set<AbortController>()

  constructor(socket: Socket, reception: Reception) {
    this.socket = socket
    this.#reception = reception
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed())
  }

  get spid(): number {
    return this.#session?.spid ?? 0
  }

  get packetSize(): number {
    return this.#packetSize
  }

  /** Ends the session: who waits for an answer is told why. */
  kill(): void {
    this.#session?.end()
    const isBusy = this.#running.size > 0
    for (const running of this.#running) running.abort(sqlErrors.killed())
    if (!isBusy) this.socket.end()
  }

  #receive(chunk: Buffer): void {
    try {
      for (const message of this.#messages.feed(chunk)) this.#take(message)
    } catch (error) {
      this.#giveUp(error)
    }
  }

  #take(message: Message): void {
    const session = this.#session
    if (message.type === MESSAGE.prelogin) this.#raw(preloginAnswer())
    else if (message.type === MESSAGE.login) this.#login(readLogin(message.body))
    else if (session === undefined || !REQUESTS.has(message.type)) this.socket.destroy()
    else this.#request(session, message)
  }

  #request(session: Session, message: Message): void {
    this.#reception.note(this, message, message.isIgnored ? 'ignored' : describe(message))
    const isAttention = message.type === MESSAGE.attention
    if (isAttention) for (const running of this.#running) running.abort(CANCELLED)
    const controller = new AbortController()
    if (!isAttention) this.#running.add(controller)
    this.#tail = this.#tail
      .then(() =>
        isAttention ? new Response(this).endAcknowledging() : this.#serve(session, message, controller),
      )
      .catch((error) => this.#giveUp(error))
  }

  #raw(body: Buffer): void {
    const response = new Response(this)
    response.out.bytes(body)
    response.send()
  }

  #login(login: Login): void {
    const response = new Response(this)
    try {
      this.#session = this.#reception.admit(login, this)
    } catch (error) {
      if (!(error instanceof SqlError)) throw error
      response.failed(error)
      response.end()
      this.socket.end()
      return
    }
    const wanted = Math.min(Math.max(login.packetSize || USUAL_PACKET, 512), LARGEST_PACKET)
    const { database } = this.#session
    const { out } = response
    writeTextChange(out, CHANGE.database, [database, 'master'])
    response.info(new SqlError(5701, `Changed database context to '${database}'.`, { severity: 0, state: 2 }))
    writeCollation(out)
    writeTextChange(out, CHANGE.language, ['us_english', ''])
    response.info(new SqlError(5703, 'Changed language setting to us_english.', { severity: 0 }))
    writeLoginAck(out)
    writeTextChange(out, CHANGE.packetSize, [String(wanted), String(USUAL_PACKET)])
    response.end()
    this.#packetSize = wanted
  }

  async #serve(session: Session, message: Message, controller: AbortController): Promise<void> {
    const response = new Response(this)
    const { signal } = controller
    response.countsRows = () => !session.isOn('nocount')
    session.listener = response
    try {
      if (message.isIgnored) return response.endCancelled()
      await pause(this.#reception.latencyMs(), signal)
      if (message.reset !== 'none') {
        session.reset({ keepsTransaction: message.reset === 'keeping the transaction' })
        response.wasReset()
      }
      await answer({ session, response, signal }, message)
      response.end()
    } catch (error) {
      this.#stopped(response, error)
    } finally {
      this.#running.delete(controller)
      session.listener = undefined
    }
  }

  /** The response that was cut short ends properly; the attention is acknowledged in a message of its own. */
  #stopped(response: Response, error: unknown): void {
    if (error === CANCELLED) {
      response.endCancelled()
      return
    }
    if (!(error instanceof SqlError)) throw error
    response.failed(error)
    response.end()
    this.socket.end()
  }

  #giveUp(error: unknown): void {
    this.#reception.baffled(error)
    this.socket.destroy()
  }

  #closed(): void {
    for (const running of this.#running) running.abort(CANCELLED)
    this.#session?.end()
    this.#reception.leave(this)
  }
}
