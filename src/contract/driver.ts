/** What an error says about the connection it came from, or about the server behind it. */
export type ErrorClass =
  /** The statement's own fault; the connection is fine. */
  | 'statement'
  /** A serialization failure or a deadlock: the same transaction may succeed when it is run again. */
  | 'conflict'
  /** The connection is gone or can no longer be trusted. */
  | 'fatal'
  /** The server may have been demoted: it refused a write as a read-only server does. */
  | 'stale'
  /** Connecting again cannot help: a wrong password, no such database. */
  | 'permanent'
  /** The server has no connection left to give. */
  | 'exhausted'

/** `rollback` ends an open transaction; `full` makes the session as it was after connecting. */
export type ResetDepth = 'rollback' | 'full'

/**
 * All that a pool needs to know about a resource. What comes after `close` is optional, and a pool uses what is there;
 * methods give values or promises.
 */
export interface Driver<R> {
  /** Names the pool where the user did not, e.g. `pg`. */
  readonly name: string
  /** Opens one connection. Once `signal` is aborted nobody waits for it; should it succeed all the same, it is closed. */
  connect(context: { signal: AbortSignal }): Promise<R>
  /** Called exactly once for each connection, lost ones included. */
  close(connection: R): void | Promise<void>
  /** The liveness check: false or an error means that the connection must not be lent. */
  isAlive?(connection: R, context: { signal: AbortSignal }): boolean | Promise<boolean>
  /** Tells from the protocol, without I/O, that a transaction is open or a statement is still in flight. */
  isDirty?(connection: R): boolean
  /** Waits for statements in flight, then cleans the session. */
  reset?(connection: R, how: ResetDepth): void | Promise<void>
  /** What an error means. Without it a failed connect is taken for transient, a failed statement for its own fault. */
  classify?(error: unknown, during: 'connect' | 'statement'): ErrorClass
  /** Asks a connection whose error was `stale` whether its server really is read-only. */
  confirmStale?(connection: R): Promise<boolean>
  /** Registers, for the life of the connection, who is told when the driver notices that it died. */
  onLost?(connection: R, lost: (error: unknown) => void): void
  /** The connection keeps the process alive. */
  ref?(connection: R): void
  /** The connection no longer keeps the process alive. Needed by `exitWhenIdle`. */
  unref?(connection: R): void
}
