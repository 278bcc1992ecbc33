import { chapters } from './chapters.ts'

/** What became of one ORM on both sides. */
export interface Row {
  readonly title: string
  readonly ours: ReadonlyMap<string, string>
  readonly theirs: ReadonlyMap<string, string>
  /** Differs from run to run, and is compared with nothing. */
  readonly rate?: string | undefined
}

const names = chapters.map(({ name }) => name)

/** One line for each ORM and pool. */
export function tableOf(rows: readonly Row[]): string {
  const head = ['ORM', 'on', ...names, 'lookups beside its own pool']
  const lines = rows.flatMap(({ title, ours, theirs, rate = '' }) => [
    [title, 'its own pool', ...names.map((name) => outcome(theirs, name)), '1'],
    ['', 'rockpool', ...names.map((name) => outcome(ours, name)), rate],
  ])
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Without what differs from run to run. */
export function withoutRates(table: string): string {
  return table.replaceAll(/ \| [^|]*\|$/gm, ' |')
}

function outcome(told: ReadonlyMap<string, string>, name: string): string {
  return told.get(name) ?? 'the process has ended'
}
