import type { Scenario } from '../harness/scenario.ts'
import { cpuMs, stopwatch } from '../harness/time.ts'
import { fill, Source } from '../subjects/lender.ts'
import { openLender, peers } from '../subjects/lenders.ts'

const MAX = 10
const TASKS = 20
const TIMEOUT_MS = 30_000
const BATCH = 200

export const contended: Scenario = {
  name: 'contended',
  title: '20 tasks on 10 connections, deadlines on',
  about:
    'Twenty tasks acquire and release in loops: ten always wait, and every release is a hand-over. All have a deadline of ' +
    '30 s, but mysql2, which knows none.',
  metrics: [
    { name: 'ns', title: 'CPU a cycle', unit: 'ns', digits: 0 },
    { name: 'wallNs', title: 'wall clock', unit: 'ns', digits: 0 },
  ],
  plotted: { metric: 'ns', less: true },
  subjects: () => ['rockpool', 'bound: deadlines', 'bound: ring', ...peers],
  plan: (quick) => ({ rounds: quick ? 7 : 25, budgetMs: 20_000 }),
  async start(subject, { quick }) {
    const lender = await openLender(subject, { max: MAX, timeoutMs: TIMEOUT_MS, source: new Source() })
    await fill(lender, MAX)
    const forMs = quick ? 100 : 300
    const task = async () => {
      for (let n = 0; n < BATCH; n++) lender.release(await lender.acquire())
    }
    return {
      async run() {
        const before = cpuMs()
        const elapsed = stopwatch()
        let batches = 0
        do {
          await Promise.all(Array.from({ length: TASKS }, task))
          batches++
        } while (elapsed() < forMs)
        const cycles = batches * BATCH * TASKS
        return { ns: ((cpuMs() - before) * 1e6) / cycles, wallNs: (elapsed() * 1e6) / cycles }
      },
      end: () => void lender.close(),
    }
  },
}
