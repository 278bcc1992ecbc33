import { describe, expect, test } from 'vitest'
import { ConnectionLostError } from '../../../src/contract/errors.ts'
import { type FakeError, fakeErrors } from '../../../src/testing/fake-error.ts'
import { fate, type Options, sqlWorld } from '../../support/world.ts'

const alone: Options = { multiplex: 'off' }

describe('a lost connection', () => {
  test('is CONNECTION_LOST with the driver’s error as cause; whether the statement ran, nobody knows', async () => {
    const { clock, pool, server } = sqlWorld(alone, { server: { latencyMs: 10 } })
    server.answer('slow', { takesMs: 1000 })
    const slow = fate(pool.query('slow'))
    await clock.advance(50)
    const killed = fakeErrors.killed()
    server.kill(undefined, killed)
    await clock.advance(50)
    expect(slow.error).toBeInstanceOf(ConnectionLostError)
    expect(slow.error).toMatchObject({ code: 'CONNECTION_LOST', executed: 'unknown', cause: killed })
    expect(pool.stats()).toMatchObject({ total: 0, closed: { lost: 1 } })
  })

  test('found out by a statement’s error ends the lease, also where the driver did not notice itself', async () => {
    const { clock, pool, server, errorOf } = sqlWorld({}, { driver: { without: ['onLost'] } })
    const lease = await clock.until(pool.acquire())
    server.vanish(undefined, 'reset')
    expect(await errorOf(lease.query('x'))).toMatchObject({ code: 'CONNECTION_LOST', executed: 'unknown' })
    expect(await errorOf(lease.query('y'))).toMatchObject({ code: 'CONNECTION_LOST', executed: 'no' })
    lease.release()
    expect(pool.stats().leased).toBe(0)
  })

  test('lets an idempotent statement run again, until its deadline', async () => {
    const { clock, pool, server, errorOf } = sqlWorld(alone, { server: { latencyMs: 10 } })
    server.answer('slow', { takesMs: 100, rows: [{ n: 1 }] })
    const again = fate(pool.query('slow', [], { idempotent: true }))
    const once = fate(pool.query('slow'))
    await clock.advance(50)
    server.kill()
    await clock.advance(500)
    expect(again.value?.rows).toEqual([{ n: 1 }])
    expect(once.error).toMatchObject({ code: 'CONNECTION_LOST' })
    server.always('query', () => {
      server.kill()
      return undefined
    })
    const error = await errorOf(pool.query('slow', [], { idempotent: true, timeoutMs: 700 }))
    expect(['CONNECTION_LOST', 'ACQUIRE_TIMEOUT', 'QUERY_TIMEOUT']).toContain(
      (error as { code: string }).code,
    )
    expect(clock.now()).toBeLessThan(1500)
  })
})

describe('a server that was demoted', () => {
  test('is asked on that connection; then the generation moves on, at most once a second', async () => {
    const { clock, pool, server, asked } = sqlWorld(alone)
    const leases = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    for (const lease of leases) lease.release()
    server.demote()
    const failed = [
      fate(pool.query('insert into t values (1)')),
      fate(pool.query('insert into t values (2)')),
    ]
    await clock.advance(10)
    expect(failed.map(({ error }) => (error as FakeError).code)).toEqual(['READ_ONLY', 'READ_ONLY'])
    expect(asked('confirmStale').length).toBeGreaterThan(0)
    expect(pool.stats()).toMatchObject({ total: 0, closed: { stale: 2 } })
    await clock.until(pool.query('insert into t values (3)'))
  })

  test('is not believed to be when it says no: a write in the user’s own read-only transaction', async () => {
    const { clock, pool, server, errorOf } = sqlWorld(alone)
    server.always('confirmStale', { says: false })
    const work = pool.transaction((tx) => tx.query('insert into t values (1)'), { readOnly: true })
    expect(await errorOf(work)).toMatchObject({ code: 'READ_ONLY' })
    await clock.advance(10)
    expect(pool.stats()).toMatchObject({ idle: 1, closed: { stale: 0 } })
  })
})
