import type { Row } from '../../contract/sql-driver.ts'
import type { PgClient, PgConnection, PgField, Submittable } from './client.ts'
import { linkOf } from './link.ts'
import { settledError } from './query.ts'
import { writeValues } from './values.ts'

interface Column {
  readonly name: string
  readonly parse: (value: string) => unknown
}

/** Reads a result `batch` rows at a time; the server computes the next ones when the consumer has taken these. */
export async function* stream(
  client: PgClient,
  text: string,
  values: readonly unknown[],
  batch: number,
): AsyncGenerator<Row, void, undefined> {
  const portal = new Portal(client, { text, values, batch })
  client.query(portal)
  try {
    for (;;) {
      const rows = await portal.next()
      if (rows === undefined) return
      for (const row of rows) yield row
    }
  } catch (error) {
    throw await settledError(client, error)
  } finally {
    await portal.close()
    await linkOf(client).settled()
  }
}

/**
 * One run of the extended protocol, kept open between batches: Parse, Bind, Describe, Execute with a limit, Flush, and
 * for each PortalSuspended an Execute and a Flush, until Sync ends it. pg hands us the server's messages as they come.
 *
 *     running --PortalSuspended--> suspended --next()--> running
 *     running, suspended --last row, error, close()--> ending (Sync is sent) --ReadyForQuery--> ended
 */
class Portal implements Submittable {
  /** pg's own `query_timeout` puts itself in its place. */
  callback: NonNullable<Submittable['callback']> = () => undefined
  readonly #client: PgClient
  readonly #text: string
  readonly #values: readonly unknown[]
  readonly #batch: number
  #state: 'running' | 'suspended' | 'ending' | 'ended' = 'running'
  #connection: PgConnection | undefined
  #columns: Column[] = []
  #rows: Row[] = []
  #isDiscarding = false
  #failure: { error: Error } | undefined
  #change: () => void = () => undefined

  constructor(
    client: PgClient,
    { text, values, batch }: { text: string; values: readonly unknown[]; batch: number },
  ) {
    this.#client = client
    this.#text = text
    this.#values = values
    this.#batch = batch
  }

  /** The next rows; nothing at the end. */
  async next(): Promise<Row[] | undefined> {
    if (this.#state === 'suspended') this.#fetch()
    while (this.#state === 'running' || this.#state === 'ending') await this.#changed()
    if (this.#failure !== undefined) throw this.#failure.error
    const rows = this.#rows
    this.#rows = []
    return rows.length === 0 && this.#state === 'ended' ? undefined : rows
  }

  /** Leaves the connection as it was: the rest of the batch on its way is thrown away, and the portal with it. */
  async close(): Promise<void> {
    this.#isDiscarding = true
    this.#end()
    while (this.#state !== 'ended') await this.#changed()
  }

  submit(connection: PgConnection): Error | null {
    let values: readonly unknown[]
    try {
      values = writeValues(this.#client, this.#values)
    } catch (error) {
      return error as Error // pg gives it to handleError; nothing has been sent
    }
    this.#connection = connection
    connection.stream.cork?.()
    connection.parse({ text: this.#text, name: '' })
    connection.bind({ portal: '', statement: '', values })
    connection.describe({ type: 'P', name: '' })
    this.#fetch()
    connection.stream.uncork?.()
    return null
  }

  handleRowDescription({ fields }: { fields: readonly PgField[] }): void {
    this.#columns = fields.map(({ name, dataTypeID, format }) => ({
      name,
      parse: this.#client.getTypeParser(dataTypeID, format ?? 'text'),
    }))
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    if (this.#isDiscarding) return
    try {
      const row: Row = {}
      this.#columns.forEach(({ name, parse }, index) => {
        const value = fields[index] ?? null
        row[name] = value === null ? null : parse(value)
      })
      this.#rows.push(row)
    } catch (error) {
      this.#fail(error as Error) // a type parser of the user's
    }
  }

  handlePortalSuspended(): void {
    if (this.#state !== 'running') return
    this.#state = 'suspended'
    this.#change()
  }

  handleCommandComplete(): void {
    this.#end()
  }

  handleEmptyQuery(): void {
    this.#end()
  }

  handleCopyInResponse(connection: PgConnection): void {
    connection.sendCopyFail('a stream of rows cannot feed a COPY')
  }

  handleCopyData(): void {}

  handleReadyForQuery(): void {
    this.#ended()
  }

  /** After an error of the server a ReadyForQuery follows, but pg does not pass it on. */
  handleError(error: Error): void {
    this.#fail(error)
    this.#ended()
  }

  #fetch(): void {
    this.#state = 'running'
    this.#connection?.execute({ portal: '', rows: this.#batch })
    this.#connection?.flush()
  }

  #fail(error: Error): void {
    this.#failure ??= { error }
    this.#isDiscarding = true
    this.#rows = []
    this.#end()
  }

  /** Until a Sync the server waits for more; in an error it waits for nothing else. */
  #end(): void {
    if (this.#state !== 'running' && this.#state !== 'suspended') return
    this.#state = 'ending'
    this.#connection?.close({ type: 'P', name: '' })
    this.#connection?.sync()
  }

  #ended(): void {
    this.#state = 'ended'
    this.callback(this.#failure?.error)
    this.#change()
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#change = resolve
    })
  }
}
