import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { ScenarioResult } from '../harness/scenario.ts'
import { judge, type Verdict } from './targets.ts'

/** All that a run came to, as it is written to a file. */
export interface Record {
  readonly at: string
  readonly node: string
  readonly platform: string
  readonly cores: number
  readonly quick: boolean
  readonly results: readonly ScenarioResult[]
  readonly verdicts: readonly Verdict[]
}

export function recordOf(results: readonly ScenarioResult[], quick: boolean): Record {
  return {
    at: new Date().toISOString(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    quick,
    results,
    verdicts: judge(results),
  }
}

export function saveRecord(file: string, record: Record): void {
  writeFileSync(file, `${JSON.stringify(record, null, 1)}\n`)
}

/** What was measured once is judged anew: the targets may have changed since. */
export function loadRecord(file: string): Record {
  const record = JSON.parse(readFileSync(file, 'utf8')) as Record
  return { ...record, verdicts: judge(record.results) }
}
