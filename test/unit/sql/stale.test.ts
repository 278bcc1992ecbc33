import { describe, expect, test } from 'vitest'
import type { SqlPool } from '../../../src/contract/sql.ts'
import { createPool } from '../../../src/create-pool.ts'
import type { FakeConnection } from '../../../src/testing/fake-connection.ts'
import { fakeErrors } from '../../../src/testing/fake-error.ts'
import { FakeServer } from '../../../src/testing/fake-server.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'

/** Five idle connections to a server that refuses writes, and answers no question in a failed transaction. */
async function demoted() {
  const clock = new VirtualClock()
  const server = new FakeServer({ clock, latencyMs: 1 })
  const driver = server.driver()
  const pool: SqlPool<FakeConnection> = createPool(
    {
      ...driver,
      confirmStale: async (connection) =>
        driver.inTransaction?.(connection) !== true && (await driver.confirmStale?.(connection)) === true,
    },
    { clock, max: 5 },
  )
  const open = async (count: number) => {
    for (const lease of await clock.until(Promise.all(Array.from({ length: count }, () => pool.acquire()))))
      lease.release()
  }
  await open(5)
  server.answer(/^write/, ({ session }) => (session.standby ? fakeErrors.readOnly() : []))
  server.demote()
  const outcome = (work: Promise<unknown>) => clock.until(work.catch((error) => error))
  return { clock, server, pool, open, outcome }
}

describe('a demoted server', () => {
  test('is found out by a statement', async () => {
    const { clock, pool, outcome } = await demoted()
    expect(await outcome(pool.query('write'))).toMatchObject({ code: 'READ_ONLY' })
    await clock.advance(10)
    expect(pool.stats().closed.stale).toBe(5)
  })

  test('is found out by a transaction, although a failed one answers no question', async () => {
    const { clock, pool, outcome } = await demoted()
    expect(await outcome(pool.transaction((tx) => tx.query('write')))).toMatchObject({ code: 'READ_ONLY' })
    await clock.advance(10)
    expect(pool.stats().closed.stale).toBe(5)
  })

  test('is found out by a lease that comes back in a failed transaction', async () => {
    const { clock, pool, outcome } = await demoted()
    const work = pool.use(async (lease) => {
      await lease.begin()
      await lease.query('write')
    })
    expect(await outcome(work)).toMatchObject({ code: 'READ_ONLY' })
    await clock.advance(10)
    expect(pool.stats().closed.stale).toBe(5)
  })

  test('is not blamed for what a connection from before says later', async () => {
    const { clock, server, pool, open, outcome } = await demoted()
    const old = await clock.until(pool.acquire())
    server.standby = false
    await outcome(pool.query('write'))
    await open(4)
    await clock.advance(5_000)
    const before = pool.stats()
    expect(await outcome(old.query('write'))).toMatchObject({ code: 'READ_ONLY' })
    old.release()
    await clock.advance(10)
    expect(pool.stats().closed.stale).toBe(before.closed.stale + 1)
  })
})

test('a refused write on a server that takes writes costs one question', async () => {
  const { clock, server, pool, outcome } = await demoted()
  for (const { session } of server.connections) session.standby = false
  server.answer(/^write/, fakeErrors.readOnly())
  await outcome(pool.transaction((tx) => tx.query('write')))
  await clock.advance(10)
  expect(pool.stats()).toMatchObject({ idle: 5, closed: { stale: 0 } })
  expect(server.log.filter(({ operation }) => operation === 'confirmStale')).toHaveLength(1)
})
