import { describe, expect, test } from 'vitest'
import { fate, type Options, world } from '../../support/world.ts'

async function idle(options: Options, count: number) {
  const scene = world(options)
  const leases = await scene.clock.until(
    Promise.all(Array.from({ length: count }, () => scene.pool.acquire())),
  )
  for (const lease of leases) lease.release()
  await scene.clock.advance(0)
  return scene
}

describe('idleTimeoutMs', () => {
  test('closes what has been idle for so long, above min', async () => {
    const { clock, pool, server } = await idle({ min: 1, idleTimeoutMs: 1000 }, 3)
    await clock.advance(999)
    expect(server.open).toBe(3)
    await clock.advance(1)
    expect(server.open).toBe(1)
    expect(pool.stats().closed.idle).toBe(2)
    await clock.advance(100_000)
    expect(server.open).toBe(1)
  })

  test('counts leased connections towards min', async () => {
    const { clock, pool, server } = await idle({ min: 1, idleTimeoutMs: 1000 }, 2)
    await clock.until(pool.acquire())
    await clock.advance(1000)
    expect(server.open).toBe(1)
    expect(pool.stats()).toMatchObject({ leased: 1, idle: 0 })
  })

  test('goes by the last use: a check does not make it younger', async () => {
    const { clock, server, asked } = await idle({ idleTimeoutMs: 1000, keepaliveMs: 300 }, 1)
    await clock.advance(1000)
    expect(asked('isAlive').length).toBe(3)
    expect(server.open).toBe(0)
  })

  test('never closes what is in use', async () => {
    const { clock, pool } = world({ idleTimeoutMs: 10, maxLifetimeMs: 20, lifetimeJitter: 0 })
    const lease = await clock.until(pool.acquire())
    await clock.advance(10_000)
    expect(lease.connection.closed).toBe(false)
    expect(pool.stats().leased).toBe(1)
  })

  test('Infinity keeps them', async () => {
    const { clock, server } = await idle(
      { idleTimeoutMs: Number.POSITIVE_INFINITY, maxLifetimeMs: Number.POSITIVE_INFINITY },
      2,
    )
    await clock.advance(1e9)
    expect(server.open).toBe(2)
    expect(clock.pending).toBe(0)
  })
})

describe('maxLifetimeMs', () => {
  test('closes an idle connection at its end, and one in use when it comes back', async () => {
    const { clock, pool, server } = world({ maxLifetimeMs: 1000, lifetimeJitter: 0 })
    const [a, b] = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    a?.release()
    await clock.advance(1000)
    expect(server.open).toBe(1)
    expect(pool.stats().closed.lifetime).toBe(1)
    await clock.advance(5000)
    b?.release()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ total: 0, closed: { lifetime: 2 } })
  })

  test('is only ever shortened by the jitter, by chance', async () => {
    for (const [chance, end] of [
      [0, 1000],
      [0.5, 750],
      [0.999, 500.5],
    ] as const) {
      const { clock, pool, server } = world({ maxLifetimeMs: 1000, lifetimeJitter: 0.5 })
      clock.chance = chance
      ;(await clock.until(pool.acquire())).release()
      await clock.advance(end - 1)
      expect(server.open).toBe(1)
      await clock.advance(2)
      expect(server.open).toBe(0)
    }
  })

  test('that has passed is noticed when the connection is about to be lent', async () => {
    const { clock, pool } = world({ maxLifetimeMs: 1000, lifetimeJitter: 0, idleTimeoutMs: 1e9 })
    ;(await clock.until(pool.acquire())).release()
    clock.block(2000)
    const lease = await clock.until(pool.acquire())
    expect(lease.connection.id).toBe(2)
    expect(pool.stats().closed.lifetime).toBe(1)
  })

  test('leaves min to be refilled', async () => {
    const { clock, pool, server } = world({ min: 2, maxLifetimeMs: 1000, lifetimeJitter: 0 })
    await clock.advance(1000)
    await clock.advance(0)
    expect(server.open).toBe(2)
    expect(pool.stats()).toMatchObject({ created: 4, idle: 2, closed: { lifetime: 2 } })
  })
})

