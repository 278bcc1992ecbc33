import type { Row } from '../../contract/sql-driver.ts'
import type { Opening } from './engine.ts'
import type { Library } from './library.ts'
import type { Order, Seat, Timed } from './seat.ts'
import type { Reply } from './serve.ts'
import { Thread } from './thread.ts'

/** Rows that come in one message: enough to make the way worth while, too few to hold up the event loop. */
const BATCH = 500

/** A connection in a thread of its own. */
export class ThreadSeat implements Seat {
  readonly native = undefined
  readonly #thread: Thread

  constructor(library: Library, opening: Opening) {
    const { kind, place } = library
    this.#thread = new Thread({ kind, place, opening })
  }

  /** Told when the thread ends by itself. */
  onDeath(told: (error: Error) => void): void {
    this.#thread.onDeath = told
  }

  get isAlive(): boolean {
    return this.#thread.isAlive
  }

  get inTransaction(): boolean {
    return this.#thread.inTransaction
  }

  async run(order: Order): Promise<Timed> {
    let reply = await this.#thread.ask({ op: 'run', ...order, batch: BATCH })
    const { names = [], changes, insertId, ms = 0 } = reply
    const rows = rowsOf(reply)
    // One batch at a time: a hundred of them in one turn of the event loop would be one long turn.
    while (reply.done === false) {
      reply = await this.#thread.ask({ op: 'more', batch: BATCH })
      for (const row of rowsOf(reply)) rows.push(row)
    }
    return { rows, names, changes: changes ?? rows.length, insertId, ms }
  }

  async script(text: string, writable: boolean): Promise<void> {
    await this.#thread.ask({ op: 'script', text, writable })
  }

  async *batches(order: Order, batch: number): AsyncGenerator<Row[], void, undefined> {
    let reply = await this.#thread.ask({ op: 'run', ...order, batch })
    try {
      yield rowsOf(reply)
      while (reply.done === false) {
        reply = await this.#thread.ask({ op: 'more', batch })
        yield rowsOf(reply)
      }
    } catch (error) {
      reply = { ...reply, done: true }
      throw error
    } finally {
      if (reply.done === false && this.isAlive) await this.#thread.ask({ op: 'end' })
    }
  }

  interrupt(): void {
    this.#thread.interrupt()
  }

  async renew(): Promise<void> {
    await this.#thread.ask({ op: 'open' })
  }

  close(): Promise<void> {
    return this.#thread.close()
  }

  ref(): void {
    this.#thread.ref()
  }

  unref(): void {
    this.#thread.unref()
  }
}

function rowsOf({ names = [], values = [] }: Reply): Row[] {
  const rows: Row[] = []
  for (let at = 0; at < values.length; ) {
    const row: Row = {}
    for (const name of names) row[name] = received(values[at++])
    rows.push(row)
  }
  return rows
}

/** A Buffer loses its class on the way. */
function received(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
