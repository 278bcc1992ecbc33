import type { ScenarioResult } from '../harness/scenario.ts'
import { bestOf, medianOf, ratioOf } from '../harness/stats.ts'
import { ormScenarios, THEIRS } from '../scenarios/orms.ts'
import { peers } from '../subjects/lenders.ts'

/** What rockpool must reach, beside others in the same run. */
export interface Target {
  readonly scenario: string
  readonly what: string
  readonly limit: number
  readonly atMost: boolean
  /** Undefined where a subject is missing. */
  figure(result: ScenarioResult): number | undefined
}

export interface Verdict {
  readonly scenario: string
  readonly what: string
  readonly wanted: string
  readonly figure: string
  readonly outcome: 'met' | 'not met' | 'not measured'
}

export function judge(results: readonly ScenarioResult[]): Verdict[] {
  return targets.flatMap((target) => {
    const result = results.find(({ name }) => name === target.scenario)
    return result === undefined ? [] : [verdictOf(target, result)]
  })
}

function verdictOf(target: Target, result: ScenarioResult): Verdict {
  const { scenario, what, limit, atMost } = target
  const wanted = `${atMost ? 'at most' : 'at least'} ${limit}`
  const value = target.figure(result)
  if (value === undefined || Number.isNaN(value))
    return { scenario, what, wanted, figure: '-', outcome: 'not measured' }
  const met = atMost ? value <= limit : value >= limit
  const figure = value >= 100 ? value.toFixed(0) : value.toFixed(2)
  return { scenario, what, wanted, figure, outcome: met ? 'met' : 'not met' }
}

const US = 'rockpool'

type Facts = Pick<Target, 'scenario' | 'what' | 'figure'>

const atMost = (limit: number, facts: Facts): Target => ({ ...facts, limit, atMost: true })
const atLeast = (limit: number, facts: Facts): Target => ({ ...facts, limit, atMost: false })

function times(scenario: string, metric: string, other: string, us = US): Facts {
  const figure = (result: ScenarioResult) => ratioOf(result, metric, [us, other])
  return { scenario, what: `${metric} beside ${other}`, figure }
}

function timesBestPeer(scenario: string, metric: string): Facts {
  const figure = (result: ScenarioResult) => {
    const best = bestOf(result, metric, { among: peers, less: true })
    return best === undefined ? undefined : ratioOf(result, metric, [US, best])
  }
  return { scenario, what: `${metric} beside the best peer`, figure }
}

function own(scenario: string, metric: string, us = US): Facts {
  return { scenario, what: metric, figure: (result) => medianOf(result, us, metric) }
}

const SHED = 'rockpool (shed)'

const targets: readonly Target[] = [
  atMost(2.5, times('cycle', 'ns', 'bound: ring')),
  atMost(0.35, timesBestPeer('cycle', 'ns')),
  atMost(1, times('try', 'ns', 'HikariCP')),
  atMost(2.5, times('contended', 'ns', 'bound: deadlines')),
  atMost(2, times('waiters', 'ns', 'bound: deadlines')),
  atMost(50, own('waiters', 'blockMs')),
  atMost(700, own('waiters', 'bytes')),
  atMost(1, own('waiters', 'timers')),
  atMost(1.5, times('deadlines', 'us', 'bound: deadlines')),
  atMost(1, own('spike-short', 'opened')),
  atMost(1.2, times('spike-short', 'ms', 'ideal')),
  atMost(1.05, timesBestPeer('spike-long', 'ms')),
  ...['', '-unix'].flatMap((where) => [
    atLeast(2.6, times(`select${where}`, 'rate', 'pg-pool')),
    atLeast(2.3, times(`select${where}`, 'rate', 'postgres.js')),
    atMost(0.5, times(`select${where}`, 'cpuUs', 'pg-pool')),
    atLeast(2.7, times(`lookup${where}`, 'rate', 'pg-pool')),
    atLeast(1.9, times(`lookup${where}`, 'rate', 'postgres.js')),
    atLeast(2.4, times(`mix-0.1${where}`, 'rate', 'pg-pool')),
    atMost(1, times(`mix-0.1${where}`, 'p99', 'pg-pool')),
    atLeast(1.1, times(`mix-2${where}`, 'rate', 'pg-pool')),
    atMost(1, times(`mix-2${where}`, 'p95', 'pg-pool')),
    atLeast(1.05, times(`borrowed${where}`, 'rate', 'pg-pool')),
    atLeast(1.1, times(`transaction${where}`, 'rate', 'pg-pool')),
  ]),
  ...['overload-1.5', 'overload-2', 'overload-3'].flatMap((scenario) => [
    atLeast(0.95, own(scenario, 'goodput', SHED)),
    atMost(125, own(scenario, 'p99', SHED)),
    atMost(250, own(scenario, 'backMs', SHED)),
  ]),
  ...ormScenarios.map(({ name }) => atLeast(0.95, times(name, 'rate', THEIRS))),
  atMost(4096, own('idle-pools', 'bytes', 'rockpool (SQL)')),
  // All pools of a process share one.
  atMost(0.01, own('idle-pools', 'timers', 'rockpool (SQL)')),
]
