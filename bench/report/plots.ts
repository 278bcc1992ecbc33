import { plotting } from '../harness/packages.ts'
import type { Scenario, ScenarioResult } from '../harness/scenario.ts'
import { spreadOf } from '../harness/stats.ts'
import { titleOf } from './figures.ts'

interface Vega {
  View: new (runtime: unknown, options: object) => { toSVG(): Promise<string> }
  parse(spec: unknown): unknown
}

interface VegaLite {
  compile(spec: object): { spec: unknown }
}

const COLOURS = { us: '#1f77b4', bound: '#9aa5b1', other: '#d9a441' }

/** Above this factor between the shortest and the longest bar, the short ones could not be told apart. */
const LINEAR_UP_TO = 40

/** One bar for each subject, with the middle half of its rounds. An SVG. */
export async function plot(scenario: Scenario, result: ScenarioResult): Promise<string | undefined> {
  const metric = scenario.metrics.find(({ name }) => name === scenario.plotted.metric)
  const values = Object.entries(result.samples).flatMap(([subject, samples]) => {
    const measured = samples[scenario.plotted.metric]
    if (measured === undefined || measured.length === 0) return []
    return [{ subject, kind: kindOf(subject), ...spreadOf(measured) }]
  })
  if (metric === undefined || values.length === 0) return undefined
  const vega = await plotting<Vega>('vega')
  const lite = await plotting<VegaLite>('vega-lite')
  const all = values.map((value) => value.median)
  const isWide = Math.min(...all) > 0 && Math.max(...all) > LINEAR_UP_TO * Math.min(...all)
  // Said outright: the two layers would each have an order of their own.
  const sign = scenario.plotted.less ? 1 : -1
  const order = [...values].sort((a, b) => sign * (a.median - b.median)).map(({ subject }) => subject)
  const title = `${titleOf(metric)}${scenario.plotted.less ? ', less is better' : ', more is better'}`
  const { spec } = lite.compile(barsOf(values, { title, log: isWide, order }))
  return new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG()
}

function kindOf(subject: string): keyof typeof COLOURS {
  if (subject.startsWith('rockpool')) return 'us'
  return subject.startsWith('bound') || subject === 'ideal' ? 'bound' : 'other'
}

function barsOf(
  values: readonly object[],
  { title, log, order }: { title: string; log: boolean; order: readonly string[] },
): object {
  const scale = log ? { type: 'log' } : { zero: true }
  const x = (field: string, more: object = {}) => ({ field, type: 'quantitative', scale, ...more })
  const y = { field: 'subject', type: 'nominal', title: null, sort: order }
  return {
    data: { values },
    width: 520,
    height: { step: 24 },
    background: 'white',
    config: { font: 'sans-serif', view: { stroke: null }, axis: { labelLimit: 220 } },
    layer: [
      {
        mark: { type: 'bar', height: 15 },
        encoding: {
          y,
          x: x('median', { title: log ? `${title} (logarithmic)` : title }),
          color: {
            field: 'kind',
            type: 'nominal',
            legend: null,
            scale: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
          },
        },
      },
      {
        mark: { type: 'rule', strokeWidth: 2, color: '#333' },
        encoding: { y, x: x('low'), x2: { field: 'high' } },
      },
    ],
  }
}
