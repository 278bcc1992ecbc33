import type { Reading, Scenario } from '../harness/scenario.ts'
import { cpuMs, heapBytes, sleep, stopwatch, timers, turnOfTheLoop, watchBlocks } from '../harness/time.ts'
import { fill, type Lender, Source } from '../subjects/lender.ts'
import { openLender, peers } from '../subjects/lenders.ts'

const MAX = 10
const WAITERS = 100_000
/** As many tell what one of them weighs. */
const WEIGHED = 20_000
/** So many arrive in one turn of the event loop. */
const AT_ONCE = 1_000
const PATIENT_MS = 600_000

/** These move the whole queue at each step, as pg-pool does, and take as long: one of them will do in a short run. */
const SLOW: ReadonlySet<string> = new Set(['tarn', 'sequelize-pool'])

const EXPIRING = 20_000
const EXPIRE_MS = 700

export const waiters: Scenario = {
  name: 'waiters',
  title: '100 000 callers wait for 10 connections',
  about:
    'All connections are out; 100 000 callers arrive, a thousand in each turn of the event loop, then everything is ' +
    'given back and each served caller gives back at once. Deadlines are on (10 minutes, so that nobody reaches his), ' +
    'but mysql2 knows none. Bytes are of the heap, with the promises of the caller himself.',
  metrics: [
    { name: 'ns', title: 'CPU a waiter', unit: 'ns', digits: 0 },
    { name: 'wallNs', title: 'wall clock', unit: 'ns', digits: 0 },
    { name: 'blockMs', title: 'longest block', unit: 'ms', digits: 1 },
    { name: 'bytes', title: 'a waiter', unit: 'B', digits: 0 },
    { name: 'timers', title: 'timers (of 20 000)', unit: '', digits: 0 },
  ],
  plotted: { metric: 'ns', less: true },
  subjects: (quick) => [
    'rockpool',
    'bound: deadlines',
    'bound: ring',
    ...peers.filter((name) => !quick || !SLOW.has(name)),
  ],
  plan: (quick) => ({ rounds: quick ? 3 : 9, budgetMs: quick ? 6_000 : 40_000 }),
  async start(subject) {
    const lender = await openLender(subject, { max: MAX, timeoutMs: PATIENT_MS, source: new Source() })
    await fill(lender, MAX)
    return {
      async run() {
        // What is measured is on the heap; looking at it while time is measured would take time.
        const { ns, wallNs, blockMs } = await crowd(lender, WAITERS)
        const { bytes, timers: count } = await crowd(lender, WEIGHED, 'weighed')
        return { ns, wallNs, blockMs, bytes, timers: count } as Reading
      },
      end: () => void lender.close(),
    }
  },
}

async function crowd(lender: Lender, callers: number, how?: 'weighed'): Promise<Record<string, number>> {
  const held = await Promise.all(Array.from({ length: MAX }, () => lender.acquire()))
  const weighed = how === 'weighed'
  const timersBefore = timers()
  const before = weighed ? await heapBytes() : 0
  let served = 0
  let done = () => {}
  const all = new Promise<void>((resolve) => {
    done = resolve
  })
  const onLease = (lease: unknown) => {
    lender.release(lease)
    if (++served === callers) done()
  }
  const blocks = watchBlocks()
  const cpuBefore = cpuMs()
  const elapsed = stopwatch()
  for (let arrived = 0; arrived < callers; arrived += AT_ONCE) {
    for (let n = 0; n < AT_ONCE; n++) void lender.acquire().then(onLease)
    await turnOfTheLoop()
  }
  const bytes = weighed ? ((await heapBytes()) - before) / callers : 0
  // The one that watches for blocks is ours.
  const count = weighed ? timers() - timersBefore - 1 : 0
  for (const lease of held) lender.release(lease)
  await all
  const ns = ((cpuMs() - cpuBefore) * 1e6) / callers
  const wallNs = (elapsed() * 1e6) / callers
  // The watch must get its turn.
  await sleep(2)
  return { ns, wallNs, blockMs: blocks(), bytes, timers: count }
}

export const deadlines: Scenario = {
  name: 'deadlines',
  title: '20 000 callers give up at once',
  about:
    'All connections are out; 20 000 callers arrive at once and wait for 0.7 s, which is the limit of all of them. CPU ' +
    'time is that of the whole: arriving, waiting, and failing with an error that has a stack. The error of the bound is a ' +
    "plain one; rockpool's says who held what. mysql2 knows no deadline and is not here.",
  metrics: [
    { name: 'us', title: 'CPU a caller', unit: 'us', digits: 2 },
    { name: 'blockMs', title: 'longest block', unit: 'ms', digits: 1 },
  ],
  plotted: { metric: 'us', less: true },
  subjects: (quick) => [
    'rockpool',
    'bound: deadlines',
    ...peers.filter((name) => name !== 'mysql2' && (!quick || !SLOW.has(name))),
  ],
  plan: (quick) => ({ rounds: quick ? 2 : 11, budgetMs: quick ? 4_000 : 40_000 }),
  async start(subject) {
    const lender = await openLender(subject, { max: MAX, timeoutMs: EXPIRE_MS, source: new Source() })
    await fill(lender, MAX)
    return {
      async run() {
        const held = await Promise.all(Array.from({ length: MAX }, () => lender.acquire()))
        let failed = 0
        let done = () => {}
        const all = new Promise<void>((resolve) => {
          done = resolve
        })
        const onError = () => {
          if (++failed === EXPIRING) done()
        }
        const blocks = watchBlocks()
        const before = cpuMs()
        for (let n = 0; n < EXPIRING; n++) lender.acquire().catch(onError)
        await all
        const us = ((cpuMs() - before) * 1000) / EXPIRING
        await sleep(2)
        for (const lease of held) lender.release(lease)
        return { us, blockMs: blocks() }
      },
      end: () => void lender.close(),
    }
  },
}
