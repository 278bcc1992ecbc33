import type { ErrorClass } from '../../../contract/driver.ts'

/** What we can do with a connection that Sequelize has opened by one of its drivers, beyond what Sequelize itself does. */
export interface Care {
  /** Begins to watch a new connection. */
  adopt(connection: object): void | Promise<void>
  /** Asks the server. */
  isAlive(connection: object, signal: AbortSignal): Promise<unknown>
  /** A transaction is open, or a statement in flight. Without it nobody can tell. */
  isDirty?(connection: object): boolean
  /** Ends the open transaction. */
  rollBack?(connection: object): Promise<unknown>
  /** Who is told when the connection ends, once. */
  onLost(connection: object, lost: (error: unknown) => void): void
  /** Goes before Sequelize's own goodbye. */
  beforeClose(connection: object): void | Promise<void>
  /** Closes the socket without a word. */
  destroy(connection: object): void
  /** What the driver's own error says of the server that refused to connect. */
  classify?(error: unknown): ErrorClass
  ref?(connection: object): void
  unref?(connection: object): void
}
