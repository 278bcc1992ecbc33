import type { Row } from '../../contract/sql-driver.ts'
import type { Answers } from './answers.ts'

/** The part of a socket that we use; TLS over it and a stream of the user's own have it as well. */
export interface Stream {
  readonly destroyed: boolean
  destroy(error?: Error): unknown
  on(event: string, listener: (...args: never[]) => void): unknown
  ref?(): unknown
  unref?(): unknown
}

/** What each package does in its own way with one connection. */
export interface Speaker {
  /** The number by which the server can be told to stop this session. */
  readonly threadId: number
  readonly answers: Answers
  /** A statement is in flight or waits for its turn. */
  readonly isBusy: boolean
  /** The user himself has ended it, or it has failed. */
  readonly isEnded: boolean
  /** The socket, or TLS over it. */
  readonly stream: Stream
  /** Registers who is told of errors that belong to no statement: the connection is gone. */
  onError(told: (error: unknown) => void): void
  /** Runs a statement of our own. */
  ask(sql: string): Promise<Row[]>
  ping(): Promise<void>
  /** COM_RESET_CONNECTION, which also forgets prepared statements; false where package or server do not know it. */
  resetSession(): Promise<boolean>
  /** Logs in anew on the same connection: does the same, for servers from before 2014. */
  changeUser(): Promise<void>
  /** Says goodbye; the server then closes its side. */
  quit(): void
}
