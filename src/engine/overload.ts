/** How long the queue is watched before it is judged, at least: two services, where these take longer. */
const WATCH_MS = 50
/** How long a caller waits under overload before it is turned away, at least: two services, where these take longer. */
const PATIENCE_MS = 20

/**
 * Tells a burst from overload: a queue that shrinks is a burst, however long it is; one that has not been empty for a
 * while and does not shrink will never end. Then the newest are served, because they are still waited for, and those who
 * have waited for long are turned away at once instead of late. There is nothing to tune: the times follow from how long
 * a lease takes.
 */
export class Overload {
  #state: 'calm' | 'watching' | 'overloaded' = 'calm'
  /** watching: how long the queue was when the watch began; unknown in the first, in which a burst arrives. */
  #before: number | undefined = undefined
  #judgeAt = Number.POSITIVE_INFINITY
  #holdMs = 0
  #turnedAway = 0

  get isOn(): boolean {
    return this.#state === 'overloaded'
  }

  /** When the queue must be judged next. */
  get judgeAt(): number {
    return this.#judgeAt
  }

  /** Who waits for longer is turned away. */
  get patienceMs(): number {
    return Math.max(PATIENCE_MS, 2 * this.#holdMs)
  }

  /** When it may be worth trying again. */
  get retryAfterMs(): number {
    return 2 * this.#watchMs
  }

  get #watchMs(): number {
    return Math.max(WATCH_MS, 2 * this.#holdMs)
  }

  /** Somebody joined the queue. */
  joined(now: number, holdMs: number): void {
    if (this.#state !== 'calm') return
    this.#state = 'watching'
    this.#before = undefined
    this.#holdMs = holdMs
    this.#judgeAt = now + this.#watchMs
  }

  /** The queue has run empty: whatever it was, it is over. */
  emptied(): void {
    this.#state = 'calm'
    this.#judgeAt = Number.POSITIVE_INFINITY
    this.#turnedAway = 0
  }

  turnedAway(): void {
    this.#turnedAway++
  }

  /** A watch has ended with so many in the queue. */
  judge(now: number, waiting: number, holdMs: number): void {
    if (now < this.#judgeAt) return
    const grows = this.#before !== undefined && waiting >= this.#before
    this.#state = grows || this.#turnedAway > 0 ? 'overloaded' : 'watching'
    this.#before = waiting
    this.#turnedAway = 0
    this.#holdMs = holdMs
    this.#judgeAt = now + this.#watchMs
  }
}
