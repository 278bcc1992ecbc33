import { describe, expect, test } from 'vitest'
import { FakeError, fakeErrors } from '../../../src/testing/fake-error.ts'
import { fate, sqlWorld, world } from '../../support/world.ts'

describe('a driver whose classify throws', () => {
  const classify = () => {
    throw new Error('what is this')
  }

  test('has its connect errors taken for transient ones', async () => {
    const { clock, pool, server, driver } = world()
    driver.classify = classify
    server.next('connect', { error: fakeErrors.refused() })
    expect(await clock.until(pool.acquire())).toBeDefined()
    expect(pool.stats()).toMatchObject({ connectFailed: 1, total: 1 })
  })

  test('has its statements’ errors passed on as they are', async () => {
    const { pool, server, driver, errorOf } = sqlWorld()
    driver.classify = classify
    const error = new FakeError('statement', 'no such table')
    server.answer('x', error)
    expect(await errorOf(pool.query('x'))).toBe(error)
    expect(await errorOf(pool.transaction((tx) => tx.query('x'), { retries: 1 }))).toBe(error)
    expect(pool.stats()).toMatchObject({ leased: 0, total: 1 })
  })
})

describe('a driver whose methods throw instead of rejecting', () => {
  test('fails the call and no more', async () => {
    for (const method of ['query', 'begin', 'commit', 'cancel'] as const) {
      const { clock, pool, driver, server } = sqlWorld({ multiplex: 'off' })
      server.answer('slow', { takesMs: 1000 })
      driver[method] = () => {
        throw new Error('thrown')
      }
      const work = [
        fate(pool.query('select 1')),
        fate(pool.transaction((tx) => tx.query('insert'))),
        fate(pool.query('slow', [], { timeoutMs: 50 })),
      ]
      await clock.advance(6000)
      expect(
        work.map(({ state }) => state),
        method,
      ).not.toContain('pending')
      expect(pool.stats(), method).toMatchObject({ leased: 0, waiting: 0, resetting: 0 })
    }
  })

  test('by isDirty, isAlive or reset costs the connection', async () => {
    for (const method of ['isDirty', 'isAlive', 'reset'] as const) {
      const { clock, pool, driver } = world()
      const lease = await clock.until(pool.acquire())
      if (method === 'reset') await clock.until(lease.connection.query('begin'))
      driver[method] = () => {
        throw new Error('thrown')
      }
      lease.release()
      await clock.advance(2000)
      expect((await clock.until(pool.acquire())).connection.id, method).toBe(2)
    }
  })
})

test('a driver that says too much, too late or twice harms nobody', async () => {
  const { clock, pool, server, driver } = world()
  let lost: ((error: unknown) => void) | undefined
  driver.onLost = (_, tell) => {
    lost = tell
  }
  const lease = await clock.until(pool.acquire())
  lost?.(new Error('gone'))
  lost?.(new Error('still gone'))
  lease.release()
  await clock.advance(10)
  lost?.(new Error('long gone'))
  expect(pool.stats()).toMatchObject({ total: 0, closed: { lost: 1 } })
  expect(server.misuse).toEqual([])
  await clock.until(pool.close())
  lost?.(new Error('gone for ever'))
})
