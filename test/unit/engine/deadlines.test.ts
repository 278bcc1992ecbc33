import { describe, expect, test } from 'vitest'
import { Deadlines } from '../../../src/engine/deadlines.ts'
import { Random } from '../../../src/testing/random.ts'

const NEVER = Number.POSITIVE_INFINITY

interface Item {
  deadline: number
  done: boolean
}

function scene(...times: number[]) {
  const deadlines = new Deadlines<Item>()
  const add = (deadline: number): Item => {
    const item = { deadline, done: false }
    deadlines.add(item)
    return item
  }
  const finish = (item: Item) => {
    item.done = true
    deadlines.finished(item)
  }
  /** What falls due until then, each of it reported as done at once. */
  const takeAll = (now: number): number[] => {
    const taken: number[] = []
    for (let item = deadlines.takeDue(now); item !== undefined; item = deadlines.takeDue(now)) {
      finish(item)
      taken.push(item.deadline)
    }
    return taken
  }
  return { deadlines, items: times.map(add), add, finish, takeAll }
}

const sorted = (times: readonly number[]) => [...times].sort((a, b) => a - b)

describe('deadlines', () => {
  test('are infinitely far where there are none, also those of who waits for ever', () => {
    const { deadlines, finish, items, takeAll } = scene(NEVER, NEVER)
    expect(deadlines.earliest).toBe(NEVER)
    expect(deadlines.takeDue(1e300)).toBeUndefined()
    for (const item of items) finish(item)
    expect(takeAll(NEVER)).toEqual([])
  })

  test('are due at their moment, not before, and only once', () => {
    const { deadlines, takeAll } = scene(5, 3, 4)
    expect(deadlines.earliest).toBe(3)
    expect(takeAll(2.9)).toEqual([])
    expect(takeAll(3)).toEqual([3])
    expect(takeAll(3)).toEqual([])
    expect(takeAll(10)).toEqual([4, 5])
  })

  test('of equal time keep the order in which they came', () => {
    const { deadlines } = scene()
    const items = [1, 2, 3].map(() => ({ deadline: 7, done: false }))
    for (const item of items) deadlines.add(item)
    expect(deadlines.takeDue(7)).toBe(items[0])
  })

  test('of what is done are passed over, wherever they stand', () => {
    const { deadlines, items, finish, takeAll } = scene(1, 2, 3, 4)
    finish(items[0] as Item)
    finish(items[2] as Item)
    expect(deadlines.earliest).toBe(2)
    expect(takeAll(9)).toEqual([2, 4])
    expect(deadlines.earliest).toBe(NEVER)
  })

  test('come in order whatever order they were added in, mixed with ends', () => {
    const random = new Random(1)
    for (let round = 0; round < 60; round++) {
      const { add, finish, deadlines, takeAll } = scene()
      let open: Item[] = []
      for (let n = 0; n < 20 * (round % 20); n++) {
        open.push(add(random.integer(0, 200)))
        if (random.chance(0.4)) {
          const [ended] = open.splice(random.integer(0, open.length - 1), 1) as [Item]
          finish(ended)
        }
        const times = open.map(({ deadline }) => deadline)
        expect(deadlines.earliest).toBe(Math.min(NEVER, ...times))
        if (random.chance(0.03)) {
          expect(takeAll(50)).toEqual(sorted(times).filter((at) => at <= 50))
          open = open.filter(({ deadline }) => deadline > 50)
        }
      }
      expect(takeAll(200)).toEqual(sorted(open.map(({ deadline }) => deadline)))
    }
  })
})

describe('what is done', () => {
  /** How often the deadline of something done is read on the way: that is what a leftover costs. */
  function watched(count: number, deadline: (n: number) => number) {
    const scenery = scene()
    const items = Array.from({ length: count }, (_, n) => {
      let reads = 0
      let done = false
      const item = {
        deadline: deadline(n),
        get done() {
          reads++
          return done
        },
        set done(is: boolean) {
          done = is
        },
        get reads() {
          return reads
        },
      }
      scenery.deadlines.add(item)
      return item
    })
    return { ...scenery, items }
  }
  const asked = (items: readonly { reads: number }[]) => items.reduce((sum, { reads }) => sum + reads, 0)

  test('is looked through in one go only when it is most of the heap, and more than a few', () => {
    const { items, finish } = watched(200, (n) => n)
    for (const item of items.slice(100)) finish(item)
    expect(asked(items)).toBe(0)
    finish(items[99] as (typeof items)[0])
    expect(asked(items)).toBe(200)
    const few = watched(64, (n) => n)
    for (const item of few.items) few.finish(item)
    expect(asked(few.items)).toBe(0)
    const more = watched(65, (n) => n)
    for (const item of more.items) more.finish(item)
    expect(asked(more.items)).toBe(65)
  })

  test('is forgotten then: the count begins anew, and what is left keeps its order', () => {
    const { items, finish, takeAll } = watched(200, (n) => 200 - n)
    for (const item of items.slice(0, 101)) finish(item)
    const before = asked(items)
    for (const item of items.slice(101, 165)) finish(item)
    expect(asked(items)).toBe(before)
    finish(items[165] as (typeof items)[0])
    expect(asked(items)).toBe(before + 99)
    expect(takeAll(200)).toEqual(Array.from({ length: 34 }, (_, n) => n + 1))
  })

  test('is not counted on when it has already dropped out at the top, or was taken', () => {
    const { items, finish, deadlines, takeAll } = watched(300, (n) => n)
    for (const item of items.slice(0, 60)) finish(item)
    expect(deadlines.earliest).toBe(60)
    expect(takeAll(99)).toHaveLength(40)
    const before = asked(items.slice(150))
    for (const item of items.slice(100, 200)) finish(item)
    expect(asked(items.slice(150))).toBe(before)
    finish(items[200] as (typeof items)[0])
    expect(asked(items.slice(150))).toBeGreaterThan(before)
  })

  test('keep nothing in mind once all are done', () => {
    const deadlines = new Deadlines<Item>()
    let looks = 0
    let done = false
    const item = {
      deadline: 5,
      get done() {
        looks++
        return done
      },
    }
    deadlines.add(item)
    deadlines.add({ deadline: NEVER, done: false })
    expect(deadlines.earliest).toBe(5)
    expect(looks).toBe(1)
    done = true
    deadlines.finished(item)
    expect(deadlines.earliest).toBe(NEVER)
    expect(looks).toBe(1)
  })
})
