import { describe, expect, test } from 'vitest'
import { Waiter } from '../../../src/engine/waiter.ts'
import { WaiterQueue } from '../../../src/engine/waiter-queue.ts'
import { Random } from '../../../src/testing/random.ts'

function waiter({ priority = 0, since = 0, shares = false } = {}): Waiter {
  return Object.assign(new Waiter('lease', since, 1), { priority, shares })
}

function queueOf(...waiters: Waiter[]): WaiterQueue {
  const queue = new WaiterQueue()
  for (const one of waiters) queue.join(one)
  return queue
}

/** What the queue gives, one after the other, until it is empty. */
function drain(queue: WaiterQueue, from: 'first' | 'newest' | 'oldest'): Waiter[] {
  const drained: Waiter[] = []
  for (let one = queue[from]; one !== undefined; one = queue[from]) {
    queue.remove(one)
    drained.push(one)
  }
  return drained
}

describe('a queue of waiters', () => {
  test('has nobody first, newest or oldest while it is empty, also after everybody has left', () => {
    const one = waiter({ priority: 3 })
    const queue = queueOf(one, waiter())
    drain(queue, 'first')
    expect([queue.first, queue.newest, queue.oldest, queue.size]).toEqual([
      undefined,
      undefined,
      undefined,
      0,
    ])
  })

  test('knows the first, the newest and the oldest apart', () => {
    const early = waiter({ since: 1 })
    const [urgent, later] = [waiter({ priority: 5, since: 2 }), waiter({ priority: 5, since: 3 })]
    const low = waiter({ priority: -5, since: 0.5 })
    const queue = queueOf(low, early, urgent, later)
    expect(queue.first).toBe(urgent)
    expect(queue.newest).toBe(later)
    expect(queue.oldest).toBe(low)
    queue.remove(low)
    expect(queue.oldest).toBe(early)
    expect(drain(queue, 'newest')).toEqual([later, urgent, early])
  })

  test('has the one of higher priority oldest where two came in the same moment', () => {
    const [low, high] = [waiter({ since: 1 }), waiter({ since: 1, priority: 2 })]
    expect(queueOf(low, high).oldest).toBe(high)
  })

  test('leaves no trace of who has left, wherever that one stood', () => {
    for (const at of [0, 1, 2]) {
      const all = [waiter(), waiter(), waiter()]
      const queue = queueOf(...all)
      const [gone] = all.splice(at, 1) as [Waiter]
      queue.remove(gone)
      expect([gone.next, gone.previous]).toEqual([undefined, undefined])
      expect(queue.first).toBe(all[0])
      expect(queue.newest).toBe(all[1])
      queue.join(gone)
      expect(drain(queue, 'first')).toEqual([...all, gone])
    }
  })

  test('counts those who would share a place, as they come, go and come back', () => {
    const [sharing, alone] = [waiter({ shares: true }), waiter()]
    const queue = queueOf(sharing, alone)
    expect([queue.size, queue.sharing]).toEqual([2, 1])
    queue.remove(alone)
    expect([queue.size, queue.sharing]).toEqual([1, 1])
    queue.remove(sharing)
    expect([queue.size, queue.sharing]).toEqual([0, 0])
    queue.rejoin(sharing)
    expect([queue.size, queue.sharing]).toEqual([1, 1])
  })

  test('puts who comes back before those who came later, and after those who came before', () => {
    const all = [waiter(), waiter(), waiter(), waiter()]
    for (const back of all) {
      const queue = queueOf(...all)
      queue.remove(back)
      queue.rejoin(back)
      expect(queue.newest).toBe(all[3])
      expect(drain(queue, 'first')).toEqual(all)
    }
    const alone = waiter({ priority: 9 })
    const queue = queueOf(waiter(), alone)
    queue.remove(alone)
    queue.rejoin(alone)
    expect(queue.first).toBe(alone)
  })

  test('keeps nothing of a priority that nobody has any more', () => {
    let compared = 0
    const watched = {
      valueOf() {
        compared++
        return 5
      },
    } as unknown as number
    const once = waiter({ priority: watched })
    const queue = queueOf(once)
    queue.remove(once)
    compared = 0
    queue.join(waiter({ priority: 4 }))
    expect(compared).toBe(0)
  })

  test('tells how many stand before one, but counts no further than asked', () => {
    const all = [3, 3, 0, 0, -1].map((priority) => waiter({ priority }))
    const queue = queueOf(...all)
    expect(all.map((one) => queue.rank(one, 9))).toEqual([0, 1, 2, 3, 4])
    expect(all.map((one) => queue.rank(one, 2))).toEqual([0, 1, 2, 2, 2])
    expect(queue.rank(waiter(), 9)).toBe(5)
    expect(queue.rank(waiter(), 0)).toBe(0)
  })

  test('of many priorities serves the highest first, and in each by arrival', () => {
    const random = new Random(2)
    for (let round = 0; round < 40; round++) {
      const queue = new WaiterQueue()
      let model: Waiter[] = []
      for (let n = 0; n < 40; n++) {
        const one = waiter({ priority: random.pick([0, -0, 0, 1, -1, 2.5, -7, 40]), since: n })
        queue.join(one)
        model.push(one)
        if (random.chance(0.4)) {
          const left = random.pick(model)
          queue.remove(left)
          if (random.chance(0.3)) queue.rejoin(left)
          else model = model.filter((other) => other !== left)
        }
        model.sort((a, b) => b.priority - a.priority || a.arrival - b.arrival)
        expect(queue.size).toBe(model.length)
        expect(queue.first).toBe(model[0])
        const highest = model.filter(({ priority }) => priority === model[0]?.priority)
        expect(queue.newest).toBe(highest.at(-1))
        expect(queue.oldest).toBe([...model].sort((a, b) => a.since - b.since)[0])
      }
      const expected = [...model]
      expect(drain(queue, 'first')).toEqual(expected)
    }
  })
})
