import { AcquireTimeoutError } from '../../contract/errors.ts'
import type { Builder, KnexClient, Marked, Runner } from './client.ts'
import { heldLease } from './lending.ts'

/**
 * Stands for a connection where one read, which needs none of its own, goes to the pool itself: there it may share one with
 * others.
 */
export class Visit implements Marked {
  readonly __knexUid = 'shared'
}

const READS: ReadonlySet<string | undefined> = new Set(['select', 'first', 'pluck'])

/** A single read, without anything that needs the connection itself. */
function mayVisit({ _method, _timeout, _options, _connection }: Builder): boolean {
  return (
    READS.has(_method) &&
    _timeout === undefined &&
    _connection === undefined &&
    (_options === undefined || _options.length === 0)
  )
}

/** How a runner comes to its connection. */
export interface Visits {
  readonly visits: boolean
  /** An acquire that took too long, as Knex's users know it. */
  timeoutOf(error: unknown): unknown
}

/** Lets a runner borrow only when it must, and give back only what is its own. */
export function borrowLate(runner: Runner, client: KnexClient, { visits, timeoutOf }: Visits): Runner {
  const borrowing = runner.ensureConnection
  runner.ensureConnection = async (work, how) => {
    const isStream = how !== undefined
    if (runner.connection !== undefined || runner.builder._connection !== undefined)
      return borrowing.call(runner, work, how)
    if (isStream) return streaming(runner, client, (own) => work(own, how))
    if (!visits || client.pool === undefined || !mayVisit(runner.builder))
      return borrowing.call(runner, work, how)
    runner.connection = new Visit()
    try {
      return await work(runner, how)
    } catch (error) {
      if (!(error instanceof AcquireTimeoutError)) throw error
      const { sql, bindings } = runner.builder
      throw Object.assign(timeoutOf(error) as Error, { sql, bindings })
    }
  }
  return runner
}

/**
 * Knex gives the connection of a stream back twice: when the stream closes, and when the last row has been read. By the second
 * time it may be somebody else's.
 */
async function streaming(
  runner: Runner,
  client: KnexClient,
  work: (runner: Runner) => Promise<unknown>,
): Promise<unknown> {
  const connection = await client.acquireConnection()
  const lease = heldLease(connection)
  runner.connection = connection
  try {
    return await work(runner)
  } finally {
    runner.connection = undefined
    if (heldLease(connection) === lease) await client.releaseConnection(connection)
  }
}
