import { peer } from './packages.ts'
import type { ScenarioResult } from './scenario.ts'

interface Statistics {
  median(values: readonly number[]): number
  quantile(values: readonly number[], share: number): number
}

const { median, quantile } = peer<{ median: Statistics['median']; quantile: Statistics['quantile'] }>(
  'simple-statistics',
)

export interface Spread {
  readonly median: number
  /** The middle half lies between these. */
  readonly low: number
  readonly high: number
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) }
}

export function medianOf(result: ScenarioResult, subject: string, metric: string): number | undefined {
  const values = result.samples[subject]?.[metric]
  return values === undefined || values.length === 0 ? undefined : median(values)
}

/**
 * How one subject compares with another: the median of the ratios within each round, because what disturbs a round
 * disturbs both. Where one had fewer turns, the ratio of the medians.
 */
export function ratioOf(
  result: ScenarioResult,
  metric: string,
  [above, below]: readonly [string, string],
): number | undefined {
  const a = result.samples[above]?.[metric]
  const b = result.samples[below]?.[metric]
  if (a === undefined || b === undefined) return undefined
  if (a.length !== b.length) return median(a) / median(b)
  return median(a.map((value, round) => value / (b[round] as number)))
}

/** The subject whose median is best. */
export function bestOf(
  result: ScenarioResult,
  metric: string,
  { among, less }: { among: readonly string[]; less: boolean },
): string | undefined {
  const rated = among.flatMap((subject) => {
    const value = medianOf(result, subject, metric)
    return value === undefined ? [] : [{ subject, value }]
  })
  rated.sort((a, b) => (less ? a.value - b.value : b.value - a.value))
  return rated[0]?.subject
}
