import type { Stream } from '../mysql-family/speaker.ts'

/** A packet of the server's, as mysql2 hands it around. */
export interface Packet {
  readonly buffer: Buffer
  /** Where its content begins, once the header has been read, and where it ends. */
  readonly offset: number
  readonly end: number
}

/** A command in flight; its `next` is the method that will read the next packet. */
export interface Command {
  readonly next?: unknown
  readonly row?: unknown
  readonly resultsetHeader?: unknown
  readonly infileOk?: unknown
  readonly pingResponse?: unknown
  readonly resetConnectionResponse?: unknown
}

export interface Field {
  readonly name: string
}

/** What comes instead of rows. */
export interface Header {
  readonly affectedRows: number
  readonly insertId: number | string
  /** Of an UPDATE. */
  readonly changedRows?: number
}

type Answer = (error: Error | null, result?: unknown, fields?: unknown) => void

/** A statement whose rows are emitted one by one. */
interface RowCommand {
  on(event: 'result', listener: (row: unknown) => void): unknown
  on(event: 'fields', listener: (fields: unknown) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
}

/** The part of mysql2's connection that we use, which its promise wrapper holds as `connection`. */
export interface Core {
  readonly threadId: number
  readonly stream: Stream
  readonly config: { readonly clientFlags: number }
  /** The statement in flight, and those that wait. */
  readonly _command?: Command | null
  readonly _commands: { readonly length: number }
  /** Packets wait for `resume`. */
  readonly _paused: boolean
  readonly _closing?: boolean
  handlePacket(packet?: Packet): void
  query(options: object, answer: Answer): unknown
  query(options: object): RowCommand
  execute(options: object, answer: Answer): unknown
  execute(options: object): RowCommand
  ping(answer: (error?: Error | null) => void): unknown
  /** From 3.19 on. */
  reset?(answer: (error: Error | null) => void): unknown
  changeUser(options: object, answer: (error: Error | null) => void): unknown
  end(): unknown
  pause(): void
  resume(): void
  on(event: 'error', listener: (error: Error) => void): unknown
  once(event: 'connect', listener: () => void): unknown
  once(event: 'error', listener: (error: Error) => void): unknown
  promise?(): object
}

/** What users see when they pass neither a module nor a type: the part that both `mysql2` and `mysql2/promise` have. */
export interface Mysql2Connection {
  readonly threadId: number
  query(sql: string, values?: unknown): unknown
  execute(sql: string, values?: unknown): unknown
}

/** The package `mysql2` or `mysql2/promise` as the user imports it. */
export interface Mysql2Module<C> {
  createConnection(config: never): C | PromiseLike<C>
}
