import type { Scenario } from '../harness/scenario.ts'
import { sleep, stopwatch } from '../harness/time.ts'
import { fill, Source } from '../subjects/lender.ts'
import { openLender, peers } from '../subjects/lenders.ts'

const MAX = 20
const IDLE = 5
const CONNECT_MS = 150

export const spikeShort: Scenario = spike({
  name: 'spike-short',
  title: 'Spike: 50 requests of 2 ms on 5 idle connections, connecting takes 150 ms',
  requests: 50,
  holdMs: 2,
  ideal:
    'The ideal is a pool of five that never grows: five connections are enough to serve everybody before a new one would be open.',
})

export const spikeLong: Scenario = spike({
  name: 'spike-long',
  title: 'Spike: 100 requests of 100 ms on 5 idle connections, connecting takes 150 ms',
  requests: 100,
  holdMs: 100,
  ideal: 'Here all fifteen connections are needed, as soon as possible: who waits to see first loses.',
})

function spike(facts: {
  name: string
  title: string
  requests: number
  holdMs: number
  ideal: string
}): Scenario {
  const { name, title, requests, holdMs, ideal } = facts
  const rivals = peers.filter((peer) => peer !== 'mysql2')
  return {
    name,
    title,
    about:
      `Of at most 20 connections 5 have been used once and are idle, then ${requests} requests come in one moment. ${ideal} ` +
      'The time is until the last request has been served; connections are those opened because of the spike, whenever ' +
      'they came. Nobody has seen such requests before.',
    metrics: [
      { name: 'ms', title: 'all served', unit: 'ms', digits: 1 },
      { name: 'opened', title: 'opened', unit: '', digits: 0 },
    ],
    plotted: { metric: 'ms', less: true },
    subjects: () =>
      holdMs < 10 ? ['rockpool', 'ideal', ...rivals, 'mysql2'] : ['rockpool', ...rivals, 'mysql2'],
    plan: (quick) => ({ rounds: quick ? 2 : 15, budgetMs: 60_000, cold: quick }),
    async start(subject) {
      return {
        async run() {
          const source = new Source(CONNECT_MS)
          const lender = await (subject === 'ideal'
            ? openLender('bound: ring', { max: IDLE, source })
            : openLender(subject, { max: MAX, source }))
          await fill(lender, IDLE)
          await sleep(20)
          const before = source.opened
          const elapsed = stopwatch()
          const request = async () => {
            const lease = await lender.acquire()
            await sleep(holdMs)
            lender.release(lease)
          }
          await Promise.all(Array.from({ length: requests }, request))
          const ms = elapsed()
          await sleep(CONNECT_MS + 30)
          const opened = source.opened - before
          await lender.close()
          return { ms, opened }
        },
      }
    },
  }
}
