import { expect, test } from 'vitest'
import { createPool, createResourcePool } from '../../../src/index.ts'
import { type FakeConnection, FakeServer, Random, uniform, VirtualClock } from '../../../src/testing/index.ts'

/** Fifty callers on a small, slow server that once refuses a login; everything that reached the server. */
async function trace(seed: number): Promise<string[]> {
  const random = new Random(seed)
  const clock = new VirtualClock({ random: random.fork() })
  const seen: string[] = []
  const server = new FakeServer({
    clock,
    random: random.fork(),
    latencyMs: uniform(0.5, 2),
    maxConnections: 3,
    record: ({ at, operation, connection, sql }) => seen.push(`${at} ${operation} ${connection} ${sql}`),
  })
  server.next('connect', { error: new Error('not yet') })
  const pool = createPool(server.driver(), { clock, max: 5 })
  pool.on('error', () => {})
  const caller = async (_: unknown, index: number) => {
    for (let round = 0; round < 5; round++) await pool.query(`statement ${index}`)
  }
  await clock.until(Promise.all(Array.from({ length: 50 }, caller)))
  await clock.until(pool.close())
  expect([clock.pending, clock.arriving, server.open, server.misuse]).toEqual([0, 0, 0, []])
  expect(server.peak).toBeLessThanOrEqual(3)
  return seen
}

test('a run on a virtual clock is the same each time, and another one with another seed', async () => {
  const [first, again, other] = [await trace(1), await trace(1), await trace(2)]
  expect(first.length).toBeGreaterThan(250)
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
})

test('a program can be tested against a server that is down for ten minutes, without waiting for it', async () => {
  const clock = new VirtualClock()
  const server = new FakeServer({ clock, latencyMs: 1 }).answer('select 1', [{ one: 1 }])
  const pool = createPool(server.driver(), { clock, acquireTimeoutMs: 7_200_000 })
  pool.on('error', () => {})
  server.down()
  const answer = pool.query('select 1')
  await clock.advance(600_000)
  server.up()
  expect((await clock.until(answer)).rows).toEqual([{ one: 1 }])
  expect(clock.now()).toBeLessThan(601_000)
  await clock.until(pool.close())
})

test('a caller whose connection came back during a block of the event loop is served, though its deadline is over', async () => {
  const clock = new VirtualClock()
  const server = new FakeServer({ clock })
  const pool = createPool(server.driver(), { clock, max: 1 })
  const lease = await clock.until(pool.acquire())
  // Somebody gives the connection back as soon as the network says so.
  clock.io(50, () => lease.release())
  const waiting = pool.acquire({ timeoutMs: 100 })
  await clock.advance(0)
  clock.block(2000)
  const served = await clock.until(waiting)
  expect(clock.now()).toBe(2000)
  served.release()
  await clock.until(pool.close())
})

test('a resource pool runs on the same server without SQL', async () => {
  const clock = new VirtualClock()
  const server = new FakeServer({ clock, latencyMs: 1 })
  const pool = createResourcePool<FakeConnection>(server.resourceDriver({ without: ['isDirty', 'onLost'] }), {
    clock,
    max: 2,
    onConnect: server.hook('onConnect'),
  })
  const lease = await clock.until(pool.acquire())
  lease.release()
  await clock.until(pool.close())
  expect(server.log.map(({ operation }) => operation)).toEqual(['connect', 'onConnect', 'reset', 'close'])
})
