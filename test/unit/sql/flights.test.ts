import { describe, expect, test } from 'vitest'
import { FakeError, fakeErrors } from '../../../src/testing/fake-error.ts'
import { fate, type Options, sqlWorld } from '../../support/world.ts'

/** A pool that shares a connection where this text has got a name, and how its statements were sent. */
async function named(text: string, options: Options = {}) {
  const world = sqlWorld({ max: 1, ...options }, { server: { latencyMs: 1 } })
  const { clock, pool, driver } = world
  const sent: { name: string | undefined; together: boolean | undefined }[] = []
  const query = driver.query
  driver.query = (connection, sql, params, how) => {
    sent.push({ name: how.name, together: how.together })
    return query(connection, sql, params, how)
  }
  for (let n = 0; n < 8; n++) await clock.until(pool.query(text))
  return { ...world, sent }
}

describe('reads of one text that share a connection', () => {
  test('get a name there, also without parameters, and go together', async () => {
    const { clock, pool, sent } = await named('select 1')
    sent.length = 0
    await clock.until(Promise.all([pool.query('select 1'), pool.query('select 1')]))
    expect(sent[0]?.name).toBeTypeOf('string')
    expect(sent).toEqual([
      { name: sent[0]?.name, together: true },
      { name: sent[0]?.name, together: true },
    ])
  })

  test('without parameters get none on a connection of their own', async () => {
    const { clock, pool, sent } = await named('select 1')
    sent.length = 0
    await clock.until(pool.query('select 1', [], { multiplex: false }))
    expect(sent).toEqual([{ name: undefined, together: undefined }])
  })

  test('get no name, and do not go together, where the call says so', async () => {
    const { clock, pool, sent } = await named('select 1')
    sent.length = 0
    await clock.until(pool.query('select 1', [], { prepare: false }))
    expect(sent).toEqual([{ name: undefined, together: undefined }])
  })

  test('that are undone by the failure of one of them run once more, apart', async () => {
    const { clock, pool, server, sent } = await named('select 1')
    let left = 1
    server.answer('select 1', () => {
      if (left-- === 0) throw new FakeError('statement', 'bad')
      return [{ one: 1 }]
    })
    sent.length = 0
    const results = Array.from({ length: 5 }, () => fate(pool.query('select 1'), clock))
    await clock.advance(100)
    expect(results.map(({ state }) => state)).toEqual([
      'resolved',
      'rejected',
      'resolved',
      'resolved',
      'resolved',
    ])
    expect(results[1]?.error).toMatchObject({ message: 'bad' })
    expect(sent.slice(0, 5).every(({ together }) => together === true)).toBe(true)
    expect(sent.slice(5).map(({ together }) => together)).toEqual([undefined, undefined, undefined])
    await clock.until(pool.query('select 1'))
    expect(sent.at(-1)?.together).not.toBe(true)
  })

  test('go apart from now on when all of them were undone, and none has failed', async () => {
    const { clock, pool, driver, sent } = await named('select 1')
    const { query } = driver
    let isFirst = true
    driver.query = (connection, sql, params, how) => {
      if (how.together !== true || !isFirst) return query(connection, sql, params, how)
      queueMicrotask(() => {
        isFirst = false
      })
      return Promise.reject(fakeErrors.undone())
    }
    await clock.until(Promise.all([pool.query('select 1'), pool.query('select 1')]))
    expect(isFirst).toBe(false)
    sent.length = 0
    await clock.until(Promise.all([pool.query('select 1'), pool.query('select 1')]))
    expect(sent.map(({ together }) => together)).toEqual([undefined, undefined])
  })

  test('that are undone when nobody waits for them any more leave a connection that others can have', async () => {
    const { clock, pool, server } = await named('select 1')
    let isFirst = true
    server.answer('select 1', () => {
      if (!isFirst) return [{ one: 1 }]
      isFirst = false
      throw new FakeError('statement', 'bad')
    })
    const given = new AbortController()
    const results = Array.from({ length: 5 }, () =>
      fate(pool.query('select 1', [], { signal: given.signal }), clock),
    )
    given.abort(new Error('enough'))
    await clock.advance(100)
    expect(results.every(({ error }) => (error as Error).message === 'enough')).toBe(true)
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1, resetting: 0 })
    expect((await clock.until(pool.query('select 1'))).rows).toEqual([{ one: 1 }])
  })
})
