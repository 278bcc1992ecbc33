import type { QueryResult, RowForm } from '../../contract/sql-driver.ts'
import { inFlight, type PgClient, type PgStream } from './client.ts'
import { Packet, takeAll } from './packet.ts'

/** With so many statements before it the server has enough to do until the next ones come. */
const ENOUGH_AHEAD = 16

/** Executions of one statement, which others can join until they are sent. */
export interface Boarding {
  readonly name: string
  readonly isFull: boolean
  /** Its own, without the Sync that ends it. */
  readonly packet: Packet
  /** @throws for values that cannot be sent */
  add(values: readonly unknown[], form: RowForm | undefined): Promise<QueryResult>
}

const MOST_SPARE = 64
const spare: Packet[] = []

/**
 * Statements that share a connection go out together: a system call for each costs more than all else that happens to
 * them here. They wait for the end of the turn, whose promises may send more; and while the server is far from done with
 * what it has, which costs nobody anything, since it answers one after the other.
 */
export class Outbox {
  readonly #client: PgClient
  /** In the order in which pg counts on the answers. */
  #packets: Packet[] = []
  /** The last of them, where it takes statements that travel alone. */
  #packet: Packet | undefined = undefined
  #boarding: Boarding[] = []
  #held = 0
  #guarded: PgStream | undefined = undefined
  #isDue = false

  constructor(client: PgClient) {
    this.#client = client
  }

  /** Takes the messages of the next statement. */
  get packet(): Packet {
    if (this.#packet === undefined) {
      this.#packet = this.freshPacket()
      this.#packets.push(this.#packet)
    }
    return this.#packet
  }

  freshPacket(): Packet {
    return spare.pop() ?? new Packet()
  }

  /** The flight of this name that has not left, and has room. What is still here when the socket is gone never leaves. */
  boarding(name: string): Boarding | undefined {
    if (!this.#client.connection.stream.writable) return undefined
    const flights = this.#boarding
    for (let i = flights.length - 1; i >= 0; i--) {
      const flight = flights[i] as Boarding
      if (flight.name === name) return flight.isFull ? undefined : flight
    }
    return undefined
  }

  /** Lets a flight be boarded until it is sent. */
  board(flight: Boarding): void {
    this.#boarding.push(flight)
    this.#packets.push(flight.packet)
    this.#packet = undefined
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
    const packets = this.#packets
    if (packets.length === 0) return
    for (const { packet } of this.#boarding) packet.sync()
    const messages = takeAll(packets)
    for (const packet of packets) if (spare.length < MOST_SPARE) spare.push(packet)
    this.#packets = []
    this.#packet = undefined
    this.#boarding = []
    this.#held = 0
    const { stream } = this.#client.connection
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
