import { describe, expect, test } from 'vitest'
import { Rush } from '../../../src/pool/rush.ts'

function scene() {
  const polls: (() => void)[] = []
  const clock = { now: 0, reads: 0 }
  const read = () => {
    clock.reads++
    return clock.now
  }
  const rush = new Rush(read, (run) => void polls.push(run))
  /** Looks so often, and tells how often the clock has been read so far. */
  const glances = (count: number) => {
    for (let n = 0; n < count; n++) rush.glance()
    return clock.reads
  }
  return { clock, polls, rush, glances }
}

describe('a glance at the clock', () => {
  test('is a real look for the first thousand of a rush', () => {
    const { glances, polls } = scene()
    expect(glances(1_000)).toBe(1_000)
    expect(polls).toHaveLength(0)
    expect(glances(1)).toBe(1_001)
    expect(polls).toHaveLength(1)
  })

  test('is one in 31 in a rush, and shows the last look in between', () => {
    const { clock, glances, rush, polls } = scene()
    glances(1_001)
    clock.now = 0.5
    for (let n = 0; n < 30; n++) expect(rush.glance()).toBe(0)
    expect(clock.reads).toBe(1_001)
    expect(rush.glance()).toBe(0.5)
    expect(clock.reads).toBe(1_002)
    expect(glances(62)).toBe(1_004)
    expect(polls).toHaveLength(1)
  })

  test('is a real look again after this turn of the event loop, and a thousand more make the next rush', () => {
    const { glances, polls } = scene()
    glances(1_001)
    polls[0]?.()
    expect(glances(1_000)).toBe(2_001)
    expect(polls).toHaveLength(2)
    expect(glances(30)).toBe(2_001)
  })

  test('is a real look where a millisecond passes in between', () => {
    const { clock, rush } = scene()
    for (let n = 1; n <= 3_000; n++) {
      if (n % 900 === 0) clock.now += 1
      rush.glance()
    }
    expect(clock.reads).toBe(3_000)
  })

  test('finds the rush ended by work that takes its time', () => {
    const { clock, glances, rush } = scene()
    glances(1_001)
    clock.now = 2_000
    glances(31)
    expect(rush.glance()).toBe(2_000)
    expect(glances(100)).toBe(1_001 + 1 + 101)
  })
})
