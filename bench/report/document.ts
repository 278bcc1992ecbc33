import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Scenario, ScenarioResult } from '../harness/scenario.ts'
import { type Table, tableOf } from './figures.ts'
import { plot } from './plots.ts'
import type { Record } from './record.ts'

/** Writes docs/benchmarks.md and its pictures. */
export async function writeDocument(
  record: Record,
  scenarios: readonly Scenario[],
  root: string,
): Promise<void> {
  const folder = join(root, 'docs/benchmarks')
  mkdirSync(folder, { recursive: true })
  const chapters: string[] = []
  for (const scenario of scenarios) {
    const result = record.results.find(({ name }) => name === scenario.name)
    if (result === undefined) continue
    const svg = await plot(scenario, result)
    if (svg !== undefined) writeFileSync(join(folder, `${scenario.name}.svg`), `${svg}\n`)
    chapters.push(chapterOf(scenario, result, svg !== undefined))
  }
  writeFileSync(join(root, 'docs/benchmarks.md'), `${introduction(record)}\n\n${chapters.join('\n\n')}\n`)
}

function introduction(record: Record): string {
  const { verdicts } = record
  const rows = verdicts.map(({ scenario, what, wanted, figure, outcome }) => [
    `[${scenario}](#${scenario.replaceAll('.', '')})`,
    what,
    wanted,
    figure,
    outcome === 'met' ? 'met' : `**${outcome}**`,
  ])
  return [
    '# Benchmarks',
    `<!-- Written by \`npm run bench -- --write-docs\`: do not edit. -->`,
    'rockpool beside other pools, and beside the least that a correct pool could cost. Repeat it with one command:',
    '```sh\nnpm run bench              # all of it\nnpm run bench -- --quick   # a short run\nnpm run bench -- --only cycle,spike-short\n```',
    `These figures: Node ${record.node}, ${record.platform}, ${record.cores} cores, PostgreSQL 18 on the same machine${record.quick ? ', a quick run' : ''}, ${record.at.slice(0, 10)}.`,
    'Every subject runs in a process of its own; they take turns, round after round, so that whatever else the machine does ' +
      'befalls all of them. A figure is the median of the rounds, in brackets the middle half of them; a ratio is the median ' +
      'of the ratios within each round. Trust the ratios: the absolute figures are those of one small machine, whose cores ' +
      'client and server share. What is unfair to whom is said with each scenario.',
    '`bound` is code of this repository (`bench/bounds`) that does the least a pool can do, and would be no good as one. ' +
      'How near one comes is what counts. Only the pipelines of PostgreSQL can be beaten: they send a Sync behind every ' +
      'statement, and rockpool one behind up to sixteen.',
    '## Targets',
    markdown({ head: ['scenario', 'rockpool', 'wanted', 'is', ''], rows }),
  ].join('\n\n')
}

function chapterOf(scenario: Scenario, result: ScenarioResult, hasPlot: boolean): string {
  const { name, title, about } = scenario
  const skipped = Object.entries(result.skipped).map(([subject, why]) => `Not measured: ${subject} (${why}).`)
  return [
    `<a id="${name.replaceAll('.', '')}"></a>\n\n## ${title}`,
    about,
    ...(hasPlot ? [`![${title.replaceAll('`', '')}](benchmarks/${name}.svg)`] : []),
    markdown(tableOf(scenario, result)),
    ...skipped,
  ].join('\n\n')
}

function markdown({ head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = `|${head.map((_, column) => (column === 0 ? ' --- ' : ' ---: ')).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
