/** What the server says of a transaction: idle, open, or failed. */
export type TransactionStatus = 'I' | 'T' | 'E'

/** The part of pg's result that we read. */
export interface PgResult {
  readonly command: string | null
  readonly rowCount: number | null
  readonly rows: Record<string, unknown>[]
  readonly fields: readonly PgField[]
}

export interface PgField {
  readonly name: string
  readonly dataTypeID: number
  readonly format: string
}

/** The part of a socket that we use; a TLS socket and a stream of the user's own have it as well. */
export interface PgStream {
  readonly destroyed: boolean
  readonly writable: boolean
  readonly remoteAddress?: string
  readonly remotePort?: number
  ref?(): void
  cork?(): void
  uncork?(): void
  write(...all: [bytes: Uint8Array, ...unknown[]]): unknown
  destroy(): unknown
  once(event: 'close', listener: () => void): unknown
}

/** The part of `pg.Connection`, which speaks the protocol, that we use. */
export interface PgConnection {
  /** The socket, and from the TLS handshake on the TLS socket. */
  readonly stream: PgStream
  /** Prepared statements that pg believes the server to have. */
  parsedStatements: Record<string, string>
  submittedNamedStatements?: Record<string, string>
  connect(port: number | string, host?: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: number): void
  parse(statement: { text: string; name: string }): void
  bind(binding: { portal: string; statement: string; values: readonly unknown[] }): void
  describe(target: { type: 'P' | 'S'; name: string }): void
  execute(portal: { portal: string; rows: number }): void
  close(target: { type: 'P' | 'S'; name: string }): void
  sendCopyFail(reason: string): void
  flush(): void
  sync(): void
  end(): void
  on(event: 'error' | 'errorMessage', listener: (error: Error) => void): unknown
  on(event: 'connect' | 'sslconnect' | 'end', listener: () => void): unknown
  on(event: 'readyForQuery', listener: (message: { status: TransactionStatus }) => void): unknown
  on(event: 'parameterStatus', listener: (message: ParameterStatus) => void): unknown
  once(event: 'end', listener: () => void): unknown
}

interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

/** The part of `pg.Query`, one statement on its way, that we use. */
export interface PgQuery {
  /** Sends the messages of the extended protocol. */
  prepare(connection: unknown): void
}

export type PgQueryClass = new (config: {
  text: string
  values: readonly unknown[]
  rows?: number
}) => PgQuery

/** What `client.query` takes besides texts: pg calls these methods as the server's messages arrive. */
export interface Submittable {
  callback?: (error: Error | undefined, result?: unknown) => void
  submit(connection: PgConnection): Error | null
  handleRowDescription(message: { fields: readonly PgField[] }): void
  handleDataRow(message: { fields: readonly (string | null)[] }): void
  handlePortalSuspended(): void
  handleCommandComplete(): void
  handleEmptyQuery(): void
  handleCopyInResponse(connection: PgConnection): void
  handleCopyData(): void
  handleReadyForQuery(): void
  handleError(error: Error): void
}

/** The part of `pg.Client` that we use; the user sees his own `pg.Client`. */
export interface PgClient {
  readonly connection: PgConnection
  readonly host: string
  readonly port: number
  readonly processID: number | null
  readonly secretKey: number | null
  readonly ssl: boolean | object
  /** Values are read in binary, where the server can write them so. */
  readonly binary?: boolean
  readonly connectionParameters?: { readonly query_timeout?: unknown }
  readonly sslNegotiation?: string
  /** False while a statement is in flight; not there before the connection is. */
  readonly readyForQuery?: boolean
  /** Waiting statements, by the name that has no deprecation notice; older versions of pg do not have it. */
  readonly _queryQueue?: readonly unknown[]
  /** Statements sent behind the one in flight; only where pg can pipeline. */
  readonly _sentQueryQueue?: readonly unknown[]
  /** The end of the connection is wanted. */
  _ending?: boolean
  pipeline?: boolean
  connect(): Promise<unknown>
  query(
    text: string | { text: string; values: readonly unknown[]; name?: string },
  ): Promise<PgResult | PgResult[]>
  query(submittable: Pick<Submittable, 'submit'> | PgQuery): unknown
  getTypeParser(type: number, format: string, own?: unknown): (value: string) => unknown
  ref(): void
  unref(): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

export type PgClientClass = new (config: object) => PgClient

/** The `pg` package as the user imports it. */
export interface PgModule<C> {
  readonly Client: new (config: never) => C
}

/** Linux, whose limit is the highest, numbers processes up to this. */
const MOST_PROCESSES = 2 ** 22

/** What answered the login gave no number that a process can have: a pooler, where PgBouncer tells 32 random bits. */
export function isSurelyPooler({ processID }: PgClient): boolean {
  return processID !== null && (processID < 1 || processID > MOST_PROCESSES)
}

/** A statement is in flight or waits for its turn. */
export function isBusy(client: PgClient): boolean {
  return inFlight(client) > 0 || (client._queryQueue?.length ?? 0) > 0
}

/** Statements that pg has sent, and whose answers it waits for. */
export function inFlight({ readyForQuery, _sentQueryQueue }: PgClient): number {
  return (readyForQuery === true ? 0 : 1) + (_sentQueryQueue?.length ?? 0)
}
