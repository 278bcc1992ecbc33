import type { Scenario, Trial } from '../harness/scenario.ts'
import { cpuMs, stopwatch } from '../harness/time.ts'
import { fill, type Lender, Source } from '../subjects/lender.ts'
import { openLender, peers } from '../subjects/lenders.ts'

const MAX = 10
/** CPU time is what a cycle costs, whoever else wants the core meanwhile. */
const metrics = [
  { name: 'ns', title: 'CPU a cycle', unit: 'ns', digits: 0 },
  { name: 'wallNs', title: 'wall clock', unit: 'ns', digits: 0 },
] as const

/** Enough for the loop to be worth a measurement, and the clock to cost nothing beside it. */
const BATCH = 2_000

export const cycle: Scenario = {
  name: 'cycle',
  title: 'Acquire and release, a connection is free',
  about:
    'One caller acquires and releases in a loop. Nothing is opened, checked or waited for. ' +
    'Unfair to rockpool, tarn and sequelize-pool, whose deadlines are on by default; to those with a callback interface ' +
    '(mysql2, lightning-pool), which is faster than the promises measured here; and to all beside the bound, which keeps ' +
    'no record of anything.',
  metrics,
  plotted: { metric: 'ns', less: true },
  subjects: () => ['rockpool', 'rockpool (SQL)', 'bound: ring', ...peers, 'HikariCP', 'SQLAlchemy'],
  plan: (quick) => ({ rounds: quick ? 7 : 25, budgetMs: 20_000 }),
  start: (subject, { quick }) =>
    start(subject, quick ? 100 : 300, async (lender) => {
      for (let n = 0; n < BATCH; n++) lender.release(await lender.acquire())
    }),
}

export const tryCycle: Scenario = {
  name: 'try',
  title: 'tryAcquire and release, a connection is free',
  about:
    'The same without a promise, as HikariCP does it in Java and SQLAlchemy in Python: each in a process of its own in ' +
    "the same rounds. HikariCP locks and hands out a proxy that closes the statements its caller forgot; it uses JDBC's " +
    'calls of a connection that does nothing. SQLAlchemy resets each connection by a rollback, which costs nothing here.',
  metrics,
  plotted: { metric: 'ns', less: true },
  subjects: () => ['rockpool', 'rockpool (SQL)', 'bound: ring', 'HikariCP', 'SQLAlchemy'],
  plan: (quick) => ({ rounds: quick ? 9 : 25, budgetMs: 20_000 }),
  start: (subject, { quick }) =>
    start(subject, quick ? 100 : 300, (lender) => {
      for (let n = 0; n < BATCH; n++) lender.release(lender.tryAcquire?.())
    }),
}

async function start(
  subject: string,
  forMs: number,
  batch: (lender: Lender) => Promise<void> | void,
): Promise<Trial> {
  const lender = await openLender(subject, { max: MAX, source: new Source() })
  return {
    async run() {
      // Who has been idle while others had their turns may want a check first.
      await fill(lender, MAX)
      const before = cpuMs()
      const elapsed = stopwatch()
      let batches = 0
      do {
        await batch(lender)
        batches++
      } while (elapsed() < forMs)
      const cycles = batches * BATCH
      return { ns: ((cpuMs() - before) * 1e6) / cycles, wallNs: (elapsed() * 1e6) / cycles }
    },
    end: () => void lender.close(),
  }
}
