import { describe, expect, test } from 'vitest'
import { OverloadError } from '../../../src/contract/errors.ts'
import { Overload } from '../../../src/engine/overload.ts'
import { fate, world } from '../../support/world.ts'

describe('overload', () => {
  test('is a queue that has not been empty for two watches and does not shrink', () => {
    const overload = new Overload()
    overload.joined(0, 10)
    overload.judge(50, 30, 10)
    expect(overload.isOn).toBe(false)
    overload.judge(99, 60, 10)
    expect(overload.isOn).toBe(false)
    overload.judge(100, 60, 10)
    expect(overload.isOn).toBe(true)
  })

  test('is not a queue that shrinks, however long it is', () => {
    const overload = new Overload()
    overload.joined(0, 10)
    for (let at = 50, waiting = 1_000; waiting > 0; at += 50, waiting -= 50) {
      overload.judge(at, waiting, 10)
      expect(overload.isOn).toBe(false)
    }
  })

  test('is over when the queue has run empty, and when nobody had to be turned away for a watch', () => {
    const overload = new Overload()
    overload.joined(0, 10)
    overload.judge(50, 5, 10)
    overload.judge(100, 5, 10)
    expect(overload.isOn).toBe(true)
    overload.turnedAway()
    overload.judge(150, 4, 10)
    expect(overload.isOn).toBe(true)
    overload.judge(200, 3, 10)
    expect(overload.isOn).toBe(false)
    overload.judge(250, 3, 10)
    expect(overload.isOn).toBe(true)
    overload.emptied()
    expect([overload.isOn, overload.judgeAt]).toEqual([false, Number.POSITIVE_INFINITY])
  })

  test('takes its times from how long a lease takes', () => {
    const quick = new Overload()
    quick.joined(0, 1)
    expect([quick.judgeAt, quick.patienceMs, quick.retryAfterMs]).toEqual([50, 20, 100])
    const slow = new Overload()
    slow.joined(0, 500)
    expect([slow.judgeAt, slow.patienceMs, slow.retryAfterMs]).toEqual([1_000, 1_000, 2_000])
  })
})

/** Callers that hold a connection for 10 ms, so many of them a millisecond, for a while. */
async function load(
  pool: ReturnType<typeof shedding>,
  { perMs, forMs, priority = 0 }: { perMs: number; forMs: number; priority?: number },
) {
  const fates = []
  let due = 0
  for (let ms = 0; ms < forMs; ms++) {
    for (due += perMs; due >= 1; due--) fates.push(fate(hold(pool, priority), pool.clock))
    await pool.clock.advance(1)
  }
  return fates
}

async function hold({ pool, clock }: ReturnType<typeof shedding>, priority: number): Promise<number> {
  const since = clock.now()
  const lease = await pool.acquire({ priority })
  const waitedMs = clock.now() - since
  await new Promise<void>((resolve) => clock.after(10, resolve))
  lease.release()
  return waitedMs
}

function shedding() {
  return world({ max: 10, overload: 'shed', acquireTimeoutMs: 500 })
}

describe('a pool that sheds', () => {
  test.each([1.5, 2, 3])(
    'serves what it can at %s times its capacity, quickly, and says when to come back',
    async (perMs) => {
      const scene = shedding()
      const fates = await load(scene, { perMs, forMs: 2_000 })
      await scene.clock.advance(1_000)
      const served = fates.filter(({ state }) => state === 'resolved')
      const shed = fates.filter(({ state }) => state === 'rejected')
      expect(served.length).toBeGreaterThan(0.95 * 2_000)
      const waits = served.map(({ value }) => value as number).sort((a, b) => a - b)
      expect(waits[Math.floor(waits.length * 0.99)]).toBeLessThanOrEqual(115)
      for (const { error } of shed) {
        expect(error).toBeInstanceOf(OverloadError)
        expect((error as OverloadError).retryAfterMs).toBeGreaterThan(0)
      }
      expect(scene.pool.stats()).toMatchObject({ waiting: 0, leased: 0 })
    },
  )

  test('sheds nobody of a burst that it can work off', async () => {
    const scene = shedding()
    const fates = await load(scene, { perMs: 300, forMs: 1 })
    await scene.clock.advance(1_000)
    expect(fates.filter(({ state }) => state === 'rejected')).toEqual([])
  })

  test('serves the higher priority first, and sheds the lower', async () => {
    const scene = shedding()
    const low = load(scene, { perMs: 2, forMs: 1_000 })
    const lows = await low
    const urgent = fate(hold(scene, 5), scene.clock)
    const begun = scene.clock.now()
    await scene.clock.advance(40)
    expect(urgent.state).toBe('resolved')
    expect((urgent.at as number) - begun).toBeLessThanOrEqual(25)
    expect(lows.some(({ state }) => state === 'rejected')).toBe(true)
  })

  test('is calm again soon after the overload', async () => {
    const scene = shedding()
    await load(scene, { perMs: 3, forMs: 500 })
    await scene.clock.advance(100)
    const after = await load(scene, { perMs: 0.7, forMs: 500 })
    await scene.clock.advance(500)
    expect(after.every(({ state }) => state === 'resolved')).toBe(true)
  })
})
