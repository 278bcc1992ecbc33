import { describe, expect, test } from 'vitest'
import { simulate } from '../../../src/testing/simulation/simulate.ts'

const OPERATIONS = 2_000

describe('the simulation', () => {
  test.each([1, 7, 42, 777, 5_001, 12_345, 20_260, 31_337, 2 ** 31, 2 ** 53 - 1])(
    'finds no rule broken with seed %s',
    async (seed) => {
      const { violation, operations } = await simulate(seed, { operations: OPERATIONS })
      expect(violation).toBeUndefined()
      expect(operations).toBeGreaterThanOrEqual(OPERATIONS)
    },
  )

  test('plays a seed the same way each time', async () => {
    const [first, second] = [
      await simulate(99, { operations: 1_000 }),
      await simulate(99, { operations: 1_000 }),
    ]
    expect(second.hash).toBe(first.hash)
    const other = await simulate(100, { operations: 1_000 })
    expect(other.hash).not.toBe(first.hash)
  })
})
