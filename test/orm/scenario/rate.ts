import type { OpenOrm, ScenarioOrm, Side } from './orm.ts'

const PAIRS = 15
const SLICE_MS = 250
const AT_ONCE = 10

/** Lookups by primary key, ten at a time: how often ours does what theirs does once; the median of interleaved pairs. */
export async function rateOf(orm: ScenarioOrm, url: string): Promise<string> {
  const place = { url, max: 10, waitMs: 10_000 }
  const open = { ours: await orm.ours(place), theirs: await orm.theirs(place) }
  for (const side of ['ours', 'theirs'] as const) await slice(open[side])
  const ratios: number[] = []
  for (let pair = 0; pair < PAIRS; pair++) {
    const order: Side[] = pair % 2 === 0 ? ['ours', 'theirs'] : ['theirs', 'ours']
    const done = { ours: 0, theirs: 0 }
    for (const side of order) done[side] = await slice(open[side])
    ratios.push(done.ours / done.theirs)
  }
  ratios.sort((a, b) => a - b)
  const at = (part: number) => ratios[Math.round((PAIRS - 1) * part)]?.toFixed(2)
  return `${at(0.5)} (${at(0.25)}-${at(0.75)})`
}

async function slice(orm: OpenOrm): Promise<number> {
  const end = performance.now() + SLICE_MS
  let done = 0
  const one = async () => {
    while (performance.now() < end) {
      await orm.lookup((done % 1000) + 1)
      done++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return done
}
