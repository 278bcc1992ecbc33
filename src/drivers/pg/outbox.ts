import { inFlight, type PgClient, type PgStream } from './client.ts'
import { Packet } from './packet.ts'

/** With so many statements before it the server has enough to do until the next ones come. */
const ENOUGH_AHEAD = 16

/** As many as there were connections that gathered statements at the same time. */
const spare: Packet[] = []

/**
 * Statements that share a connection go out together: a system call for each costs more than all else that happens to
 * them here. They wait for the end of the turn, whose promises may send more; and while the server is far from done with
 * what it has, which costs nobody anything, since it answers one after the other.
 */
export class Outbox {
  readonly #client: PgClient
  #packet: Packet | undefined = undefined
  #held = 0
  #guarded: PgStream | undefined = undefined
  #isDue = false

  constructor(client: PgClient) {
    this.#client = client
  }

  /** Takes the messages of the next statement. */
  get packet(): Packet {
    this.#packet ??= spare.pop() ?? new Packet()
    return this.#packet
  }

  /** The packet has taken a statement. */
  filled(): void {
    if (this.#client.pipeline !== true) {
      this.#send()
      return
    }
    this.#guard()
    if (this.#held++ === 0) this.#endTurn()
  }

  /** The server is done with a statement. */
  answered(): void {
    if (this.#held > 0) this.#endTurn()
  }

  #send(): void {
    const packet = this.#packet
    if (packet === undefined) return
    const { stream } = this.#client.connection
    const messages = packet.take()
    this.#packet = undefined
    this.#held = 0
    spare.push(packet)
    if (stream.writable) stream.write(messages)
  }

  /**
   * Whatever else is written comes after what is held here: pg counts on the answers in the order of its queries, and not
   * all of them are ours.
   */
  #guard(): void {
    const { stream } = this.#client.connection
    if (this.#guarded === stream) return
    this.#guarded = stream
    const { write } = stream
    stream.write = (...all) => {
      this.#send()
      return write.apply(stream, all)
    }
  }

  #endTurn(): void {
    if (this.#isDue) return
    this.#isDue = true
    process.nextTick(() => {
      this.#isDue = false
      if (inFlight(this.#client) - this.#held < ENOUGH_AHEAD) this.#send()
    })
  }
}
