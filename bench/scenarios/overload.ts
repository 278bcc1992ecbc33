import { createHistogram } from 'node:perf_hooks'
import type { Reading, Scenario } from '../harness/scenario.ts'
import { sleep, stopwatch } from '../harness/time.ts'
import { fill, type Lender, Source } from '../subjects/lender.ts'
import { openLender } from '../subjects/lenders.ts'

const MAX = 10
const WORK_MS = 10
/** What comes later than this is of no use to anybody. */
const PATIENCE_MS = 500
const CALM = 0.7
/** A window of recovery in which less than this share of the requests succeeded is not yet over it. */
const RECOVERED = 0.95
const WINDOW_MS = 25

export const overloads: readonly Scenario[] = [overload(1.5, true), overload(2, false), overload(3, true)]

function overload(factor: number, inQuick: boolean): Scenario {
  return {
    name: `overload-${factor}`,
    title: `Overload: ${factor} times what 10 connections can do`,
    about:
      `Requests of ${WORK_MS} ms arrive at ${factor} times the rate that the connections can serve, whether or not earlier ones ` +
      `were served; a client takes no answer that is later than ${PATIENCE_MS} ms. Goodput is what was in time, beside what the ` +
      'connections can do (measured in the same turn). Afterwards the load falls to 0.7 of that: back is the time until ' +
      'requests succeed again. `@100` is a pool whose time limit was set to 100 ms; the others are as they come. rockpool ' +
      "is told `overload: 'shed'`, and nothing else. mysql2 and lightning-pool have no limit by default, as pg-pool.",
    metrics: [
      { name: 'goodput', title: 'goodput', unit: 'of capacity', digits: 2 },
      { name: 'p50', title: 'p50', unit: 'ms', digits: 1 },
      { name: 'p99', title: 'p99', unit: 'ms', digits: 1 },
      { name: 'backMs', title: 'back after', unit: 'ms', digits: 0 },
    ],
    plotted: { metric: 'goodput', less: false },
    long: !inQuick,
    subjects: (quick) =>
      quick
        ? ['rockpool (shed)', 'pg-pool', 'pg-pool @100']
        : [
            'rockpool (shed)',
            'pg-pool',
            'pg-pool @100',
            'pg-pool @500',
            'tarn',
            'tarn @250',
            'generic-pool',
            'generic-pool @500',
            'sequelize-pool',
            'lightning-pool @500',
          ],
    plan: (quick) => ({ rounds: quick ? 2 : 5, budgetMs: 120_000, cold: true }),
    async start(subject, { quick }) {
      return {
        async run() {
          const lender = await openLender(subject, { max: MAX, source: new Source() })
          await fill(lender, MAX)
          const load = new Load(lender)
          const capacity = await load.capacity(quick ? 300 : 500)
          await load.offer(capacity * factor, quick ? 700 : 2_000)
          const hot = load.watch()
          await load.offer(capacity * factor, quick ? 800 : 2_000)
          const over = load.watch()
          await load.offer(capacity * CALM, quick ? 500 : 4_000)
          await sleep(PATIENCE_MS)
          const reading = readingOf(hot, over, capacity)
          // Some wait for everybody who still waits.
          void lender.close()
          return reading
        },
      }
    },
  }
}

interface Outcome {
  readonly at: number
  ms: number
  good: boolean
}

interface Watch {
  readonly since: number
  until: number
  readonly outcomes: Outcome[]
}

function readingOf(hot: Watch, calm: Watch, capacity: number): Reading {
  const latencies = createHistogram()
  let good = 0
  for (const outcome of hot.outcomes) {
    if (!outcome.good) continue
    good++
    latencies.record(Math.max(1, Math.round(outcome.ms * 1000)))
  }
  const goodput = good / (((hot.until - hot.since) * capacity) / 1000)
  const reading = { goodput, backMs: timeToRecover(calm) }
  if (good === 0) return reading
  return { ...reading, p50: latencies.percentile(50) / 1000, p99: latencies.percentile(99) / 1000 }
}

/** When the last bad window has ended, counted from the end of the overload. */
function timeToRecover(calm: Watch): number {
  const windows: { all: number; good: number }[] = []
  for (const { at, good } of calm.outcomes) {
    const index = Math.floor((at - calm.since) / WINDOW_MS)
    windows[index] ??= { all: 0, good: 0 }
    windows[index].all++
    if (good) windows[index].good++
  }
  const bad = windows.map((window) => window !== undefined && window.good / window.all < RECOVERED)
  return (bad.lastIndexOf(true) + 1) * WINDOW_MS
}

/** Requests that arrive when they arrive. */
class Load {
  readonly #lender: Lender
  #watch: Watch = { since: 0, until: 0, outcomes: [] }

  constructor(lender: Lender) {
    this.#lender = lender
  }

  /** What is asked from now on is told apart. */
  watch(): Watch {
    const now = performance.now()
    this.#watch.until = now
    this.#watch = { since: now, until: now, outcomes: [] }
    return this.#watch
  }

  /** Requests a second that the connections can serve, when somebody always waits. */
  async capacity(forMs: number): Promise<number> {
    const elapsed = stopwatch()
    let served = 0
    const tick = setInterval(() => {}, 1)
    const task = async () => {
      while (elapsed() < forMs) {
        const lease = await this.#lender.acquire()
        await sleep(WORK_MS)
        this.#lender.release(lease)
        served++
      }
    }
    await Promise.all(Array.from({ length: MAX }, task))
    clearInterval(tick)
    return (served * 1000) / elapsed()
  }

  offer(perSecond: number, forMs: number): Promise<void> {
    const elapsed = stopwatch()
    let sent = 0
    return new Promise((resolve) => {
      const tick = setInterval(() => {
        const ms = elapsed()
        for (const due = (Math.min(ms, forMs) / 1000) * perSecond; sent < due; sent++) void this.#request()
        if (ms < forMs) return
        clearInterval(tick)
        resolve()
      }, 1)
    })
  }

  async #request(): Promise<void> {
    const at = performance.now()
    // Whoever is never answered has not been served either.
    const outcome: Outcome = { at, ms: 0, good: false }
    this.#watch.outcomes.push(outcome)
    try {
      const lease = await this.#lender.acquire()
      await sleep(WORK_MS)
      this.#lender.release(lease)
      outcome.ms = performance.now() - at
      outcome.good = outcome.ms <= PATIENCE_MS
    } catch {
      // Refused: the client knows at least.
    }
  }
}
