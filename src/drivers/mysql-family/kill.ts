import { setTimeout as sleep } from 'node:timers/promises'
import { classify } from './errors.ts'
import type { Link } from './link.ts'
import type { Address } from './wire.ts'

/** A server that takes longer to stop a session is not there. */
const LIMIT_MS = 5_000

type OpenLink = (at: Address | undefined, signal: AbortSignal) => Promise<Link>

/** One session by which others of the same server are stopped, while there are any to be stopped. */
interface Side {
  tail: Promise<unknown>
  waiting: number
  link: Link | undefined
}

/**
 * Stops what runs on connections. That takes a session of its own; there is never more than one for each server, so that
 * many cancels at once cannot use up what connections the server has left.
 */
export class Killer {
  readonly #open: OpenLink
  readonly #sides = new Map<string, Side>()

  constructor(open: OpenLink) {
    this.#open = open
  }

  /**
   * Asks the server to stop the statement that runs on this connection; resolves when that can no longer hit anything.
   * A kill that arrives after its statement has ended is kept by MySQL before 5.7 for the next statement, whichever it is
   * (a ping does not use it up): one of ours comes first. Newer servers forget it.
   *
   * Rejects when the request may still arrive: then nothing else may run on the connection.
   */
  async cancel(link: Link): Promise<void> {
    if (link.isOver || link.isClosing) return
    await link.cancelling(this.#cancel(link))
  }

  async #cancel(link: Link): Promise<void> {
    let hasEnded = false
    const ended = link.speaker.ping().then(
      () => (hasEnded = true),
      () => (hasEnded = true),
    )
    // The request may overtake the statement on its way to the server, and then finds nothing to stop.
    const until = performance.now() + LIMIT_MS
    for (let pauseMs = 20; !hasEnded && performance.now() < until; pauseMs *= 2) {
      if (!(await this.kill(link, 'QUERY', LIMIT_MS))) return
      await Promise.race([ended, sleep(pauseMs, undefined, { ref: false })])
    }
    await ended
    if (link.isOver) return
    try {
      await link.ask('DO 0')
    } catch (error) {
      if (classify(error, 'statement') !== 'statement' && !link.isOver) throw error
    }
  }

  /** True when the server was told, false when it surely was not. */
  async kill(link: Link, what: 'QUERY' | 'CONNECTION', limitMs: number): Promise<boolean> {
    // Behind a balancer the same address may lead to another server, where the number is somebody else's.
    const { server } = link.beginning
    if (server === undefined) return false
    const side = this.#sideFor(server)
    side.waiting++
    const limit = AbortSignal.timeout(limitMs)
    const turn = side.tail.then(() => this.#kill(side, link, { what, limit }))
    side.tail = turn.catch(() => undefined)
    try {
      return await turn
    } finally {
      side.waiting--
      if (side.waiting === 0) {
        this.#sides.delete(server)
        leave(side.link)
      }
    }
  }

  async #kill(
    side: Side,
    link: Link,
    { what, limit }: { what: string; limit: AbortSignal },
  ): Promise<boolean> {
    if (limit.aborted || link.wire.isClosed) return false
    if (side.link === undefined || side.link.isOver) {
      try {
        side.link = await this.#open(link.wire.remote, limit)
      } catch {
        return false // no connection left, or no server any more: the statement just goes on
      }
    }
    const through = side.link
    if (through.beginning.server !== link.beginning.server) return false
    const giveUp = () => through.destroy()
    limit.addEventListener('abort', giveUp, { once: true })
    try {
      await through.ask(`KILL ${what} ${link.speaker.threadId}`)
      return true
    } catch (error) {
      if (classify(error, 'statement') === 'statement') return false // no such session any more, or not ours to stop
      throw new Error('the request to stop a statement may still arrive', { cause: error })
    } finally {
      limit.removeEventListener('abort', giveUp)
    }
  }

  #sideFor(server: string): Side {
    let side = this.#sides.get(server)
    if (side === undefined) {
      side = { tail: Promise.resolve(), waiting: 0, link: undefined }
      this.#sides.set(server, side)
    }
    return side
  }
}

function leave(link: Link | undefined): void {
  if (link === undefined || link.isOver) return
  link.markClosing()
  link.speaker.quit()
  const timer = setTimeout(() => link.destroy(), 1_000)
  void link.wire.closed.then(() => clearTimeout(timer))
}
