import { expect, test } from 'vitest'
import { exponential, longTail, uniform } from '../../../src/testing/latency.ts'
import { Random } from '../../../src/testing/random.ts'

const draw = (random: Random, count: number) => Array.from({ length: count }, () => random.next())

test('one seed always gives the same numbers', () => {
  expect(draw(new Random(7), 20)).toEqual(draw(new Random(7), 20))
  const first = draw(new Random(1), 3).map((n) => Math.floor(n * 1e6))
  expect(first).toMatchInlineSnapshot(`
    [
      133426,
      760942,
      163698,
    ]
  `)
})

test('seeds that differ by one, or only above 32 bits, give different numbers', () => {
  const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER]
  const firsts = seeds.map((seed) => new Random(seed).next())
  expect(new Set(firsts).size).toBe(seeds.length)
})

test.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses %s for a seed', (seed) => {
  expect(() => new Random(seed)).toThrow(RangeError)
})

test('spreads evenly', () => {
  const random = new Random(42)
  const buckets = Array.from({ length: 10 }, () => 0)
  for (const n of draw(random, 100_000)) buckets[Math.floor(n * 10)] = (buckets[Math.floor(n * 10)] ?? 0) + 1
  for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500)
})

test('integers and choices include both ends', () => {
  const random = new Random(3)
  const integers = new Set(Array.from({ length: 200 }, () => random.integer(-1, 1)))
  expect([...integers].sort((a, b) => a - b)).toEqual([-1, 0, 1])
  const picks = new Set(Array.from({ length: 200 }, () => random.pick(['a', 'b', 'c'])))
  expect(picks.size).toBe(3)
  expect(() => random.pick([])).toThrow(RangeError)
  expect([random.chance(0), random.chance(1)]).toEqual([false, true])
})

test('a fork goes its own way, and how much is drawn from it changes nothing', () => {
  const a = new Random(5)
  const b = new Random(5)
  draw(a.fork(), 100)
  b.fork()
  expect(draw(a, 5)).toEqual(draw(b, 5))
})

test('latencies have the shape they are named after', () => {
  const random = new Random(11)
  const of = (latency: ReturnType<typeof uniform>) =>
    Array.from({ length: 20_000 }, () => (typeof latency === 'number' ? latency : latency(random)))
  const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length
  expect(mean(of(uniform(10, 20)))).toBeCloseTo(15, 0)
  expect(mean(of(exponential(5)))).toBeCloseTo(5, 0)
  const tail = of(longTail(1, 100, 0.01))
  expect(tail.filter((v) => v === 100).length / tail.length).toBeCloseTo(0.01, 2)
})
