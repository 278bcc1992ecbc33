import type { Violation } from './law.ts'
import { type SimulateOptions, type SimulationResult, simulate } from './simulate.ts'

/** So many runs are spent on making a trace shorter. */
const MOST_RUNS = 400

/** The shortest run found that breaks the same rule. */
export interface Shrunk {
  /** To play it again. */
  readonly without: ReadonlySet<number>
  readonly upTo: number
  /** Acts that are left. */
  readonly acts: number
  /** Every act and what came of it, up to the violation. */
  readonly lines: readonly string[]
}

/** Drops acts of a failing run for as long as it breaks the same rule without them. */
export async function shrink(failed: SimulationResult, options: SimulateOptions = {}): Promise<Shrunk> {
  const { rule } = failed.violation as Violation
  let runs = 0
  const play = (without: ReadonlySet<number>, upTo: number, lines = false) => {
    runs++
    return simulate(failed.seed, { ...options, operations: Number.POSITIVE_INFINITY, without, upTo, lines })
  }
  let upTo = failed.acts
  let kept = Array.from({ length: upTo }, (_, index) => index)
  const without = (left: readonly number[]) => {
    const stays = new Set(left)
    return new Set(Array.from({ length: upTo }, (_, index) => index).filter((index) => !stays.has(index)))
  }
  for (let size = Math.ceil(kept.length / 2); size >= 1 && runs < MOST_RUNS; size = halved(size)) {
    // From the end: what comes late is rarely what it takes.
    for (let from = kept.length - size; from > -size && runs < MOST_RUNS; from -= size) {
      const left = kept.filter((_, at) => at < from || at >= from + size)
      const result = await play(without(left), upTo)
      if (result.violation?.rule !== rule) continue
      kept = left.filter((index) => index < result.acts)
      upTo = Math.min(upTo, result.acts)
    }
  }
  const dropped = without(kept)
  const last = await play(dropped, upTo, true)
  return { without: dropped, upTo, acts: kept.length, lines: last.lines }
}

function halved(size: number): number {
  return size === 1 ? 0 : Math.ceil(size / 2)
}
