import { expect, test } from 'vitest'
import { fate, sqlWorld } from '../../support/world.ts'

// Of four or more connections one stays with the statements that share, while those lent come round.

/** A pool that knows that `select 1` is fast, and whose `select slow` takes 20 ms. */
async function busyWorld(max: number) {
  const world = sqlWorld({ max }, { server: { latencyMs: 1 } })
  world.server.answer('select slow()', { rows: [], takesMs: 20 })
  await world.clock.until(world.pool.query('select 1'))
  return world
}

/** Calls that follow each other until nobody wants more; the longest wait of each. */
function callers(
  { clock, pool }: Awaited<ReturnType<typeof busyWorld>>,
  { many, text }: { many: number; text: string },
) {
  const seen = { answers: 0, worstMs: 0, isOver: false }
  const one = async () => {
    while (!seen.isOver) {
      const since = clock.now()
      await pool.query(text)
      seen.answers++
      seen.worstMs = Math.max(seen.worstMs, clock.now() - since)
    }
  }
  for (let i = 0; i < many; i++) void one()
  return seen
}

test('reads that share are not kept waiting by a queue of slow statements', async () => {
  const world = await busyWorld(4)
  const slow = callers(world, { many: 12, text: 'select slow()' })
  await world.clock.advance(100)
  const fast = callers(world, { many: 8, text: 'select 1' })
  await world.clock.advance(2_000)
  expect(fast.answers).toBeGreaterThan(5_000)
  // At first they wait for the first connection that comes back, whoever stands before them.
  expect(fast.worstMs).toBeLessThan(25)
  // The slow ones have three connections of the four.
  expect(slow.answers).toBeGreaterThan((2_000 / 21) * 2.7)
  slow.isOver = true
  fast.isOver = true
  await world.clock.advance(200)
})

test('in a small pool they take their turn with the others', async () => {
  const world = await busyWorld(3)
  const slow = callers(world, { many: 12, text: 'select slow()' })
  await world.clock.advance(100)
  const fast = callers(world, { many: 8, text: 'select 1' })
  await world.clock.advance(2_000)
  expect(fast.worstMs).toBeGreaterThan(25)
  slow.isOver = true
  fast.isOver = true
  await world.clock.advance(500)
})

test('where those lent do not come round, who waits gets the shared connection', async () => {
  const world = await busyWorld(4)
  const { clock, pool } = world
  const lent = await clock.until(Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]))
  const fast = callers(world, { many: 8, text: 'select 1' })
  await clock.advance(1_000)
  const lease = fate(pool.acquire())
  await clock.advance(50)
  expect(lease.state).toBe('resolved')
  fast.isOver = true
  for (const one of [...lent, lease.value]) one?.release()
  await clock.advance(50)
})

test('who waits with a higher priority is served first', async () => {
  const world = await busyWorld(4)
  const { clock, pool } = world
  const slow = callers(world, { many: 12, text: 'select slow()' })
  const fast = callers(world, { many: 8, text: 'select 1' })
  await clock.advance(1_000)
  const lease = fate(pool.acquire({ priority: 1 }))
  // Sooner than one of the slow ones would have ended.
  await clock.advance(2)
  expect(lease.state).toBe('resolved')
  slow.isOver = true
  fast.isOver = true
  lease.value?.release()
  await clock.advance(500)
})
