import type { EventEmitter } from 'node:events'
import { isBusy, type PgClient } from '../../drivers/pg/client.ts'

export type Done = (error: Error | undefined, result?: unknown) => void

/** What is to run: a text, pg's config of a query, or something that pg can submit. */
export interface Asked {
  readonly text: unknown
  readonly values: unknown
}

type RawQuery = (
  text: unknown,
  values: unknown,
  done: (error: Error | null, result: unknown) => void,
) => unknown

/** Runs one statement; `spoilt` says that the connection is not to be used again. */
export function runOn(
  client: PgClient,
  { text, values }: Asked,
  done: (error: Error | undefined, result: unknown, spoilt: boolean) => void,
): void {
  try {
    ;(client as unknown as { query: RawQuery }).query(text, values, (error, result) => {
      done(error ?? undefined, result, Boolean(error) && isAbandoned(client, error))
    })
  } catch (error) {
    done(error as Error, undefined, false)
  }
}

/** pg has stopped waiting for an answer that is still to come (`query_timeout`). What the server refused is over. */
function isAbandoned(client: PgClient, error: unknown): boolean {
  return isBusy(client) && typeof (error as { severity?: unknown }).severity !== 'string'
}

/** What reads its rows itself, as pg-cursor and pg-query-stream do. */
export interface Reader {
  submit(connection: unknown): unknown
  read(...args: unknown[]): unknown
  /** Of a stream. */
  destroy?(error: Error): void
  handleError?(error: Error): void
}

export function isReader(asked: unknown): asked is Reader {
  const { submit, read } = (asked ?? {}) as Partial<Reader>
  return typeof submit === 'function' && typeof read === 'function'
}

/** Whoever reads from it is told that there will be nothing. */
export function failReader(reader: Reader, error: Error): void {
  if (reader.destroy !== undefined) reader.destroy(error)
  else reader.handleError?.(error)
}

/** Hands it to pg; the client is free again when all is read, or the reader was closed. */
export function readOn(client: PgClient, reader: Reader, done: () => void): void {
  const connection = client.connection as unknown as EventEmitter
  const look = () => queueMicrotask(() => (isBusy(client) ? undefined : end()))
  const end = () => {
    connection.removeListener('readyForQuery', look)
    connection.removeListener('end', end)
    done()
  }
  connection.on('readyForQuery', look)
  connection.on('end', end)
  client.query(reader as never)
}
