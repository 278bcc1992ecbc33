import { insist, requestCancel } from './cancel.ts'
import type { PgClient } from './client.ts'
import { linkOf } from './link.ts'

/** How long a server may take to say goodbye. */
const IDLE_LIMIT_MS = 2_000
/** With a statement in flight somebody has given up on this connection already. */
const BUSY_LIMIT_MS = 1_000
const STOP_LIMIT_MS = 500

/**
 * Ends the session and resolves when the socket is closed; never rejects. The server is asked to end it, because a
 * backend whose client just vanishes goes on with its statement and still counts as a connection: when the server has
 * closed its side, it counts no more. A statement in flight is cancelled, not waited for. If the server does not
 * answer in time, the socket is destroyed.
 */
export async function close(client: PgClient): Promise<void> {
  const link = linkOf(client)
  const mayRun = link.mayRun
  link.markClosing()
  // Or pg tells the user's own listeners of a connection that was terminated unexpectedly.
  if (!link.isLost) client._ending = true
  if (link.isClosed && !mayRun) return
  // An idle connection may have been told not to keep the process alive; its end is worth waiting for.
  client.connection.stream.ref?.()
  const limitMs = mayRun ? BUSY_LIMIT_MS : IDLE_LIMIT_MS
  const timer = setTimeout(() => link.destroy(), limitMs)
  const telling = mayRun ? stop(client).catch(() => undefined) : undefined
  if (link.isLost) link.destroy()
  else client.connection.end()
  await Promise.all([link.closed, telling])
  clearTimeout(timer)
}

/** Of a connection that is lost we cannot see whether its statement has ended. */
function stop(client: PgClient): Promise<void> {
  return linkOf(client).isLost ? requestCancel(client, STOP_LIMIT_MS) : insist(client, STOP_LIMIT_MS)
}
