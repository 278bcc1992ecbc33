import CliTable from 'cli-table3'
import type { Scenario, ScenarioResult } from '../harness/scenario.ts'
import { type Table, tableOf } from './figures.ts'
import type { Verdict } from './targets.ts'

export function printResult(scenario: Scenario, result: ScenarioResult): void {
  write(`\n${scenario.title}  [${scenario.name}, ${(result.tookMs / 1000).toFixed(0)} s]`)
  write(draw(tableOf(scenario, result)))
  for (const [subject, why] of Object.entries(result.skipped)) write(`skipped: ${subject} - ${why}`)
}

export function printVerdicts(verdicts: readonly Verdict[]): void {
  if (verdicts.length === 0) return
  const rows = verdicts.map(({ scenario, what, wanted, figure, outcome }) => [
    scenario,
    what,
    wanted,
    figure,
    outcome,
  ])
  write('\nTargets')
  write(draw({ head: ['scenario', 'rockpool', 'wanted', 'is', ''], rows }))
  const met = verdicts.filter(({ outcome }) => outcome === 'met').length
  const missed = verdicts.filter(({ outcome }) => outcome === 'not met').length
  write(`${met} met, ${missed} not met, ${verdicts.length - met - missed} not measured`)
}

/** One line that is overwritten by the next, where there is a terminal. */
export function say(words: string): void {
  if (process.stderr.isTTY !== true) return
  process.stderr.write(`\r\u001b[K${words}`)
}

export function write(line: string): void {
  say('')
  process.stdout.write(`${line}\n`)
}

function draw({ head, rows }: Table): string {
  const numbers = head.map((_, column) => (column === 0 ? 'left' : 'right') as 'left' | 'right')
  const table = new CliTable({
    head: [...head],
    colAligns: numbers,
    style: { head: [], border: [], compact: true },
  })
  table.push(...rows.map((row) => [...row]))
  return table.toString()
}