describe('maxUses', () => {
  test('closes a connection after so many leases', async () => {
    const { clock, pool } = world({ maxUses: 3, max: 1 })
    const ids: number[] = []
    for (let n = 0; n < 7; n++) await clock.until(pool.use(({ connection }) => ids.push(connection.id)))
    expect(ids).toEqual([1, 1, 1, 2, 2, 2, 3])
    expect(pool.stats().closed.uses).toBe(2)
  })
})

describe('maxIdle', () => {
  test.each([
    ['idle', { max: 2, maxIdle: 0 }],
    ['overflow', { max: 1, maxOverflow: 1 }],
  ] as const)(
    'holds when several come back for one caller, whom the first serves: %s',
    async (why, limits) => {
      const { clock, pool } = world({ ...limits, validateAfterIdleMs: 0 })
      const leases = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
      const next = pool.acquire()
      for (const lease of leases) lease.release()
      await clock.until(next)
      await clock.advance(0)
      expect(pool.stats()).toMatchObject({ leased: 1, idle: 0 })
      expect(pool.stats().closed[why]).toBe(1)
    },
  )

  test('0 is a cap without a pool: closed on return, unless somebody waits', async () => {
    const { clock, pool, server } = world({ max: 1, maxIdle: 0 })
    const lease = await clock.until(pool.acquire())
    const waiting = fate(pool.acquire())
    lease.release()
    await clock.advance(0)
    expect(waiting.value?.connection.id).toBe(1)
    waiting.value?.release()
    await clock.advance(0)
    expect(server.open).toBe(0)
    expect(pool.stats().closed.idle).toBe(1)
  })

  test('keeps so many and no more', async () => {
    const { pool } = await idle({ maxIdle: 2 }, 5)
    expect(pool.stats()).toMatchObject({ idle: 2, closed: { idle: 3 } })
  })

  test('follows max while it is not given', async () => {
    const { pool } = await idle({ max: 5 }, 5)
    pool.resize({ max: 8 })
    expect(pool.stats().idle).toBe(5)
  })
})

describe('maxOverflow', () => {
  test('opens extra connections above max, and closes them on return when nobody waits', async () => {
    const { clock, pool, server } = world({ max: 1, maxOverflow: 1 })
    const [a, b] = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    const third = fate(pool.acquire())
    await clock.advance(10)
    expect([server.peak, third.state]).toEqual([2, 'pending'])
    a?.release()
    await clock.advance(0)
    expect(third.state).toBe('resolved')
    b?.release()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ total: 1, max: 1, closed: { overflow: 1 } })
    third.value?.release()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ idle: 1, closed: { overflow: 1 } })
  })
})

describe('idleOrder', () => {
  test('lifo lends the warmest, fifo the coldest', async () => {
    for (const [idleOrder, expected] of [
      ['lifo', 2],
      ['fifo', 1],
    ] as const) {
      const { clock, pool } = world({ idleOrder })
      const [a, b] = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
      a?.release()
      await clock.advance(1)
      b?.release()
      expect((await clock.until(pool.acquire())).connection.id).toBe(expected)
    }
  })

  test('a connection that comes back from a check takes its old place', async () => {
    const { clock, pool } = world({ keepaliveMs: 100, idleTimeoutMs: 1e9 })
    const [a, b] = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    a?.release()
    await clock.advance(50)
    b?.release()
    await clock.advance(60)
    expect(pool.tryAcquire()?.connection.id).toBe(2)
  })
})

describe('min', () => {
  test('is filled in the background, without anybody asking', async () => {
    const { clock, pool } = world({ min: 3, max: 5 })
    expect(pool.stats().total).toBe(0)
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ idle: 3, created: 3 })
  })

  test('is refilled after losses, with pauses while the server is down', async () => {
    const { clock, pool, server } = world({ min: 2 })
    await clock.advance(0)
    server.down()
    await clock.advance(60_000)
    const attempts = pool.stats().connectFailed
    // 20 ms, doubling, half of it by this clock's chance, at most 5 s: about 2.5 s each in the end.
    expect(attempts).toBeGreaterThan(20)
    expect(attempts).toBeLessThan(45)
    server.up()
    await clock.advance(5000)
    expect(pool.stats()).toMatchObject({ idle: 2 })
  })

  test('is not refilled by a pool that is closed before it began', async () => {
    const { clock, pool, server } = world({ min: 3 })
    const report = pool.close()
    expect(await clock.until(report)).toMatchObject({ closed: 0 })
    await clock.advance(1000)
    expect(server.peak).toBe(0)
  })
})
