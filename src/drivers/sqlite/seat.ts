import type { Row } from '../../contract/sql-driver.ts'
import type { Outcome } from './engine.ts'

/** A statement on its way to a connection. */
export interface Order {
  readonly text: string
  readonly params: readonly unknown[]
  readonly writable: boolean
  /** Reads, as far as its text tells, so that it can be given up between two rows. */
  readonly byRows: boolean
}

export interface Timed extends Outcome {
  /** How long it took where it ran, for as much of it as ran in one go. */
  readonly ms: number
}

/** Where a session's own connection lives: in a thread, or in the calling one. One statement at a time. */
export interface Seat {
  readonly isAlive: boolean
  readonly inTransaction: boolean
  /** The library's own object, where it lives in the calling thread. */
  readonly native: unknown
  run(order: Order): Promise<Timed>
  script(text: string, writable: boolean): Promise<void>
  /** Rows in batches; leaving early ends the statement. */
  batches(order: Order, batch: number): AsyncGenerator<Row[], void, undefined>
  /** Gives up what runs, if it is of a kind that can be given up. */
  interrupt(): void
  /** The session as after connecting. */
  renew(): Promise<void>
  /** Resolves when nothing of it is left. */
  close(): Promise<void>
  ref(): void
  unref(): void
}
