/** Reads what a client sent; running over the end is the sender's mistake. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#skip(1))
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#skip(2))
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#skip(4))
  }

  i64(): bigint {
    return this.#bytes.readBigInt64LE(this.#skip(8))
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#skip(8))
  }

  bytes(length: number): Buffer {
    const start = this.#skip(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** Text in UTF-16, by its number of code units. */
  text(units: number): string {
    return this.bytes(units * 2).toString('utf16le')
  }

  #skip(length: number): number {
    const start = this.#at
    this.#at += length
    return start
  }
}

/** Collects what goes to a client. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(4096)
  #length = 0

  get length(): number {
    return this.#length
  }

  u8(value: number): this {
    const at = this.#room(1)
    this.#bytes.writeUInt8(value, at)
    return this
  }

  u16(value: number): this {
    const at = this.#room(2)
    this.#bytes.writeUInt16LE(value, at)
    return this
  }

  u32(value: number): this {
    const at = this.#room(4)
    this.#bytes.writeUInt32LE(value, at)
    return this
  }

  u64(value: bigint): this {
    const at = this.#room(8)
    this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at)
    return this
  }

  f64(value: number): this {
    const at = this.#room(8)
    this.#bytes.writeDoubleLE(value, at)
    return this
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#room(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }

  text(text: string): this {
    return this.bytes(Buffer.from(text, 'utf16le'))
  }

  /** Text behind its length in one byte. */
  shortText(text: string): this {
    return this.u8(text.length).text(text)
  }

  /** Text behind its length in two bytes. */
  longText(text: string): this {
    return this.u16(text.length).text(text)
  }

  /** The first bytes, which are taken out. */
  take(length: number): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, length))
    this.#bytes.copy(this.#bytes, 0, length, this.#length)
    this.#length -= length
    return taken
  }

  /** May take another buffer: ask for room before the buffer is named. */
  #room(length: number): number {
    const start = this.#length
    this.#length += length
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, start)
      this.#bytes = larger
    }
    return start
  }
}
