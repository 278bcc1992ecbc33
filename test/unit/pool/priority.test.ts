import { describe, expect, test } from 'vitest'
import { world } from '../../support/world.ts'

describe('priority', () => {
  test('higher is served first, in order of arrival within one value', async () => {
    const { clock, pool } = world({ max: 1 })
    const lease = await clock.until(pool.acquire())
    const served: string[] = []
    const wait = (name: string, priority?: number) =>
      pool.use(() => void served.push(name), priority === undefined ? {} : { priority })
    const all = [
      wait('a'),
      wait('low', -1),
      wait('high', 5),
      wait('b', 0),
      wait('higher', 5.5),
      wait('high 2', 5),
    ]
    lease.release()
    await clock.until(Promise.all(all))
    expect(served).toEqual(['higher', 'high', 'high 2', 'a', 'b', 'low'])
  })

  test('a waiter whose connection fails in its hook keeps its place', async () => {
    let fails = true
    const served: string[] = []
    const { clock, pool } = world({
      max: 1,
      onAcquire: (_, { label }) => {
        if (label === 'first' && fails) {
          fails = false
          throw new Error('not this one')
        }
      },
    })
    const lease = await clock.until(pool.acquire())
    const all = ['first', 'second', 'third'].map((label) =>
      pool.use(() => void served.push(label), { label }),
    )
    lease.release()
    await clock.until(Promise.all(all))
    expect(served).toEqual(['first', 'second', 'third'])
    expect(pool.stats().closed.invalid).toBe(1)
  })
})
