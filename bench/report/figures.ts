import type { Metric, Scenario, ScenarioResult } from '../harness/scenario.ts'
import { ratioOf, spreadOf } from '../harness/stats.ts'

/** A table of a scenario: one row for each subject, in cells of text. */
export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export function tableOf(scenario: Scenario, result: ScenarioResult): Table {
  const { metrics, plotted } = scenario
  const us = Object.keys(result.samples).find((subject) => subject.startsWith('rockpool'))
  const head = ['', ...metrics.map(titleOf), `beside ${us}`]
  const rows = Object.entries(result.samples).map(([subject, samples]) => [
    subject,
    ...metrics.map((metric) => cell(samples[metric.name], metric)),
    us === undefined ? '' : besides(ratioOf(result, plotted.metric, [subject, us])),
  ])
  return { head, rows }
}

export function titleOf({ title, unit }: Metric): string {
  return unit === '' ? title : `${title}, ${unit}`
}

/** The median, and between which figures the middle half of the rounds lies. */
function cell(values: readonly number[] | undefined, { digits = 1 }: Metric): string {
  if (values === undefined || values.length === 0) return '-'
  const { median, low, high } = spreadOf(values)
  const text = (value: number) => grouped(value.toFixed(digits))
  if (values.length === 1 || low === high) return text(median)
  return `${text(median)} (${text(low)}-${text(high)})`
}

function besides(ratio: number | undefined): string {
  return ratio === undefined || Number.isNaN(ratio) ? '-' : `${ratio.toFixed(2)} x`
}

/** 12345.6 -> 12 345.6 */
function grouped(digits: string): string {
  const [whole = '', part] = digits.split('.')
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ' ')
  return part === undefined ? spaced : `${spaced}.${part}`
}
