import type { Killer } from './kill.ts'
import type { Link } from './link.ts'

/** How long a server may take to say goodbye. */
const IDLE_LIMIT_MS = 2_000
/** With a statement in flight somebody has given up on this connection already. */
const BUSY_LIMIT_MS = 1_000

/**
 * Ends the session and resolves when the socket is closed; never rejects. A server goes on with the statement of a client
 * that just vanishes, and counts its connection: where one runs, the session is killed.
 */
export async function close(link: Link, killer: Killer): Promise<void> {
  const { speaker, wire } = link
  const isBusy = link.isBusy
  const isLost = link.isOver
  link.markClosing()
  if (wire.isClosed) return
  // An idle connection may have been told not to keep the process alive; its end is worth waiting for.
  link.ref()
  const limitMs = isBusy ? BUSY_LIMIT_MS : IDLE_LIMIT_MS
  const timer = setTimeout(() => link.destroy(), limitMs)
  let told: Promise<unknown> | undefined
  if (isLost || link.isGivenUp) link.destroy()
  else if (!isBusy) speaker.quit()
  else {
    told = killer
      .kill(link, 'CONNECTION', limitMs)
      .catch(() => undefined)
      .then(() => link.destroy())
  }
  await Promise.all([wire.closed, told])
  clearTimeout(timer)
}
