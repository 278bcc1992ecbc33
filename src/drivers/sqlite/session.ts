import type { ResetDepth } from '../../contract/driver.ts'
import { TransactionError } from '../../contract/errors.ts'
import type { BeginOptions, QueryResult, Row, SavepointMove } from '../../contract/sql-driver.ts'
import { isRefusedWrite } from './errors.ts'
import { type NearReader, resultOf } from './near.ts'
import { bindable } from './params.ts'
import { Patience } from './patience.ts'
import type { Order, Seat } from './seat.ts'
import { learnRead, type TextFacts, type Texts } from './texts.ts'
import type { WriterLock } from './writer-lock.ts'

/** What the sessions of one driver have in common. */
export interface Common {
  readonly texts: Texts
  readonly near: NearReader
  readonly lock: WriterLock
  readonly busyTimeoutMs: number
  /** Nothing may ever write. */
  readonly readOnly: boolean
  /** All sessions sit on one connection: whoever uses it needs the lock, readers too. */
  readonly shared: boolean
}

/** What the pool lends: a connection that reads whenever it likes, and writes when it is its turn. */
export class Session {
  readonly #seat: Seat
  readonly #common: Common
  readonly #patience: Patience
  #hasLock = false
  /** A transaction was begun by `begin`: how, and until when. */
  #transaction: 'none' | 'writes' | 'reads' = 'none'
  /** Others' connections lack what this session made or set. */
  #isPersonal = false
  #running = 0
  #tail: Promise<unknown> = Promise.resolve()

  constructor(seat: Seat, common: Common) {
    this.#seat = seat
    this.#common = common
    this.#patience = new Patience(common.lock, common.busyTimeoutMs)
    common.near.retain()
  }

  get seat(): Seat {
    return this.#seat
  }

  get native(): unknown {
    return this.#seat.native
  }

  get isDirty(): boolean {
    return this.#running > 0 || this.#transaction !== 'none' || this.isInTransaction
  }

  async query(text: string, given: readonly unknown[], readOnly: boolean): Promise<QueryResult> {
    const { texts, near } = this.#common
    const facts = texts.look(text)
    const params = bindable(given)
    if (this.#isPlain) {
      const answer = near.answer(facts, text, params)
      if (answer !== undefined) return answer
    }
    return this.#inTurn(() => this.#run(facts, { text, params, byRows: facts.byRows }, readOnly))
  }

