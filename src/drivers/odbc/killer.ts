import { isInterrupted } from './errors.ts'
import type { Link } from './link.ts'

/** Opens one more connection, whose link it gives. */
export type Assist = (signal: AbortSignal) => Promise<{ link: Link; close(): Promise<void> }>

const LIMIT_MS = 3_000

/**
 * Asks the server to stop what runs on a connection, by another one; resolves when that request can no longer hit
 * anything. ODBC's own SQLCancel would do it in the thread of the program, and hold it up for as long as the network is
 * silent. SQLite has no network; other databases are cancelled by ODBC all the same, because nothing else is known of them.
 */
export function cancel(link: Link, assist: Assist): Promise<void> {
  if (!link.isRunning) return Promise.resolve()
  const { kill } = link.family
  if (kill === undefined) return link.connection.cancel?.() ?? Promise.resolve()
  const request = (link.cancelling ?? Promise.resolve()).then(() => stop(link, assist))
  const ended: Promise<void> = request.finally(() => {
    if (link.cancelling === ended) link.cancelling = undefined
  })
  link.cancelling = ended
  ended.catch(() => undefined)
  return ended
}

async function stop(link: Link, assist: Assist): Promise<void> {
  const { whereabouts, family } = link
  if (whereabouts === undefined || !link.isRunning) return
  const assistant = await assist(AbortSignal.timeout(LIMIT_MS))
  try {
    // Behind a balancer the number might be somebody else's session.
    if (assistant.link.whereabouts?.place !== whereabouts.place || !link.isRunning) return
    await assistant.link.ask(family.kill?.(whereabouts.id) ?? '')
  } finally {
    await assistant.close()
  }
  if (family.settle !== undefined && !link.isRunning) await swallow(link, family.settle)
}

/** A kill that came when its statement had ended may be kept for the next one: that is ours. */
async function swallow(link: Link, statement: string): Promise<void> {
  try {
    await link.ask(statement)
  } catch (error) {
    if (!isInterrupted(error)) throw error
  }
}
