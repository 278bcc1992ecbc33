import type { EventEmitter } from 'node:events'
import type { Duplex, Readable, Writable } from 'node:stream'
import type { PoolOptions } from '../../contract/options.ts'
import type { PgClient, TransactionStatus } from '../../drivers/pg/client.ts'
import type { PgConfig } from '../../drivers/pg/config.ts'

// The shapes that @types/pg gives, written down here so that nobody needs it.

/** `pg.Client`, or a class made from it. */
// biome-ignore lint/suspicious/noExplicitAny: what pg calls its config, and what a class of one's own makes of it
export type ClientClass<C = PgPoolClient> = new (config?: any) => C

/** Options of pg-pool, with its defaults; all others go to `pg.Client` as they are. `undefined` means the default. */
export interface PgPoolOptions extends Omit<PgConfig, 'port' | 'sslmode'> {
  port?: number | undefined
  /** Most connections. Default 10. */
  max?: number | undefined
  /** Connections kept open, and here also opened, when nobody uses them. Default 0. */
  min?: number | undefined
  /** Milliseconds until an idle connection above `min` is closed. Default 10 000; 0 or null = never. */
  idleTimeoutMillis?: number | null | undefined
  /** Milliseconds that `connect` waits. Default 0 = for ever. */
  connectionTimeoutMillis?: number | undefined
  /** Checkouts that a connection serves. Default Infinity. */
  maxUses?: number | undefined
  /** Seconds that a connection lives. Default 0 = for ever. */
  maxLifetimeSeconds?: number | undefined
  /** Idle connections do not keep the process alive. Default false. */
  allowExitOnIdle?: boolean | undefined
  /** Prepares each new connection. Failing = the connection is closed, and the caller gets the error. */
  onConnect?: ((client: PgPoolClient) => unknown) | undefined
  /** Approves each new connection. */
  verify?: ((client: PgPoolClient, done: (error?: Error) => void) => void) | undefined
  /** Is told what the pool does. */
  log?: ((...messages: unknown[]) => void) | undefined
  /** The class of the promises given out. */
  Promise?: PromiseConstructorLike | undefined
  /** The client's class. Default: that of the installed `pg`. */
  Client?: ClientClass<unknown> | undefined
  /** The user's `pg`: with it the pool is an instance of `pg.Pool` too, for those who ask. */
  pg?: PgPackage | undefined
  /** Milliseconds for which `end` lets a client be that is checked out and does nothing. Default 10 000; Infinity = pg-pool's own way. */
  drainTimeoutMillis?: number | undefined
  /** What rockpool has to offer beyond pg-pool. */
  rockpool?: Omit<PoolOptions<PgClient>, 'reset' | 'onConnect'> | undefined
}

/** The same, where the client's class says what the clients are. */
export interface Config<T> extends PgPoolOptions {
  Client?: ClientClass<T> | undefined
}

/** pg-pool's name for the client's class. */
export type ClientLikeCtr<T> = ClientClass<T>

type InCode =
  | 'Client'
  | 'pg'
  | 'types'
  | 'ssl'
  | 'stream'
  | 'onConnect'
  | 'verify'
  | 'log'
  | 'Promise'
  | 'rockpool'

/** What is read of the options in `pool.options`: those with a default have a value. */
export interface ShownOptions extends Omit<PgPoolOptions, InCode> {
  max: number
  maxUses: number
  allowExitOnIdle: boolean
  maxLifetimeSeconds: number
  idleTimeoutMillis: number | null
}

/** Options as the pool keeps them. */
export type KeptOptions = PgPoolOptions & ShownOptions

/** The part of the package `pg` that is used. */
export interface PgPackage {
  readonly Client: new (config: never) => unknown
  readonly Pool?: unknown
}

/** Values of a statement; pg's own types let programs name the type of theirs. */
export type Values = readonly unknown[]

interface QueryConfig<V = Values> {
  text: string
  name?: string | undefined
  values?: V | undefined
  rowMode?: 'array' | undefined
  types?: object | undefined
}

export interface ArrayConfig<V = Values> extends QueryConfig<V> {
  rowMode: 'array'
}

export interface Submittable {
  submit: (connection: never) => void
}

interface FieldDef {
  name: string
  tableID: number
  columnID: number
  dataTypeID: number
  dataTypeSize: number
  dataTypeModifier: number
  format: string
}

/** pg's own result. */
export interface PgQueryResult<R> {
  rows: R[]
  command: string
  rowCount: number | null
  oid: number
  fields: FieldDef[]
}

/** As loose as pg's rows, which hold what the type parsers make. */
// biome-ignore lint/suspicious/noExplicitAny: a row without a declared type may be used as anything, as with pg
export type AnyRow = any

export type QueryText<V = Values> = string | QueryConfig<V>

export type QueryCallback<R> = (error: Error, result: PgQueryResult<R>) => void

/** `query` in all its forms, as pg's clients and pg's pool have it. */
export interface PgQuery {
  <T extends Submittable>(submittable: T): T
  <R extends unknown[] = AnyRow[], V extends Values = Values>(
    config: ArrayConfig<V>,
    values?: V,
  ): Promise<PgQueryResult<R>>
  <R = AnyRow, V extends Values = Values>(text: QueryText<V>, values?: V): Promise<PgQueryResult<R>>
  <R = AnyRow>(text: QueryText, callback: QueryCallback<R>): void
  <R = AnyRow, V extends Values = Values>(
    text: QueryText<V>,
    values: V | undefined,
    callback: QueryCallback<R>,
  ): void
}

/** `pg.Client` as far as its users go. */
export interface PgPoolClient extends EventEmitter {
  query: PgQuery
  /** Gives it back; with an error or `true` its connection is closed. */
  release(error?: Error | boolean): void
  connect(): Promise<never>
  connect(callback: (error: Error) => void): void
  end(): Promise<void>
  end(callback: (error: Error) => void): void
  user?: string | undefined
  database?: string | undefined
  port: number
  host: string
  password?: string | undefined
  ssl: boolean
  readonly pipeline: boolean
  readonly processID: number
  readonly connection: PgWire
  copyFrom(text: string): Writable
  copyTo(text: string): Readable
  pauseDrain(): void
  resumeDrain(): void
  escapeIdentifier(text: string): string
  escapeLiteral(text: string): string
  setTypeParser(oid: number, ...rest: unknown[]): void
  getTypeParser(oid: number, format?: string): AnyRow
  getTransactionStatus(): TransactionStatus | null
}

/** `pg.Connection`. */
interface PgWire extends EventEmitter {
  readonly stream: Duplex
  bind(config: unknown, more: boolean): void
  execute(config: unknown, more: boolean): void
  parse(query: unknown, more: boolean): void
  query(text: string): void
  describe(message: unknown, more: boolean): void
  close(message: unknown, more: boolean): void
  flush(): void
  sync(): void
  end(): void
}

/** What `connect` calls back with. */
export type ConnectCallback<C = PgPoolClient> = (
  error: Error | undefined,
  client: C | undefined,
  done: (release?: unknown) => void,
) => void
