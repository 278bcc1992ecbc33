import { describe, expect, test } from 'vitest'
import { Distribution } from '../../../src/pool/distribution.ts'

function of(...durations: number[]) {
  const distribution = new Distribution()
  for (const ms of durations) distribution.add(ms)
  return distribution.summary()
}

const NOTHING = { count: 0, meanMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 }

describe('a distribution of durations', () => {
  test('is all zeros before the first, and for zeros', () => {
    expect(of()).toEqual(NOTHING)
    expect(of(0, 0)).toEqual({ ...NOTHING, count: 2 })
    // A clock that was set back gives less than nothing.
    expect(of(-5)).toEqual({ ...NOTHING, count: 1 })
  })

  test('knows count, mean and maximum exactly', () => {
    expect(of(1, 2, 6)).toMatchObject({ count: 3, meanMs: 3, maxMs: 6 })
    expect(of(6, 2, 1, 0)).toMatchObject({ count: 4, meanMs: 2.25, maxMs: 6 })
  })

  test('is exact below eight microseconds, and rounds up to the next', () => {
    for (let us = 1; us < 8; us++) expect(of(us / 1000, 1).p50Ms).toBe(us / 1000)
    expect(of(0.0031, 1).p50Ms).toBe(0.004)
  })

  test('gives the middle of a bucket, eight of them to a doubling, and never more than the maximum', () => {
    expect(of(0.008, 9).p50Ms).toBe(0.0085)
    expect(of(0.015, 9).p50Ms).toBe(0.0155)
    expect(of(0.016, 9).p50Ms).toBe(0.017)
    expect(of(0.017, 9).p50Ms).toBe(0.017)
    expect(of(0.018, 9).p50Ms).toBe(0.019)
    expect(of(1, 9).p50Ms).toBe(0.992)
    expect(of(0.008).p50Ms).toBe(0.008)
  })

  test('has its quantiles where as many lie below as they say, zeros included', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => (n + 1) / 1000)
    const { p50Ms, p95Ms, p99Ms } = of(...hundred)
    expect([p50Ms, p95Ms, p99Ms]).toEqual([0.05, 0.092, 0.1])
    expect(of(0, 0.003).p50Ms).toBe(0)
    expect(of(0, 0.003, 0.004).p50Ms).toBe(0.003)
    expect(of(0, 0, 0, 0.004).p95Ms).toBe(0.004)
  })

  test('does not mind in which order they come', () => {
    const falling = Array.from({ length: 200 }, (_, n) => 0.5 * 1.05 ** (200 - n))
    expect(of(...falling)).toEqual({ ...of(...[...falling].reverse()), meanMs: of(...falling).meanMs })
  })

  test('bears durations beyond its last bucket', () => {
    const { p50Ms, maxMs } = of(1e9, 1e9)
    expect(maxMs).toBe(1e9)
    expect(p50Ms).toBeGreaterThan(4e6)
    expect(p50Ms).toBeLessThan(4.3e6)
  })
})
