const FIRST_MS = 20
const LONGEST_WHILE_WAITED_FOR_MS = 200
const LONGEST_MS = 5_000
const PERMANENT_MS = 1_000
/** Connects that ask at a time whether the server is there, after connections to it were lost. */
const A_FEW = 3

/**
 * The pause between failed connects: doubling, with full jitter, short while somebody waits. While it lasts one connect
 * at a time probes the server; a success ends it for all.
 */
export class Backoff {
  #failures = 0
  #failedAt = 0
  #chance = 0
  #permanent = false
  #doubtful = false

  /** The server has refused the last connect. */
  get failing(): boolean {
    return this.#failures > 0
  }

  /** The last connect failed in a way that trying again will not mend. */
  get permanent(): boolean {
    return this.#permanent
  }

  /** Connects that may be under way at a time. */
  get mostAtOnce(): number {
    if (this.#failures > 0) return 1
    return this.#doubtful ? A_FEW : Number.POSITIVE_INFINITY
  }

  /** Connections were lost: perhaps all of them were, and the server is not there. */
  doubt(): void {
    this.#doubtful = true
  }

  failed(facts: { now: number; startedAt: number; chance: number; permanent: boolean }): void {
    // Several connects that were under way together fail together: that is one failure.
    if (this.#failures === 0 || facts.startedAt >= this.#failedAt) this.#failures++
    this.#failedAt = facts.now
    this.#chance = facts.chance
    this.#permanent = facts.permanent
  }

  succeeded(): void {
    this.#failures = 0
    this.#permanent = false
    this.#doubtful = false
  }

  /** When the next connect may start. It depends on whether somebody waits now, not when the failure was. */
  until(waitedFor: boolean): number {
    if (this.#failures === 0) return Number.NEGATIVE_INFINITY
    const longest = waitedFor ? LONGEST_WHILE_WAITED_FOR_MS : LONGEST_MS
    const pause = this.#chance * Math.min(longest, FIRST_MS * 2 ** (this.#failures - 1))
    return this.#failedAt + (this.#permanent ? Math.max(PERMANENT_MS, pause) : pause)
  }
}
