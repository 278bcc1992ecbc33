import type { Scenario } from '../harness/scenario.ts'
import { heapBytes, sleep, timers } from '../harness/time.ts'
import { type Lender, Source } from '../subjects/lender.ts'
import { openLender, peers } from '../subjects/lenders.ts'

const POOLS = 10_000

export const idlePools: Scenario = {
  name: 'idle-pools',
  title: '10 000 pools with one idle connection each',
  about:
    'One process, as a service with a database for each tenant has it. Each pool has lent one connection once. The ' +
    'connections are of a fake driver and weigh next to nothing; a real one weighs more than any pool. mysql2 would need ' +
    '10 000 real sockets and is not here.',
  metrics: [
    { name: 'bytes', title: 'a pool', unit: 'B', digits: 0 },
    { name: 'timers', title: 'timers a pool', unit: '', digits: 2 },
  ],
  plotted: { metric: 'bytes', less: true },
  subjects: () => ['rockpool', 'rockpool (SQL)', ...peers.filter((name) => name !== 'mysql2')],
  plan: (quick) => ({ rounds: quick ? 2 : 5, budgetMs: 30_000, cold: true }),
  async start(subject) {
    return {
      async run() {
        const source = new Source()
        const pools: Lender[] = new Array(POOLS)
        const timersBefore = timers()
        const before = await heapBytes()
        for (let n = 0; n < POOLS; n++) {
          const pool = await openLender(subject, { max: 10, source })
          pool.release(await pool.acquire())
          pools[n] = pool
        }
        await sleep(50)
        const bytes = ((await heapBytes()) - before) / POOLS
        const perPool = (timers() - timersBefore) / POOLS
        await Promise.all(pools.map((pool) => pool.close()))
        return { bytes, timers: perPool }
      },
    }
  },
}
