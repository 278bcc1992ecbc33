import { describe, expect, test } from 'vitest'
import { Distribution } from '../../../src/pool/distribution.ts'
import { UseMeter } from '../../../src/pool/use-meter.ts'

function scene() {
  const clock = {
    now: 0,
    reads: 0,
    read() {
      clock.reads++
      return clock.now
    },
  }
  const useTime = new Distribution()
  const learnt: number[] = []
  const polls: (() => void)[] = []
  const forecast = { learnHold: (ms: number) => void learnt.push(ms) }
  const meter = new UseMeter(clock, { useTime, forecast }, { afterPoll: (run) => void polls.push(run) })
  const end = (heldMs = 0, shared = false) => meter.ended({ since: clock.now - heldMs, shared })
  return { clock, useTime, learnt, polls, meter, end }
}

describe('the time that leases are out', () => {
  test('is measured for each, and the forecast learns it', () => {
    const { clock, meter, learnt, useTime, end } = scene()
    clock.now = 10
    expect(meter.measured({ since: 4, shared: false })).toBe(6)
    end(2)
    expect(learnt).toEqual([6, 2])
    expect(useTime.summary()).toMatchObject({ count: 2, meanMs: 4 })
  })

  test('of a shared connection is no lesson for the forecast', () => {
    const { clock, learnt, useTime, end } = scene()
    clock.now = 10
    end(6, true)
    expect(learnt).toEqual([])
    expect(useTime.summary().count).toBe(1)
  })

  test('is measured for one in eight in a rush of more than a thousand quick returns', () => {
    const { clock, useTime, end, polls } = scene()
    for (let n = 0; n < 1_000; n++) end(0.25)
    expect(clock.reads).toBe(1_000)
    expect(polls).toHaveLength(0)
    end(0.25)
    expect([clock.reads, polls.length]).toEqual([1_001, 1])
    for (let n = 0; n < 7; n++) end(9)
    expect(clock.reads).toBe(1_001)
    end(0.25)
    expect(clock.reads).toBe(1_002)
    for (let n = 0; n < 8; n++) end(0.25)
    expect(clock.reads).toBe(1_003)
    expect(useTime.summary()).toMatchObject({ count: 1_017, meanMs: 0.25 })
    expect(polls).toHaveLength(1)
  })

  test('is measured for each again after a turn of the event loop', () => {
    const { clock, end, polls } = scene()
    for (let n = 0; n < 1_001; n++) end()
    polls[0]?.()
    const before = clock.reads
    for (let n = 0; n < 20; n++) end()
    expect(clock.reads).toBe(before + 20)
  })

  test('is no rush where a millisecond passes in between', () => {
    const { clock, end } = scene()
    for (let n = 0; n < 3_000; n++) {
      if (n % 900 === 0) clock.now += 1
      end()
    }
    expect(clock.reads).toBe(3_000)
  })

  test('is measured where somebody listens, rush or not, and the next few are not', () => {
    const { clock, end, meter } = scene()
    for (let n = 0; n < 1_005; n++) end()
    const before = clock.reads
    meter.measured({ since: 0, shared: false })
    for (let n = 0; n < 7; n++) end()
    expect(clock.reads).toBe(before + 1)
    end()
    expect(clock.reads).toBe(before + 2)
  })
})
