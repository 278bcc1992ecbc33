import type { Knex } from 'knex'

/** A statement on its way through Knex. */
export interface Order {
  readonly sql: string
  readonly bindings?: readonly unknown[]
  readonly method?: string
  /** What the package answered. */
  response?: unknown
  /** Of a write on SQLite. */
  context?: { lastID: number | bigint | string | undefined; changes: number }
}

/** What is run: a query, a schema change, a raw text. */
export interface Builder {
  readonly _method?: string
  readonly _timeout?: number
  readonly _options?: readonly unknown[]
  readonly _connection?: unknown
  readonly sql?: unknown
  readonly bindings?: unknown
}

/** What Knex writes on a connection. */
export interface Marked {
  __knexUid?: string
  /** Why it must not be used any more. */
  __knex__disposed?: unknown
}

/** Runs what a builder has made, on one connection. */
export interface Runner {
  builder: Builder
  connection: Marked | undefined
  ensureConnection(work: (runner: Runner, how?: unknown) => Promise<unknown>, how?: unknown): Promise<unknown>
}

/** What Knex asks of its pool. */
export interface KnexPool {
  acquire(): { promise: Promise<object> }
  release(connection: object): boolean
  destroy(): Promise<unknown>
}

/** The part of Knex's clients, one for each dialect, that ours build on. */
export interface KnexClient {
  readonly config: Knex.Config
  readonly logger: { warn(message: string): void }
  readonly driverName: string
  /** It is the client of a transaction. */
  readonly transacting?: boolean
  readonly searchPath?: unknown
  readonly canCancelQuery?: boolean
  connectionSettings: Record<string, unknown>
  connectionConfigProvider: unknown
  connectionConfigExpirationChecker: unknown
  driver: unknown
  version: string | null | undefined
  pool: KnexPool | undefined
  _ownsPool: boolean
  _driver(): unknown
  initializeDriver(): void
  initializePool(config?: Knex.Config): void
  getPoolSettings(pool: Knex.PoolConfig | undefined): Record<string, unknown>
  acquireConnection(): Promise<Marked>
  releaseConnection(connection: object): Promise<void>
  destroy(callback?: (error?: unknown) => void): Promise<void>
  checkVersion?(connection: object): Promise<string | null | undefined>
  setSchemaSearchPath?(connection: object): Promise<unknown>
  cancelQuery(connection: object): unknown
  runner(builder: Builder): Runner
  _query(connection: object, order: Order): Promise<Order>
  _stream(connection: object, order: Order, stream: NodeJS.WritableStream, options: unknown): Promise<unknown>
}

export type KnexClientClass = new (config: Knex.Config) => KnexClient
