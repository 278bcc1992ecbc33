import type { Clock, Timer } from '../contract/clock.ts'
import { ConnectionLostError, PoolError } from '../contract/errors.ts'
import type { QueryResult } from '../contract/sql-driver.ts'
import { SHARED_BY } from '../engine/growth.ts'
import type { Executor } from './executor.ts'
import type { PooledLease } from './pooled-lease.ts'
import type { Statement } from './statement.ts'
import type { TextEntry } from './text-book.ts'

/** One statement on its way through a lane. */
export interface Shot {
  readonly statement: Statement
  readonly entry: TextEntry
  readonly prepare: boolean | undefined
  /** What to do when the connection is lost under it: run it again, or throw. */
  recover(loss: ConnectionLostError): Promise<QueryResult>
}

/** When the oldest statement in flight has been served for this long, nobody else should stand behind it. */
const SLOW_MS = 5
/** When it has been served for this long, those behind it stand there no longer: it may wait for one of them, by way of a lock. */
const STUCK_MS = 5_000

export interface LaneParts<C> {
  lease: PooledLease<C>
  connection: C
  executor: Executor<C>
  clock: Clock
  /** A place may have become free. */
  onPlace(lane: Lane<C>): void
  onEnd(lane: Lane<C>): void
  onDefect(error: unknown): void
}

/**
 * A lease that one-shot statements share: sent one behind the other, answered in that order, each with its own errors.
 *
 *     | answered | served now | waiting at the server |      answered <= sent <= answered + 32
 */
export class Lane<C> {
  readonly #parts: LaneParts<C>
  /** Several statements may be in flight. */
  readonly #isShared: boolean
  #sent = 0
  #answered = 0
  /** Promised to statements that are about to be sent. */
  #reserved = 0
  /** When the statement that is served now came to its turn. */
  #turnAt = 0
  /** Called when everything that was sent has been answered. */
  #emptied: (() => void) | undefined = undefined
  /** Runs since somebody stood behind the statement that was served. */
  #watch: Timer | undefined = undefined
  #isStuck = false
  /** In flight, and not waited for any more. */
  readonly #forsaken = new Set<Shot>()
  #state: 'open' | 'emptying' | 'ended' = 'open'
  /** The connection is gone: which statement was served then, by what error, and whether the server said so itself. */
  #loss: { served: number; thrown: unknown; farewell: boolean } | undefined = undefined

  constructor(parts: LaneParts<C>) {
    this.#parts = parts
    parts.lease.share()
    this.#isShared = parts.executor.share(parts.connection)
  }

  get inFlight(): number {
    return this.#sent - this.#answered
  }

