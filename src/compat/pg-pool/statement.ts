import type { EventEmitter } from 'node:events'
import { isBusy, type PgClient } from '../../drivers/pg/client.ts'
import { endsSession } from '../../drivers/pg/errors.ts'
import type { PgPoolClient } from './types.ts'

export type Done = (error?: Error, result?: unknown) => void

/** What is to run: a text, pg's config of a query, or something that pg can submit. */
export interface Asked {
  readonly text: unknown
  readonly values: unknown
}

/** pg tells of an error in the middle of its work: what a callback throws then would leave the connection in disorder. */
export function apart(callback: Done): Done {
  return (error, result) => {
    if (error === undefined) callback(error, result)
    else process.nextTick(callback, error, result)
  }
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
      done(error ?? undefined, result, Boolean(error) && isSpoilt(client, error))
    })
  } catch (error) {
    done(error as Error, undefined, false)
  }
}

/**
 * The server is about to close the connection; or pg has stopped waiting for an answer that is still to come
 * (`query_timeout`). What the server refused otherwise is over.
 */
function isSpoilt(client: PgClient, error: unknown): boolean {
  if (endsSession(error)) return true
  return isBusy(client) && typeof (error as { severity?: unknown }).severity !== 'string'
}

type Release = (error?: unknown) => void
type Connect = (done: (error?: Error, client?: object, release?: Release) => void) => unknown

/** Runs one statement on a client that the pool's `connect` gives: by callback, or by promise where it knows no callback. */
export function runOnNext(pool: { connect: unknown }, { text, values }: Asked, done: Done): void {
  let isGiven = false
  const given = (error?: Error, client?: object, release?: Release) => {
    if (isGiven) return
    isGiven = true
    if (error || client === undefined) return done(error)
    const { query } = client as { query: RawQuery }
    const end = (failure: Error | null, result?: unknown) => {
      release?.(failure !== null && isSpoilt(client as PgClient, failure) ? failure : undefined)
      done(failure ?? undefined, result)
    }
    try {
      query.call(client, text, values, end)
    } catch (failure) {
      end(failure as Error)
    }
  }
  const promise = (pool as { connect: Connect }).connect(given) as Promise<PgPoolClient> | undefined
  promise?.then?.((client) => given(undefined, client, (error) => client.release(error as Error)), given)
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
