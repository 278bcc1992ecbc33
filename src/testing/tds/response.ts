import type { Socket } from 'node:net'
import type { Sink } from '../tsql/context.ts'
import type { SqlError } from '../tsql/error.ts'
import type { Listener } from '../tsql/session.ts'
import type { Column, Plain, Value } from '../tsql/value.ts'
import { ByteWriter } from './bytes.ts'
import { HEADER_BYTES, MESSAGE, packetOf } from './packet.ts'
import {
  CHANGE,
  DONE,
  descriptorOf,
  TOKEN,
  writeByteChange,
  writeColumns,
  writeDone,
  writeMessage,
  writeTextChange,
} from './tokens.ts'
import { writeType } from './types.ts'
import { writeValue } from './values.ts'

const NOTHING = Buffer.alloc(0)

export interface Wire {
  readonly socket: Socket
  readonly spid: number
  readonly packetSize: number
}

/** One message to a client; what does not fit into a packet goes out before the message is complete. */
export class Response implements Sink, Listener {
  readonly out = new ByteWriter()
  readonly #wire: Wire
  /** The token that ends a statement: there is another one inside of a procedure. */
  #doneToken = TOKEN.done
  /** Held back until it is known whether more follows. */
  #pending: { token: number; status: number; count?: number } | undefined
  #columns: readonly Column[] = []
  #packets = 0
  countsRows: () => boolean = () => true

  constructor(wire: Wire) {
    this.#wire = wire
  }

  set isInProcedure(isIn: boolean) {
    this.#doneToken = isIn ? TOKEN.doneInProc : TOKEN.done
  }

  columns(columns: readonly Column[]): void {
    this.#columns = columns
    writeColumns(this.#more(), columns)
  }

  row(values: readonly Plain[]): void | Promise<void> {
    const out = this.#more().u8(TOKEN.row)
    for (const [index, { type }] of this.#columns.entries()) writeValue(out, type, values[index] ?? null)
    return this.#flush()
  }

  done(count?: number): void {
    this.#more()
    const isCounted = count !== undefined && this.countsRows()
    this.#pending = {
      token: this.#doneToken,
      status: isCounted ? DONE.count : 0,
      ...(isCounted && { count }),
    }
  }

  failed(error: SqlError): void {
    writeMessage(this.#more(), error)
    this.#pending = { token: this.#doneToken, status: DONE.error }
  }

  info(message: SqlError): void {
    writeMessage(this.#more(), message)
  }

  transaction(change: 'begin' | 'commit' | 'rollback', id: number): void {
    const descriptor = descriptorOf(id)
    const values = change === 'begin' ? ([descriptor, NOTHING] as const) : ([NOTHING, descriptor] as const)
    writeByteChange(this.#more(), CHANGE[change], values)
  }

  database(now: string, before: string): void {
    writeTextChange(this.#more(), CHANGE.database, [now, before])
  }

  wasReset(): void {
    writeByteChange(this.#more(), CHANGE.reset, [NOTHING, NOTHING])
  }

  /** An output parameter of a procedure. */
  output(place: number, { name, type, plain }: Value & { name: string }): void {
    const out = this.#more().u8(TOKEN.returnValue).u16(place)
    out
      .shortText(name === '' ? '' : `@${name}`)
      .u8(1)
      .u32(0)
      .u16(0)
    writeType(out, type)
    writeValue(out, type, plain)
  }

  /** A procedure has returned. */
  returned(status: number): void {
    const hasFailed = this.#pending !== undefined && (this.#pending.status & DONE.error) !== 0
    this.#more()
      .u8(TOKEN.returnStatus)
      .u32(status >>> 0)
    this.#pending = { token: TOKEN.doneProc, status: hasFailed ? DONE.error : 0 }
  }

  /** The message is complete. */
  end(): void {
    const { token, status, ...rest } = this.#pending ?? { token: TOKEN.done, status: 0 }
    this.finish(token, { status, ...rest })
  }

  /** What was asked for has been cancelled, or never was complete. */
  endCancelled(): void {
    this.finish(TOKEN.done, { status: DONE.error })
  }

  endAcknowledging(): void {
    this.finish(TOKEN.done, { status: DONE.attention })
  }

  finish(token: number, done: { status: number; count?: number }): void {
    this.#pending = undefined
    writeDone(this.out, token, done)
    this.send()
  }

  /** Sends all that there is as the end of the message. */
  send(): void {
    const room = this.#room
    while (this.out.length > room) this.#packet(this.out.take(room), false)
    this.#packet(this.out.take(this.out.length), true)
  }

  get #room(): number {
    return this.#wire.packetSize - HEADER_BYTES
  }

  #more(): ByteWriter {
    const pending = this.#pending
    this.#pending = undefined
    if (pending !== undefined)
      writeDone(this.out, pending.token, { ...pending, status: pending.status | DONE.more })
    return this.out
  }

  #flush(): void | Promise<void> {
    const room = this.#room
    let isFull = false
    while (this.out.length > room) isFull = !this.#packet(this.out.take(room), false)
    if (isFull) return this.#drained()
  }

  #packet(body: Buffer, isLast: boolean): boolean {
    const { socket, spid } = this.#wire
    if (socket.destroyed) return true
    return socket.write(packetOf(body, { type: MESSAGE.response, isLast, number: ++this.#packets, spid }))
  }

  /** A client that does not read holds up what is sent to it. */
  #drained(): Promise<void> {
    const { socket } = this.#wire
    return new Promise((resolve) => {
      const go = () => {
        socket.off('drain', go).off('close', go)
        resolve()
      }
      socket.on('drain', go).on('close', go)
    })
  }
}