  begin({ readOnly = false }: BeginOptions): Promise<void> {
    return this.#inTurn(async () => {
      this.#assertAlive()
      const reads = readOnly || this.#common.readOnly
      if (!reads || this.#common.shared) await this.#takeLock()
      await this.#command(reads ? 'BEGIN' : 'BEGIN IMMEDIATE', !reads)
      this.#transaction = reads ? 'reads' : 'writes'
    })
  }

  commit(): Promise<void> {
    return this.#inTurn(async () => {
      this.#assertStillOpen()
      await this.#command('COMMIT', this.#transaction !== 'reads', 'again')
      this.#transaction = 'none'
    })
  }

  rollback(): Promise<void> {
    return this.#inTurn(() => this.#undo())
  }

  savepoint(name: string, move: SavepointMove): Promise<void> {
    const words = { set: 'SAVEPOINT', release: 'RELEASE', rollback: 'ROLLBACK TO' }
    return this.#inTurn(async () => {
      this.#assertStillOpen()
      await this.#command(`${words[move]} "${name.replaceAll('"', '""')}"`, this.#hasLock)
    })
  }

  async *stream(
    text: string,
    given: readonly unknown[],
    batch: number,
  ): AsyncGenerator<Row, void, undefined> {
    const facts = this.#common.texts.look(text)
    const params = bindable(given)
    const leave = await this.#enter()
    try {
      this.#assertStillOpen()
      const order = { text, params, byRows: true, writable: this.#hasLock }
      if (facts.byRows && facts.verdict !== 'writes' && !facts.script) {
        if (this.#common.shared) await this.#takeLock()
        for await (const rows of this.#seat.batches(order, batch)) yield* rows
        return
      }
      // What writes has done all of its work before it gives its first row.
      yield* (await this.#run(facts, { ...order, byRows: false }, false)).rows
    } finally {
      this.#settle()
      leave()
    }
  }

  /** Ends what is under way as soon as it can be ended; what comes later is not touched. */
  cancel(): void {
    if (this.#running === 0) return
    this.#patience.stop()
    this.#seat.interrupt()
  }

  async reset(how: ResetDepth): Promise<void> {
    await this.#inTurn(async () => {
      await this.#undo()
      if (how === 'rollback') return
      if (this.#common.shared) await this.#takeLock()
      await this.#seat.renew()
      this.#isPersonal = false
    })
  }

  async close(): Promise<void> {
    this.cancel()
    if (this.#common.shared && this.isInTransaction) await this.#undo()
    try {
      await this.#seat.close()
    } finally {
      this.died()
      this.#common.near.release()
    }
  }

  /** The connection is no more: others may write. */
  died(): void {
    if (this.#hasLock) this.#common.lock.give()
    this.#hasLock = false
  }

  /** Runs a statement where it may do what it does: where that is not known, where it cannot do any harm. */
  async #run(facts: TextFacts, order: Omit<Order, 'writable'>, readOnly: boolean): Promise<QueryResult> {
    this.#assertStillOpen()
    const { shared } = this.#common
    const mayWrite = !readOnly && !this.#common.readOnly && this.#transaction !== 'reads'
    if (shared || (mayWrite && (facts.verdict === 'writes' || facts.script))) await this.#takeLock()
    const known = facts.verdict === 'writes' || facts.script || this.isInTransaction
    const writable = mayWrite && this.#hasLock && (known || !shared)
    try {
      return await this.#execute(facts, { ...order, writable })
    } catch (error) {
      if (writable || !mayWrite || !isRefusedWrite(error)) throw error
    } finally {
      this.#settle()
    }
    facts.verdict = 'writes'
    await this.#takeLock()
    try {
      return await this.#execute(facts, { ...order, writable: true, byRows: false })
    } finally {
      this.#settle()
    }
  }

  async #execute(facts: TextFacts, order: Order): Promise<QueryResult> {
    // Whatever comes of it, something may be left behind.
    if (facts.leaves) this.#isPersonal = true
    if (facts.script) {
      if (order.params.length > 0) throw new TypeError('several statements in one text take no parameters')
      await this.#patience.whileBusy(this.isInTransaction, () =>
        this.#seat.script(order.text, order.writable),
      )
      return { rows: [], rowCount: 0, fields: [] }
    }
    const outcome = await this.#patience.whileBusy(this.isInTransaction, () => this.#seat.run(order))
    if (!order.writable) learnRead(facts, outcome.ms, this.#seat.native !== undefined)
    return resultOf(facts, outcome)
  }

  async #command(text: string, writable: boolean, inTransaction?: 'again'): Promise<void> {
    const once = inTransaction !== 'again' && this.isInTransaction
    await this.#patience.whileBusy(once, () => this.#seat.run({ text, params: [], byRows: false, writable }))
  }

  async #undo(): Promise<void> {
    this.#transaction = 'none'
    if (this.isInTransaction) await this.#command('ROLLBACK', this.#hasLock)
  }

  /** The lock is kept for as long as a transaction is open, whoever opened it and how. */
  #settle(): void {
    if (this.#hasLock && !(this.#seat.isAlive && this.#seat.inTransaction)) this.died()
  }

  async #takeLock(): Promise<void> {
    if (this.#hasLock) return
    await this.#patience.forLock()
    this.#hasLock = true
  }

  /** Statements of one session run one after another; a reset waits for them. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.#enter()
    try {
      return await work()
    } finally {
      this.#settle()
      leave()
    }
  }

  async #enter(): Promise<() => void> {
    const before = this.#running === 0 ? undefined : this.#tail
    let leave: () => void = () => undefined
    this.#tail = new Promise<void>((resolve) => {
      leave = () => {
        this.#running--
        resolve()
      }
    })
    this.#running++
    await before
    this.#patience.start()
    return leave
  }

  get #isPlain(): boolean {
    return this.#running === 0 && !this.#isPersonal && !this.isInTransaction && this.#transaction === 'none'
  }

  /** On a shared connection the transaction is the one of whoever has the lock. */
  get isInTransaction(): boolean {
    return this.#seat.inTransaction && (this.#hasLock || !this.#common.shared)
  }

  #assertAlive(): void {
    if (!this.#seat.isAlive) throw new Error('the connection is closed')
  }

  /** Some errors end a transaction (a full disk, ON CONFLICT ROLLBACK): what follows would be committed statement by statement. */
  #assertStillOpen(): void {
    this.#assertAlive()
    if (this.#transaction === 'none' || this.isInTransaction) return
    throw new TransactionError(
      'TRANSACTION_ABORTED',
      'SQLite has rolled the transaction back after an error: nothing of it took effect',
    )
  }
}
