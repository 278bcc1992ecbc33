import { expect, test } from 'vitest'
import { AcquireTimeoutError } from '../../src/contract/errors.ts'
import { fate, world } from '../support/world.ts'

// What callers of other pools suffered, where no other test says it already. docs/field-list.md has the whole list.

// tarn 3.1 destroyed a healthy connection when the caller's time ended during its check.
test('a caller whose time ends during the check does not cost the connection', async () => {
  const { clock, pool, server, errorOf } = world({ max: 1, validateAfterIdleMs: 0, acquireTimeoutMs: 50 })
  ;(await clock.until(pool.acquire())).release()
  await clock.advance(10)
  server.next('isAlive', { latencyMs: 200 })
  expect(await errorOf(pool.acquire())).toBeInstanceOf(AcquireTimeoutError)
  await clock.advance(500)
  expect(pool.stats()).toMatchObject({ idle: 1, created: 1 })
})

// lightning-pool 4.14 went on counting requests that had timed out towards its bound of the queue.
test('callers who have given up no longer count towards maxWaiting', async () => {
  const { clock, pool, errorOf } = world({ max: 1, maxWaiting: 1 })
  const lease = await clock.until(pool.acquire())
  expect(await errorOf(pool.acquire({ timeoutMs: 10 }))).toBeInstanceOf(AcquireTimeoutError)
  const next = fate(pool.acquire(), clock)
  lease.release()
  await clock.advance(0)
  expect(next.state).toBe('resolved')
})

// mariadb 3.5, tarn, generic-pool and sequelize-pool measure deadlines and ages by the wall clock.
test('a wall clock that is set forward or back ends no wait and retires no connection', async () => {
  const { clock, pool } = world({ max: 1 })
  const lease = await clock.until(pool.acquire())
  const waiting = fate(pool.acquire({ timeoutMs: 1000 }), clock)
  let ahead = 3_600_000
  const { wall } = clock
  clock.wall = () => wall.call(clock) + ahead
  await clock.advance(500)
  ahead = -3_600_000
  await clock.advance(400)
  expect(waiting.state).toBe('pending')
  lease.release()
  await clock.advance(0)
  expect(waiting).toMatchObject({ state: 'resolved', at: 900 })
  expect(pool.stats()).toMatchObject({ created: 1, timedOut: 0 })
})

// mysql2 3.24 (node-mysql2#4498): whose connection turned out to be dead was queued again, behind newer callers.
test('a waiter whose connection turns out to be dead keeps its place and its deadline', async () => {
  const { clock, pool, server } = world({ max: 1, validateAfterIdleMs: 0 }, { server: { latencyMs: 5 } })
  ;(await clock.until(pool.acquire())).release()
  await clock.advance(10)
  server.next('isAlive', { error: new Error('gone') })
  const order: number[] = []
  const callers = [1, 2, 3].map(async (n) => {
    const lease = await pool.acquire({ timeoutMs: 200 })
    order.push(n)
    lease.release()
  })
  await clock.until(Promise.all(callers))
  expect(order).toEqual([1, 2, 3])
})

// Slonik 49: while one caller's connect failed, those queued behind it were never served.
test('a connect that fails for one caller leaves none of those behind it waiting', async () => {
  const { clock, pool, server } = world({ max: 1 }, { server: { latencyMs: 5 } })
  server.next('connect', { error: new Error('no') })
  const callers = [1, 2, 3].map(() => pool.use(async () => {}))
  await clock.until(Promise.all(callers))
  expect(pool.stats()).toMatchObject({ acquired: 3, connectFailed: 1, waiting: 0 })
})
