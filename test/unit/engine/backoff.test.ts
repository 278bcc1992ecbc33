import { describe, expect, test } from 'vitest'
import { Backoff } from '../../../src/engine/backoff.ts'

describe('a permanent refusal', () => {
  test('is none before the first failure, and forgotten with the first success', () => {
    const backoff = new Backoff()
    expect(backoff.permanent).toBe(false)
    backoff.failed({ now: 0, startedAt: 0, chance: 1, permanent: true })
    backoff.succeeded()
    expect(backoff.permanent).toBe(false)
  })
})

test('the first failure counts, and so does one of an attempt begun in the moment of the last', () => {
  const backoff = new Backoff()
  backoff.failed({ now: 5, startedAt: -10, chance: 1, permanent: false })
  expect(backoff.until(true)).toBe(25)
  backoff.failed({ now: 30, startedAt: 5, chance: 1, permanent: false })
  expect(backoff.until(true)).toBe(70)
})