  /** There is a place, and whoever takes it will be served soon. One that is wanted back takes no more. */
  accepts(now: number): boolean {
    if (this.#state !== 'open') return false
    const inFlight = this.inFlight + this.#reserved
    if (inFlight >= (this.#isShared ? SHARED_BY : 1)) return false
    if (this.inFlight > 0 && now - this.#turnAt >= SLOW_MS) return false
    const { lease } = this.#parts
    return lease.usable && !lease.wanted
  }

  /** Keeps a place for a statement that comes in a moment. */
  reserve(): void {
    this.#reserved++
  }

  /** Takes the promise back, to use the place or to leave it. */
  giveUpPlace(): void {
    this.#reserved--
  }

  /** Sends a statement. Rejects with the statement's own error, or with the loss of the connection. */
  run(shot: Shot): Promise<QueryResult> {
    const { executor, connection, clock, lease } = this.#parts
    if (!lease.usable) return shot.recover(new ConnectionLostError(executor.surroundings.name, 'no'))
    if (this.inFlight === 0) this.#turnAt = clock.now()
    else this.#watch ??= this.#watchFor(STUCK_MS)
    const number = this.#sent++
    if (number > 0) lease.countUse()
    const { statement, prepare, entry } = shot
    const together = this.#isShared && entry.goesTogether() ? entry : undefined
    return executor.run(connection, statement, { prepare, together }).then(
      (result) => {
        this.#settle(shot)
        return result
      },
      (error) => {
        together?.keepApart()
        const judged = this.#judge(error, number)
        const awaited = !this.#forsaken.has(shot)
        this.#settle(shot)
        if (awaited && judged instanceof ConnectionLostError) return shot.recover(judged)
        throw judged
      },
    )
  }

  #watchFor(ms: number): Timer {
    const { clock, lease } = this.#parts
    const watch = clock.after(ms, () => {
      this.#watch = undefined
      if (this.inFlight < 2 || !lease.usable) return
      const leftMs = this.#turnAt + STUCK_MS - clock.now()
      if (leftMs > 0) this.#watch = this.#watchFor(leftMs)
      else this.#breakUp()
    })
    watch.unref()
    return watch
  }

  /** All run again, each on a connection of its own: as reads they can. */
  #breakUp(): void {
    this.#isStuck = true
    this.#state = 'emptying'
    this.#parts.lease.destroy()
  }

  /** Nobody waits for this statement any more. */
  abandon(shot: Shot): void {
    if (this.#state === 'ended' || !this.#parts.lease.usable) return
    this.#forsaken.add(shot)
    this.#endIfForsaken()
  }

  /**
   * When nobody waits for any statement that is in flight, the lane ends: its connection has the time of a reset to become
   * quiet. The server is told only of a single one: a cancel names a connection, not a statement.
   */
  #endIfForsaken(): void {
    if (this.#forsaken.size < this.inFlight || this.#reserved > 0) return
    const { connection, executor } = this.#parts
    const { driver } = executor.surroundings
    this.#end([this.#empty(), this.inFlight === 1 ? driver.cancel?.(connection) : undefined])
  }

  #empty(): Promise<void> {
    return new Promise((resolve) => {
      this.#emptied = resolve
    })
  }

  #settle(shot: Shot): void {
    const { entry } = shot
    const { clock, executor, connection, lease } = this.#parts
    const now = clock.now()
    if (this.#loss === undefined) {
      const tookMs = now - this.#turnAt
      entry.learn(tookMs)
      if (tookMs >= SLOW_MS) entry.keepApart()
      if (lease.usable && executor.surroundings.driver.inTransaction?.(connection) === true)
        this.#defect(entry)
    }
    this.#turnAt = now
    this.#answered++
    if (this.inFlight === 0) this.#emptied?.()
    if (this.#forsaken.size > 0) this.#forsaken.delete(shot)
    this.#parts.onPlace(this)
    if (this.#state === 'ended') return
    if (this.inFlight + this.#reserved === 0) this.#end([])
    else if (this.#forsaken.size > 0 && lease.usable) this.#endIfForsaken()
  }

  #end(running: readonly unknown[]): void {
    const { lease, connection, executor, onEnd } = this.#parts
    this.#state = 'ended'
    this.#watch?.cancel()
    onEnd(this)
    if (!lease.usable) return
    const unshare = () => {
      if (this.#isShared) executor.unshare(connection)
    }
    // The server may still be asked whether it was demoted.
    if (running.length > 0 || lease.busy !== undefined) {
      lease.releaseAfter(running, unshare)
      return
    }
    unshare()
    lease.release()
  }

  /** A statement of the allow-list has left a transaction behind: what came after it may have run within. */
  #defect(entry: TextEntry): void {
    const { executor, lease, onDefect } = this.#parts
    entry.bar()
    this.#state = 'emptying'
    onDefect(
      new PoolError(
        'POOL_BUG',
        `pool "${executor.surroundings.name}": a statement that looked like a read left a transaction open on a shared connection`,
      ),
    )
    lease.destroy()
  }

  #judge(thrown: unknown, number: number): unknown {
    // A lane that has let go of its connection has nothing to say about it.
    if (this.#state === 'ended') return thrown
    const { executor, lease } = this.#parts
    const { name, driver } = executor.surroundings
    if (this.#isStuck) return new ConnectionLostError(name, 'no', { cause: thrown })
    const { error, verdict } = executor.judge(thrown)
    if (verdict === 'stale') lease.confirmStale()
    if (verdict !== 'lost' && lease.usable) return error
    this.#loss ??= { served: this.#answered, thrown, farewell: driver.isFarewell?.(thrown) === true }
    lease.reportLost(thrown)
    const { served, farewell } = this.#loss
    // What went together with the one that was served got the same error.
    const executed = farewell && number > served && thrown !== this.#loss.thrown ? 'no' : 'unknown'
    return new ConnectionLostError(name, executed, { cause: thrown })
  }
}
