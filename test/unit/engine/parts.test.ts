import { describe, expect, test } from 'vitest'
import { PoolBugError } from '../../../src/contract/errors.ts'
import type { SlotState } from '../../../src/contract/state.ts'
import { Backoff } from '../../../src/engine/backoff.ts'
import { GapWatch } from '../../../src/engine/gap-watch.ts'
import { move, noSlots, Slot } from '../../../src/engine/slot.ts'
import { engineAlone } from '../../support/engine.ts'

const STATES: SlotState[] = ['connecting', 'validating', 'idle', 'leased', 'resetting', 'closing']

describe('a slot', () => {
  test('moves only as the table says, and every move is counted', () => {
    const moves = STATES.flatMap((from) =>
      [...STATES, 'gone' as const]
        .filter((to) => {
          const slot = new Slot(1, { generation: 0, chance: 0, now: 0 })
          const counts = noSlots()
          slot.state = from
          counts[from]++
          try {
            move(slot, to, 5, counts)
          } catch (error) {
            expect(error).toBeInstanceOf(PoolBugError)
            expect((error as Error).message).toMatch(`cannot go from ${from} to ${to}`)
            expect(counts).toEqual({ ...noSlots(), [from]: 1 })
            return false
          }
          expect(counts).toEqual(to === 'gone' ? noSlots() : { ...noSlots(), [to]: 1 })
          expect(slot).toMatchObject({ state: to, since: 5 })
          return true
        })
        .map((to) => `${from} > ${to}`),
    )
    // Nothing comes back from closing, nothing leaves the pool without having been closed, but a failed connect or a detach.
    expect(moves.filter((one) => one.startsWith('closing'))).toEqual(['closing > gone'])
    expect(moves.filter((one) => one.endsWith('gone'))).toEqual([
      'connecting > gone',
      'leased > gone',
      'closing > gone',
    ])
    expect(moves.filter((one) => one.endsWith('connecting'))).toEqual([])
    expect(moves.filter((one) => one.endsWith('resetting'))).toEqual(['leased > resetting'])
  })

  test('that is gone goes nowhere', () => {
    const slot = new Slot(1, { generation: 0, chance: 0, now: 0 })
    slot.state = 'gone'
    for (const to of STATES) expect(() => move(slot, to, 0, noSlots())).toThrow(PoolBugError)
  })
})

describe('the pause after failed connects', () => {
  const failed = (backoff: Backoff, now: number, { startedAt = now, permanent = false, chance = 1 } = {}) =>
    backoff.failed({ now, startedAt, chance, permanent })

  test('doubles from 20 ms to 200 ms while somebody waits, and to 5 s while nobody does', () => {
    const backoff = new Backoff()
    expect(backoff.until(true)).toBe(Number.NEGATIVE_INFINITY)
    const pauses = Array.from({ length: 12 }, (_, n) => {
      failed(backoff, n)
      return [backoff.until(true) - n, backoff.until(false) - n]
    })
    expect(pauses.map(([waited]) => waited)).toEqual([20, 40, 80, 160, ...Array(8).fill(200)])
    expect(pauses.map(([, alone]) => alone).slice(5)).toEqual([640, 1280, 2560, 5000, 5000, 5000, 5000])
  })

  test('is any share of that, by chance', () => {
    const backoff = new Backoff()
    failed(backoff, 100, { chance: 0.25 })
    expect(backoff.until(true)).toBe(105)
  })

  test('counts attempts that were under way together as one', () => {
    const backoff = new Backoff()
    for (const now of [10, 11, 12]) failed(backoff, now, { startedAt: 0 })
    expect(backoff.until(true)).toBe(32)
    failed(backoff, 50, { startedAt: 32 })
    expect(backoff.until(true)).toBe(90)
  })

  test('is at least a second after a permanent error, and over with the first success', () => {
    const backoff = new Backoff()
    failed(backoff, 0, { permanent: true, chance: 0 })
    expect([backoff.permanent, backoff.until(true)]).toEqual([true, 1000])
    failed(backoff, 10, { startedAt: 5, chance: 0 })
    expect([backoff.permanent, backoff.until(true)]).toEqual([false, 10])
    backoff.succeeded()
    expect([backoff.failing, backoff.until(false)]).toEqual([false, Number.NEGATIVE_INFINITY])
  })
})

describe('the watch for gaps in time', () => {
  test('notices that the clocks have drifted apart by five seconds, and only once', () => {
    const watch = new GapWatch()
    expect(watch.jumped(0, 1_000_000)).toBe(false)
    expect(watch.jumped(10, 1_000_010)).toBe(false)
    expect(watch.jumped(20, 1_005_019)).toBe(false)
    expect(watch.jumped(30, 1_010_030)).toBe(true)
    expect(watch.jumped(40, 1_010_040)).toBe(false)
  })

  test('notices a drift of five seconds, and none that is any smaller', () => {
    const watch = new GapWatch()
    watch.jumped(0, 1_000_000)
    expect(watch.jumped(10, 1_005_010)).toBe(true)
    expect(watch.jumped(20, 1_010_019)).toBe(false)
  })

  test('does not mind a wall clock that was set back, or one that is adjusted little by little', () => {
    const watch = new GapWatch()
    watch.jumped(0, 1_000_000)
    expect(watch.jumped(10, 400_000)).toBe(false)
    for (let n = 1; n < 100; n++) expect(watch.jumped(10 + n, 400_000 + n * 100)).toBe(false)
  })

  test('takes a timer that is five seconds late for one as well', () => {
    expect([GapWatch.isGap(4999), GapWatch.isGap(5000)]).toEqual([false, true])
  })
})

describe('a glance at the clock', () => {
  test('shows the time that the clock gives to a glance', () => {
    const seen = { at: 5 }
    const { engine } = engineAlone({}, { glance: () => seen.at })
    expect(engine.glance()).toBe(5)
    seen.at = 7
    expect([engine.glance(), engine.now]).toEqual([7, 7])
  })

  test('never goes behind the time that was read', () => {
    const { engine, pass } = engineAlone({}, { glance: () => 5 })
    pass(10)
    engine.read()
    expect([engine.glance(), engine.now]).toEqual([10, 10])
  })

  test('is a look where the clock knows no glances', () => {
    const { engine, pass } = engineAlone()
    pass(10)
    expect(engine.glance()).toBe(10)
  })
})
