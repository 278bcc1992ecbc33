import { expect, test } from 'vitest'
import { Borrower } from '../../../src/compat/borrower.ts'
import { Withdrawal } from '../../../src/compat/withdrawal.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'

test('who leaves in the moment in which he is served does not wait for a validation that never ends', async () => {
  const clock = new VirtualClock()
  const pool = createResourcePool(
    { name: 'tokens', connect: async () => ({}), close: () => undefined },
    { max: 1, clock },
  )
  const borrower = new Borrower(pool, {
    clock,
    timeoutMs: Number.POSITIVE_INFINITY,
    answersAtOnce: false,
    isGood: () => {
      withdrawal.abort(new Error('left'))
      return new Promise(() => undefined)
    },
  })
  const withdrawal = new Withdrawal()
  const borrowed = borrower.borrow(withdrawal, 0)
  borrowed.catch(() => undefined)
  await clock.advance(10)
  await expect(borrowed).rejects.toThrow('left')
  expect(borrower.validating).toBe(0)
})
