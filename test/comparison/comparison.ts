import { expect, test } from 'vitest'
import { read } from '../house/files.ts'

export type Verdict = 'same' | 'better' | 'differs'

/** One behaviour, tried on both: `run` tells in a few words what happened. */
export interface Comparison<S> {
  readonly name: string
  readonly verdict: Verdict
  /** Why it is better, or differs. */
  readonly reason?: string
  run(subject: S): Promise<string>
}

/** Two makers of the same shape. A subject that must be ended does so in `run`. */
export interface Sides<S> {
  /** What the original is called in the table. */
  readonly original: string
  readonly theirs: () => Promise<S>
  readonly ours: () => Promise<S>
}

interface Row {
  readonly comparison: Pick<Comparison<never>, 'name' | 'verdict' | 'reason'>
  readonly theirs: string
  readonly ours: string
}

/**
 * Runs every behaviour on the original and on ours, judges what both did by the verdict that was given, and compares the
 * table that comes of it with the one in the document, between `<!-- comparison -->` and `<!-- /comparison -->`.
 */
export function compare<S>(
  document: string,
  sides: Sides<S>,
  comparisons: readonly Comparison<S>[],
  marker = 'comparison',
): void {
  // By name: whoever has a second try has one row.
  const rows = new Map<string, Row>()

  test.each(comparisons.map((comparison) => [comparison.name, comparison] as const))(
    '%s',
    async (_, comparison) => {
      const theirs = await comparison.run(await sides.theirs())
      const ours = await comparison.run(await sides.ours())
      rows.set(comparison.name, { comparison, theirs, ours })
      if (comparison.verdict === 'same') expect(ours).toBe(theirs)
      else expect(ours).not.toBe(theirs)
      if (comparison.verdict !== 'same') expect(comparison.reason ?? '').not.toBe('')
    },
  )

  test(`the table in ${document} is what was seen`, () => {
    expect(tableIn(document, marker)).toBe(tableOf(sides.original, [...rows.values()]))
  })
}

function tableOf(original: string, rows: readonly Row[]): string {
  const head = `| behaviour | ${original} | rockpool | | reason |\n| --- | --- | --- | --- | --- |`
  const lines = rows.map(
    ({ comparison: { name, verdict, reason = '' }, theirs, ours }) =>
      `| ${[name, theirs, ours, verdict, reason].map(cell).join(' | ')} |`,
  )
  return [head, ...lines].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function tableIn(document: string, marker: string): string | undefined {
  const between = new RegExp(`<!-- ${marker} -->\\s*([\\s\\S]*?)\\s*<!-- /${marker} -->`)
  return between.exec(read(document))?.[1]
}
