import type { Stream } from '../mysql-family/speaker.ts'

/** What comes instead of rows. */
export interface OkPacket {
  readonly affectedRows: number
  readonly insertId: bigint | number | string
}

/** The columns of a result. */
export interface Column {
  name(): string
}

/** A statement whose rows are emitted one by one. */
interface RowStream {
  on(event: 'data', listener: (row: unknown) => void): unknown
  on(event: 'fields', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
  pause(): unknown
  resume(): unknown
}

/** The part of a connection of the `mariadb` package that we use. */
export interface MariadbConnection {
  readonly threadId: number | null
  readonly info: { readonly status: number | null } | null
  query(sql: string | object, values?: unknown): Promise<unknown>
  execute(sql: string | object, values?: unknown): Promise<unknown>
  queryStream(sql: string | object, values?: unknown): RowStream
  ping(): Promise<void>
  isValid(): boolean
  reset(): Promise<void>
  changeUser(options?: object): Promise<void>
  end(): Promise<void>
  // biome-ignore lint/suspicious/noExplicitAny: listeners of events that we do not know
  on(event: string, listener: (...args: any[]) => void): unknown
}

/** The connection behind it, which emits the events. */
export interface Inner {
  readonly socket?: (Stream & { write(bytes: Uint8Array): unknown }) | null
  readonly opts: {
    readonly user?: unknown
    readonly password?: unknown
    readonly database?: unknown
    readonly compress?: boolean
    readonly pipelining?: boolean
    readonly sessionVariables?: object
  }
  readonly receiveQueue: {
    push(command: { once(event: 'end', listener: (error?: unknown) => void): unknown }): number
    readonly length: number
    peekAt(index: number): { readonly onPacketReceive?: unknown } | undefined
  }
  executeSessionVariableQuery?(): Promise<unknown>
}

/** The `mariadb` package as the user imports it. */
export interface MariadbModule<C> {
  createConnection(config: never): PromiseLike<C>
}

/** The package keeps its inner connection private, but an event emitter calls its listeners on itself. */
export function innerOf(connection: MariadbConnection): Inner {
  let inner: unknown
  connection.on('newListener', function (this: unknown) {
    inner ??= this
  })
  connection.on('error', () => undefined)
  return inner as Inner
}
