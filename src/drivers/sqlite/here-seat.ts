import type { Row } from '../../contract/sql-driver.ts'
import type { Breath } from './breath.ts'
import type { Engine } from './engine.ts'
import type { Order, Seat, Timed } from './seat.ts'

/** A connection in the calling thread: a statement is over before anybody else gets to run. */
export class HereSeat implements Seat {
  readonly #open: (again: boolean) => Engine
  readonly #breath: Breath
  #engine: Engine
  #isAlive = true
  #stopped = false

  /** @param open opens the connection, `again` for a session that must be as new */
  constructor(open: (again: boolean) => Engine, breath: Breath) {
    this.#open = open
    this.#breath = breath
    this.#engine = open(false)
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  get inTransaction(): boolean {
    return this.#isAlive && this.#engine.inTransaction()
  }

  get native(): unknown {
    return this.#engine.native
  }

  async run({ text, params, writable }: Order): Promise<Timed> {
    await this.#turn()
    const start = performance.now()
    this.#engine.allowWrites(writable)
    return { ...this.#engine.run(text, params), ms: performance.now() - start }
  }

  async script(text: string, writable: boolean): Promise<void> {
    await this.#turn()
    this.#engine.allowWrites(writable)
    this.#engine.script(text)
  }

  async *batches(order: Order, batch: number): AsyncGenerator<Row[], void, undefined> {
    await this.#turn()
    this.#engine.allowWrites(order.writable)
    const cursor = this.#engine.open(order.text, order.params)
    let isOver = false
    this.#stopped = false
    try {
      while (!isOver) {
        const rows: Row[] = []
        while (rows.length < batch && !isOver) {
          if (this.#stopped) throw Object.assign(new Error('interrupted'), { code: 'SQLITE_INTERRUPT' })
          const row = cursor.next()
          if (row === undefined) isOver = true
          else rows.push(row)
        }
        yield rows
        await this.#turn()
      }
    } catch (error) {
      // An error ends the statement, and the library has closed it.
      isOver = !this.#stopped
      throw error
    } finally {
      if (!isOver && this.#isAlive) cursor.close()
    }
  }

  interrupt(): void {
    this.#stopped = true
  }

  async renew(): Promise<void> {
    this.#engine.close()
    this.#engine = this.#open(true)
  }

  async close(): Promise<void> {
    if (!this.#isAlive) return
    this.#isAlive = false
    this.#engine.close()
  }

  /** There is no thread to be kept alive. */
  ref(): void {}

  unref(): void {}

  async #turn(): Promise<void> {
    while (this.#breath.isShort(performance.now())) await this.#breath.rest()
    if (!this.#isAlive) throw new Error('the connection is closed')
  }
}
