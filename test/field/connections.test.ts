import { expect, test } from 'vitest'
import { createResourcePool } from '../../src/pool/create-resource-pool.ts'
import { VirtualClock } from '../../src/testing/virtual-clock.ts'
import { fate, world } from '../support/world.ts'

// What became of connections in other pools, where no other test says it already. docs/field-list.md has the whole list.

// mariadb 3.5 opened one connection at a time, oracledb 26 still does: a burst waited for connect after connect.
test('a burst of callers is met by connects side by side, not one after the other', async () => {
  const { clock, pool } = world({ max: 5 }, { server: { latencyMs: 100 } })
  const callers = [1, 2, 3, 4, 5].map(() => fate(pool.acquire(), clock))
  await clock.advance(100)
  expect(callers.map(({ at }) => at)).toEqual([100, 100, 100, 100, 100])
})

// mariadb 3.5 kept its books by the server's thread id, which is not unique behind a proxy or with several hosts.
test('connections that cannot be told apart by their content are kept apart', async () => {
  const clock = new VirtualClock()
  const closed: unknown[] = []
  const pool = createResourcePool(
    {
      name: 'twins',
      connect: async () => ({ threadId: 7 }),
      close: (connection) => void closed.push(connection),
    },
    { clock },
  )
  const [one, other] = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
  one?.destroy()
  await clock.advance(0)
  expect(closed).toEqual([one === undefined ? undefined : { threadId: 7 }])
  expect(pool.stats()).toMatchObject({ leased: 1, idle: 0, total: 1 })
  other?.release()
  expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
})

// pg-pool 3.14 served one waiter for many connections that ended together.
test('when all connections end together every waiter gets a new one', async () => {
  const { clock, pool } = world({ max: 4 }, { server: { latencyMs: 5 } })
  const leases = await clock.until(Promise.all([1, 2, 3, 4].map(() => pool.acquire())))
  const waiting = [1, 2, 3, 4].map(() => fate(pool.acquire(), clock))
  for (const lease of leases) lease.destroy()
  await clock.advance(50)
  expect(waiting.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved', 'resolved'])
})

// opentelemetry-js-contrib#3354: with two pools the counts of one went down to -47.
test('two pools count for themselves, and never below zero', async () => {
  const one = world({ name: 'one' })
  const other = world({ name: 'other' })
  const lease = await one.clock.until(one.pool.acquire())
  expect(other.pool.stats()).toMatchObject({ leased: 0, idle: 0, acquired: 0, total: 0 })
  lease.release()
  await other.clock.until(other.pool.close())
  expect(one.pool.stats()).toMatchObject({ leased: 0, idle: 1, total: 1 })
  expect(Object.values(other.pool.stats()).filter((value) => typeof value === 'number' && value < 0)).toEqual(
    [],
  )
})

// Bun's SQL client opened max connections at its first query (bun#30632).
test('one caller costs one connection, whatever max is', async () => {
  const { clock, pool, server } = world({ max: 50 })
  await clock.until(pool.use(async () => {}))
  await clock.advance(1000)
  expect(server.log.filter(({ operation }) => operation === 'connect')).toHaveLength(1)
})
