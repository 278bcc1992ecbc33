import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Deadlines } from '../../src/engine/deadlines.ts'
import { IdleList } from '../../src/engine/idle-list.ts'
import { Slot } from '../../src/engine/slot.ts'
import { Waiter } from '../../src/engine/waiter.ts'
import { WaiterQueue } from '../../src/engine/waiter-queue.ts'
import { Distribution } from '../../src/pool/distribution.ts'

describe('WaiterQueue', () => {
  test('serves as a list sorted by priority and arrival would', () => {
    const step = fc.record({
      what: fc.constantFrom('join', 'join', 'join', 'remove', 'take', 'takeAndRejoin'),
      priority: fc.constantFrom(0, 0, 0, -0, 1, -1, 2.5, 1e308, -1e308),
      which: fc.nat(50),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const queue = new WaiterQueue()
        let model: Waiter[] = []
        const sorted = () => [...model].sort((a, b) => b.priority - a.priority || a.arrival - b.arrival)
        for (const { what, priority, which } of steps) {
          if (what === 'join') {
            const waiter = new Waiter('lease', 0, 1)
            waiter.priority = priority
            queue.join(waiter)
            model.push(waiter)
          }
          const chosen = what === 'remove' ? model[which % Math.max(1, model.length)] : queue.first
          if (chosen !== undefined && what !== 'join') {
            queue.remove(chosen)
            if (what === 'takeAndRejoin') queue.rejoin(chosen)
            else model = model.filter((waiter) => waiter !== chosen)
          }
          const expected = sorted()
          expect(queue.size).toBe(expected.length)
          expect(queue.first).toBe(expected[0])
          for (const [rank, waiter] of expected.entries()) {
            expect(queue.rank(waiter, 100)).toBe(rank)
            expect(queue.rank(waiter, 2)).toBe(Math.min(rank, 2))
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('Deadlines', () => {
  test('gives what is due, the earliest first, once, and nothing that is done', () => {
    const step = fc.record({
      what: fc.constantFrom('add', 'add', 'add', 'finish', 'advance'),
      ms: fc.oneof(fc.nat(50), fc.constant(Number.POSITIVE_INFINITY)),
      which: fc.nat(500),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const deadlines = new Deadlines<{ deadline: number; done: boolean }>()
        let open: { deadline: number; done: boolean }[] = []
        let now = 0
        for (const { what, ms, which } of steps) {
          if (what === 'add') {
            const item = { deadline: now + ms, done: false }
            deadlines.add(item)
            open.push(item)
          } else if (what === 'finish') {
            const item = open[which % Math.max(1, open.length)]
            if (item === undefined) continue
            item.done = true
            deadlines.finished(item)
            open = open.filter((other) => other !== item)
          } else if (ms < Number.POSITIVE_INFINITY) {
            now += ms
            const due = open.filter(({ deadline }) => deadline <= now).map(({ deadline }) => deadline)
            const taken: number[] = []
            for (let item = deadlines.takeDue(now); item !== undefined; item = deadlines.takeDue(now)) {
              expect(item.done).toBe(false)
              item.done = true
              deadlines.finished(item)
              taken.push(item.deadline)
            }
            expect(taken).toEqual(due.sort((a, b) => a - b))
            open = open.filter(({ done }) => !done)
          }
          expect(deadlines.earliest).toBe(
            Math.min(Number.POSITIVE_INFINITY, ...open.map(({ deadline }) => deadline)),
          )
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('IdleList', () => {
  test('is ordered by last use, whoever comes and goes, and knows the last use of each affinity', () => {
    const step = fc.record({
      what: fc.constantFrom('add', 'add', 'addOld', 'remove', 'coldest', 'warmest'),
      which: fc.nat(50),
      affinity: fc.constantFrom(undefined, 'a', 'b'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const list = new IdleList<object, object>()
        let model: Slot<object, object>[] = []
        let time = 10
        for (const { what, which, affinity } of steps) {
          if (what === 'add' || what === 'addOld') {
            const slot = new Slot<object, object>(1, { generation: 0, chance: 0, now: 0 })
            slot.usedAt = what === 'add' ? ++time : which % 10
            slot.affinity = affinity
            list.add(slot)
            const at = model.filter((other) => other.usedAt <= slot.usedAt).length - 1
            model.splice(at + 1, 0, slot)
          } else {
            const chosen = what === 'remove' ? model[which % Math.max(1, model.length)] : list[what]
            if (chosen === undefined) continue
            list.remove(chosen)
            model = model.filter((other) => other !== chosen)
          }
          const listed: Slot<object, object>[] = []
          for (let slot = list.coldest; slot !== undefined; slot = slot.warmer) listed.push(slot)
          expect(listed).toEqual(model)
          const backwards: Slot<object, object>[] = []
          for (let slot = list.warmest; slot !== undefined; slot = slot.colder) backwards.unshift(slot)
          expect(backwards).toEqual(model)
          expect(list.size).toBe(model.length)
          for (const value of ['a', 'b']) {
            const found = list.lastUsedWith(value)
            if (found !== undefined) {
              expect(found.affinity).toBe(value)
              expect(model).toContain(found)
            }
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('Distribution', () => {
  test('is at most 7 % off, and exact in count, mean and maximum', () => {
    const durations = fc.array(
      fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 100_000, noNaN: true })),
      {
        minLength: 1,
        maxLength: 200,
      },
    )
    fc.assert(
      fc.property(durations, (values) => {
        const distribution = new Distribution()
        for (const value of values) distribution.add(value)
        const summary = distribution.summary()
        const sorted = [...values].sort((a, b) => a - b)
        expect(summary.count).toBe(values.length)
        expect(summary.meanMs).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 5)
        expect(summary.maxMs).toBe(sorted.at(-1))
        for (const [share, got] of [
          [0.5, summary.p50Ms],
          [0.95, summary.p95Ms],
          [0.99, summary.p99Ms],
        ] as const) {
          const exact = sorted[Math.ceil(share * values.length) - 1] as number
          // Up to the next microsecond, and from there to the middle of a bucket.
          expect(Math.abs(got - exact)).toBeLessThanOrEqual(0.001 + (exact + 0.001) * 0.07)
          expect(got).toBeLessThanOrEqual(summary.maxMs)
        }
        expect(summary.p50Ms).toBeLessThanOrEqual(summary.p95Ms)
        expect(summary.p95Ms).toBeLessThanOrEqual(summary.p99Ms)
      }),
      { numRuns: 300 },
    )
  })

  test('bears durations beyond its last bucket', () => {
    const distribution = new Distribution()
    distribution.add(1e9)
    distribution.add(1e9)
    expect(distribution.summary()).toMatchObject({ count: 2, meanMs: 1e9, maxMs: 1e9 })
    expect(distribution.summary().p50Ms).toBeGreaterThan(4e6)
  })
})
