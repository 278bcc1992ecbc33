import { describe, expect, test } from 'vitest'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { sharedPool } from '../../../src/pool/shared-pool.ts'
import { FakeServer } from '../../../src/testing/fake-server.ts'
import { world } from '../../support/world.ts'

/** A name that nobody has taken, whatever ran before in this process. */
let taken = 0
const fresh = (name: string) => `${name} ${++taken} of ${process.hrtime.bigint()}`

describe('sharedPool', () => {
  test('gives the same pool for the same name, in another copy of the package too', async () => {
    const copy = (await import('../../../src/pool/shared-pool.ts?copy' as string)) as {
      sharedPool: typeof sharedPool
    }
    expect(copy.sharedPool).not.toBe(sharedPool)
    let made = 0
    const create = () => {
      made++
      return world().pool
    }
    const [a, b] = [fresh('a'), fresh('b')]
    const pool = sharedPool(a, create)
    expect(sharedPool(a, create)).toBe(pool)
    expect(copy.sharedPool(a, create)).toBe(pool)
    expect(sharedPool(b, create)).not.toBe(pool)
    expect(made).toBe(2)
  })

  test('makes a new one for one that was closed, and keeps nothing that could not be made', async () => {
    const [c, d] = [fresh('c'), fresh('d')]
    const first = sharedPool(c, () => world().pool)
    await first.close()
    const second = sharedPool(c, () => world().pool)
    expect(second).not.toBe(first)
    const broken = () => {
      throw new Error('no')
    }
    expect(() => sharedPool(d, broken)).toThrow('no')
    expect(sharedPool(d, () => second)).toBe(second)
  })
})

describe('the default name', () => {
  test('is the driver’s, numbered from the second on', () => {
    const name = fresh('only here')
    const driver = new FakeServer().resourceDriver({ name })
    const names = [1, 2, 3].map(() => createResourcePool(driver).name)
    expect(names).toEqual([name, `${name}-2`, `${name}-3`])
    expect(createResourcePool(driver, { name: 'mine' }).name).toBe('mine')
  })
})
