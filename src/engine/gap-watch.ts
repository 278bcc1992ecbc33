/** A jump of this size is a suspended process, not a busy one. */
const GAP_MS = 5_000

/**
 * Notices that the process was frozen. The monotonic clock may have stood still with it, so the two clocks are compared:
 * they drift apart by the length of the pause.
 */
export class GapWatch {
  #offset = Number.POSITIVE_INFINITY

  /** True when time has jumped since the last look. */
  jumped(now: number, wall: number): boolean {
    const offset = wall - now
    const before = this.#offset
    this.#offset = offset
    return offset - before >= GAP_MS
  }

  /** A timer that fires this late was not merely held up by work. */
  static isGap(lateByMs: number): boolean {
    return lateByMs >= GAP_MS
  }
}
