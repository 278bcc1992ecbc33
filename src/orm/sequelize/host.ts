/** What Sequelize takes for its `pool`. */
export interface SequelizePoolSettings {
  readonly max?: number
  readonly min?: number
  readonly idle?: number
  readonly acquire?: number
  readonly evict?: number
  readonly maxUses?: number
  readonly validate?: (connection: object) => boolean
}

/** Options of one server to connect to, as this Sequelize keeps them. */
export type Target = Record<string, unknown>

type ErrorClassOf<A extends unknown[]> = new (...args: A) => Error

/** The user's own classes of errors, which are members of his `Sequelize`. */
export interface ErrorClasses {
  readonly ConnectionAcquireTimeoutError: ErrorClassOf<[unknown, unknown?]>
  readonly ConnectionTimedOutError: ErrorClassOf<[unknown]>
  readonly BaseError: ErrorClassOf<[]>
}

/** What an attachment needs of a Sequelize, in the words of neither version. */
export interface Host {
  readonly version: '6' | '7'
  readonly dialect: string
  /** The driver is a native client, whose protocol nobody can watch. */
  readonly isNative: boolean
  /** As the user gave it. */
  readonly settings: SequelizePoolSettings
  readonly writer: Target
  /** Empty without replication. */
  readonly readers: readonly Target[]
  readonly errors: ErrorClasses
  readonly isClosed: boolean
  /** Lets no connect last longer than that, where the driver has no limit of its own. */
  limitConnects(limitMs: number): void
  /** With the hooks, and with what Sequelize must know of the server. */
  connect(target: Target): Promise<object>
  disconnect(connection: object): Promise<unknown>
  /** The driver's flags; no question to the server. */
  validate(connection: object): boolean
  /** A statement that costs nothing. */
  ask(connection: object): Promise<unknown>
  runHooks(name: string, ...args: unknown[]): Promise<unknown>
  /** Calls `look` with the next connection that Sequelize gets, wherever from. */
  onNextAcquire(look: (connection: object) => void): void
  /** Where Sequelize looks for its pool. */
  readonly owner: object
}

/** The part of a Sequelize's version that its features depend on, such as 16.2.0 of "PostgreSQL 16.2 (Debian ...)". */
export function coerceVersion(text: string): string | undefined {
  const found = /(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(text)
  return found === null ? undefined : `${found[1]}.${found[2] ?? 0}.${found[3] ?? 0}`
}
