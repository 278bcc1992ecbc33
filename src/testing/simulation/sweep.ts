import { type SimulateOptions, type SimulationResult, simulate } from './simulate.ts'

export interface SweepOptions extends Pick<SimulateOptions, 'makers' | 'operations'> {
  from: number
  seeds: number
  /** Told of each run; false = it was the last. */
  onResult?: (result: SimulationResult) => boolean
}

export interface SweepFigures {
  seeds: number
  operations: number
  violations: number
}

/** Plays consecutive seeds. */
export async function sweep({ from, seeds, onResult, ...options }: SweepOptions): Promise<SweepFigures> {
  const figures: SweepFigures = { seeds: 0, operations: 0, violations: 0 }
  for (let played = 0; played < seeds; played++) {
    // After the largest seed comes the smallest.
    const left = Number.MAX_SAFE_INTEGER - from
    const result = await simulate(played <= left ? from + played : played - left - 1, options)
    figures.seeds++
    figures.operations += result.operations
    if (result.violation !== undefined) figures.violations++
    if (onResult?.(result) === false) break
  }
  return figures
}
