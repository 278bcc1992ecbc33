/** Kinds of messages. */
export const MESSAGE = {
  batch: 1,
  rpc: 3,
  response: 4,
  attention: 6,
  bulk: 7,
  transaction: 14,
  login: 16,
  prelogin: 18,
}

/** Bits of a packet's status. */
const STATUS = { end: 0x01, ignore: 0x02, reset: 0x08, resetKeepingTransaction: 0x10 }

export const HEADER_BYTES = 8

/** A whole message of a client's. */
export interface Message {
  readonly type: number
  readonly body: Buffer
  /** The client has thought better of it. */
  readonly isIgnored: boolean
  /** What the header asks for before the message is looked at. */
  readonly reset: 'none' | 'full' | 'keeping the transaction'
  /** In how many packets it came. */
  readonly packets: number
}

/** Puts packets together to messages. */
export class Reassembler {
  #rest: Buffer = Buffer.alloc(0)
  #bodies: Buffer[] = []
  #firstStatus = 0

  /** The messages that are whole now. */
  feed(chunk: Buffer): Message[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const messages: Message[] = []
    for (let packet = this.#packet(); packet !== undefined; packet = this.#packet()) {
      const message = this.#add(packet)
      if (message !== undefined) messages.push(message)
    }
    return messages
  }

  #packet(): Buffer | undefined {
    if (this.#rest.length < HEADER_BYTES) return undefined
    const length = this.#rest.readUInt16BE(2)
    if (length < HEADER_BYTES) throw new Error(`a packet of ${length} bytes is shorter than its header`)
    if (this.#rest.length < length) return undefined
    const packet = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return packet
  }

  #add(packet: Buffer): Message | undefined {
    const status = packet.readUInt8(1)
    if (this.#bodies.length === 0) this.#firstStatus = status
    this.#bodies.push(packet.subarray(HEADER_BYTES))
    if ((status & STATUS.end) === 0) return undefined
    const bodies = this.#bodies
    this.#bodies = []
    return {
      type: packet.readUInt8(0),
      body: Buffer.concat(bodies),
      isIgnored: (status & STATUS.ignore) !== 0,
      reset: resetOf(this.#firstStatus),
      packets: bodies.length,
    }
  }
}

function resetOf(status: number): Message['reset'] {
  if ((status & STATUS.reset) !== 0) return 'full'
  return (status & STATUS.resetKeepingTransaction) === 0 ? 'none' : 'keeping the transaction'
}

/** One packet of a response. */
export function packetOf(body: Buffer, { type, isLast, number, spid }: PacketFacts): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt8(type, 0)
  header.writeUInt8(isLast ? STATUS.end : 0, 1)
  header.writeUInt16BE(body.length + HEADER_BYTES, 2)
  header.writeUInt16BE(spid, 4)
  header.writeUInt8(number % 256, 6)
  return Buffer.concat([header, body])
}

interface PacketFacts {
  readonly type: number
  readonly isLast: boolean
  readonly number: number
  readonly spid: number
}
