/** The part of a socket that we use. */
export interface Socket {
  readonly destroyed: boolean
  destroy(error?: Error): unknown
  ref?(): unknown
  unref?(): unknown
  on(event: string, listener: (...args: never[]) => void): unknown
}

/** A type as `TYPES` of tedious has it. */
export interface TediousType {
  readonly id: number
  readonly name: string
  validate(value: unknown, collation?: unknown): unknown
}

export interface Column {
  readonly value: unknown
  readonly metadata: { readonly colName: string }
}

export interface TypeFacts {
  readonly length?: number
  readonly precision?: number
  readonly scale?: number
}

/** A statement on its way, as tedious has it. */
export interface TediousRequest {
  handle?: number | undefined
  addParameter(name: string, type: TediousType, value: unknown, facts?: TypeFacts): void
  pause(): void
  resume(): void
  // biome-ignore lint/suspicious/noExplicitAny: each event has its own arguments
  on(event: string, listener: (...args: any[]) => void): unknown
}

type Done = (error?: Error | null) => void

/** The part of a connection of tedious that we use. */
export interface TediousConnection {
  readonly config: { readonly options: Readonly<Record<string, unknown>> }
  /** What the server has told of its transactions. */
  readonly inTransaction: boolean
  readonly state: { readonly name: string }
  /** Where a redirecting server has sent the client. */
  readonly routingData?: { readonly server: string; readonly port: number } | undefined
  connect(done: Done): void
  close(): void
  cancel(): boolean
  reset(done: Done): void
  execSql(request: TediousRequest): void
  execSqlBatch(request: TediousRequest): void
  prepare(request: TediousRequest): void
  execute(request: TediousRequest, values: Record<string, unknown>): void
  beginTransaction(done: Done, name: string, isolation: number): void
  commitTransaction(done: Done, name?: string): void
  rollbackTransaction(done: Done, name?: string): void
  saveTransaction(done: Done, name: string): void
  transitionTo(state: unknown): void
  // biome-ignore lint/suspicious/noExplicitAny: each event has its own arguments
  on(event: string, listener: (...args: any[]) => void): unknown
}

/** The `tedious` package as the user imports it. */
export interface TediousModule<C> {
  Connection: new (config: never) => C
  Request: new (sql: never, done: never) => unknown
  TYPES: object
}

/** The same, as we use it. */
export interface Package {
  readonly Connection: new (config: object) => TediousConnection
  readonly Request: new (
    sql: string,
    done: (error: Error | null | undefined, rowCount?: number) => void,
  ) => TediousRequest
  readonly TYPES: Readonly<Record<string, TediousType>>
}
