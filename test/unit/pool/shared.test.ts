import { describe, expect, test } from 'vitest'
import { closeOnSignal } from '../../../src/pool/close-on-signal.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { sharedPool } from '../../../src/pool/shared-pool.ts'
import { FakeServer } from '../../../src/testing/fake-server.ts'
import { world } from '../../support/world.ts'

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
    const pool = sharedPool('shared a', create)
    expect(sharedPool('shared a', create)).toBe(pool)
    expect(copy.sharedPool('shared a', create)).toBe(pool)
    expect(sharedPool('shared b', create)).not.toBe(pool)
    expect(made).toBe(2)
  })

  test('makes a new one for one that was closed, and keeps nothing that could not be made', async () => {
    const first = sharedPool('shared c', () => world().pool)
    await first.close()
    const second = sharedPool('shared c', () => world().pool)
    expect(second).not.toBe(first)
    const broken = () => {
      throw new Error('no')
    }
    expect(() => sharedPool('shared d', broken)).toThrow('no')
    expect(sharedPool('shared d', () => second)).toBe(second)
  })
})

describe('the default name', () => {
  test('is the driver’s, numbered from the second on', () => {
    const driver = new FakeServer().resourceDriver({ name: 'only here' })
    const names = [1, 2, 3].map(() => createResourcePool(driver).name)
    expect(names).toEqual(['only here', 'only here-2', 'only here-3'])
    expect(createResourcePool(driver, { name: 'mine' }).name).toBe('mine')
  })
})

test('closeOnSignal says what it takes', () => {
  expect(() => closeOnSignal({} as never)).toThrow(/pool/)
})
