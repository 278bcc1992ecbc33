/** Most statements fit; what a longer one needed is given back. */
const USUAL_BYTES = 16_384

/** They are counted in two bytes. */
export const MOST_VALUES = 65_535

const DESCRIBE = Buffer.from('D\0\0\0\x06P\0', 'latin1')
const EXECUTE = Buffer.from('E\0\0\0\x09\0\0\0\0\0', 'latin1')
const SYNC = Buffer.from('S\0\0\0\x04', 'latin1')

const [QUERY, PARSE, BIND] = Buffer.from('QPB') as unknown as [number, number, number]

/**
 * Messages to the server, one behind the other in one buffer: each in a write of its own costs more than all else that a
 * short statement does here. There is one portal, the unnamed one.
 */
export class Packet {
  #bytes = Buffer.allocUnsafe(USUAL_BYTES)
  #end = 0

  query(text: string): this {
    const start = this.#open(QUERY)
    this.#zeroEnded(text)
    return this.#close(start)
  }

  parse(name: string, text: string): this {
    const start = this.#open(PARSE)
    this.#zeroEnded(name)
    this.#zeroEnded(text)
    this.#int16(0)
    return this.#close(start)
  }

  /** @param values text, bytes or NULL, as pg writes them */
  bind(name: string, values: readonly unknown[], wantsBinary: boolean): this {
    if (values.length > MOST_VALUES)
      throw new RangeError(`a statement has at most ${MOST_VALUES} parameters, this one ${values.length}`)
    const start = this.#open(BIND)
    this.#zeroEnded('')
    this.#zeroEnded(name)
    this.#int16(values.length)
    for (const value of values) this.#int16(Buffer.isBuffer(value) ? 1 : 0)
    this.#int16(values.length)
    for (const value of values) this.#value(value)
    this.#int16(1)
    this.#int16(wantsBinary ? 1 : 0)
    return this.#close(start)
  }

  describe(): this {
    return this.#add(DESCRIBE)
  }

  execute(): this {
    return this.#add(EXECUTE)
  }

  sync(): this {
    return this.#add(SYNC)
  }

  get length(): number {
    return this.#end
  }

  /** Forgets what was added since it had this length. */
  cutTo(length: number): void {
    this.#end = length
  }

  /** Moves the messages to where another buffer has room for them. */
  moveTo(target: Buffer, at: number): number {
    target.set(this.#bytes.subarray(0, this.#end), at)
    const { length } = this
    this.#end = 0
    if (this.#bytes.length > USUAL_BYTES) this.#bytes = Buffer.allocUnsafe(USUAL_BYTES)
    return at + length
  }

  #open(code: number): number {
    this.#need(5)
    const start = this.#end
    this.#bytes[start] = code
    this.#end += 5
    return start
  }

  /** The length counts itself, but not the code. */
  #close(start: number): this {
    this.#bytes.writeInt32BE(this.#end - start - 1, start + 1)
    return this
  }

  #value(value: unknown): void {
    this.#need(4)
    const start = this.#end
    this.#end += 4
    if (value === null || value === undefined) {
      this.#bytes.writeInt32BE(-1, start)
      return
    }
    if (Buffer.isBuffer(value)) this.#add(value)
    else this.#text(String(value))
    this.#bytes.writeInt32BE(this.#end - start - 4, start)
  }

  #zeroEnded(text: string): void {
    this.#text(text)
    this.#need(1)
    this.#bytes[this.#end++] = 0
  }

  #text(text: string): void {
    if (text.length === 0) return
    this.#need(text.length < 256 ? text.length * 3 : Buffer.byteLength(text))
    this.#end += this.#bytes.write(text, this.#end)
  }

  #int16(value: number): void {
    this.#need(2)
    this.#end = this.#bytes.writeUInt16BE(value, this.#end)
  }

  #add(bytes: Buffer): this {
    this.#need(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
    return this
  }

  #need(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#end + bytes))
    this.#bytes.copy(larger, 0, 0, this.#end)
    this.#bytes = larger
  }
}

/** All their messages in one piece, as a copy: the socket keeps what it is given until it is sent. */
export function takeAll(packets: readonly Packet[]): Buffer {
  let bytes = 0
  for (const { length } of packets) bytes += length
  const all = Buffer.allocUnsafe(bytes)
  let at = 0
  for (const packet of packets) at = packet.moveTo(all, at)
  return all
}
