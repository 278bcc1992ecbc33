import type { Socket } from 'node:net'

/** What is wrong with the way from one end to the other. */
export interface Faults {
  /** Milliseconds that everything takes longer. */
  latencyMs: number
  /** Bytes a second that get through. */
  bytesPerSecond: number
  /** Nothing gets through, not even the end of a connection, and nobody is told. */
  silent: boolean
}

export const NO_FAULTS: Readonly<Faults> = Object.freeze({
  latencyMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  silent: false,
})

/** Bytes that may be on their way before the sender is no longer listened to. */
const MOST_BYTES = 256 * 1024
/** A throttled way lets through what this time is worth, then pauses as long. */
const SLICE_MS = 20

/** A piece on its way; without bytes it is the end (FIN). */
interface Piece {
  bytes: Buffer | undefined
  readonly due: number
}

/** One direction of a connection: what is read from one socket is written to the other, through the faults. */
export class FaultPipe {
  #faults: Faults = NO_FAULTS
  readonly #from: Socket
  readonly #to: Socket
  readonly #pieces: Piece[] = []
  #size = 0
  #timer: NodeJS.Timeout | undefined
  /** When the throttle lets the next piece through. */
  #nextAt = 0
  #isFull = false

  constructor(from: Socket, to: Socket) {
    this.#from = from
    this.#to = to
    from.on('data', (bytes: Buffer) => this.#add(bytes))
    from.on('end', () => this.#add(undefined))
    to.on('connect', () => this.#flow())
    to.on('drain', () => {
      this.#isFull = false
      this.#flow()
    })
    to.on('close', () => this.#stop())
  }

  set faults(faults: Faults) {
    this.#faults = faults
    this.#flow()
  }

  /** The receiver is told that the sender has nothing more to say. */
  end(): void {
    this.#to.end()
  }

  #add(bytes: Buffer | undefined): void {
    if (this.#to.destroyed) return
    this.#pieces.push({ bytes, due: performance.now() + this.#faults.latencyMs })
    this.#size += bytes?.length ?? 0
    this.#flow()
  }

  /** Passes on what may pass now, and sees to it that the rest is looked at again. */
  #flow(): void {
    clearTimeout(this.#timer)
    while (!this.#isFull && !this.#faults.silent && !this.#to.pending) {
      const piece = this.#pieces[0]
      if (piece === undefined) break
      const waitMs = Math.max(piece.due, this.#nextAt) - performance.now()
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#flow(), Math.ceil(waitMs))
        break
      }
      this.#pass(piece)
    }
    // What is silent is not read either: the sender's buffers fill up, as on a network that loses everything.
    if (this.#faults.silent || this.#size > MOST_BYTES) this.#from.pause()
    else this.#from.resume()
  }

  #pass(piece: Piece): void {
    const { bytes } = piece
    if (bytes === undefined) {
      this.#pieces.shift()
      this.end()
      return
    }
    const { bytesPerSecond } = this.#faults
    const most = Math.max(1, Math.round((bytesPerSecond * SLICE_MS) / 1000))
    const slice = bytes.subarray(0, most)
    if (slice.length < bytes.length) piece.bytes = bytes.subarray(most)
    else this.#pieces.shift()
    this.#size -= slice.length
    this.#nextAt = performance.now() + (slice.length / bytesPerSecond) * 1000
    if (this.#to.writable) this.#isFull = !this.#to.write(slice)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#pieces.length = 0
    this.#size = 0
  }
}
