import { describe, expect, test } from 'vitest'
import { LeaseReleasedError } from '../../../src/contract/errors.ts'
import { fate, world } from '../../support/world.ts'

describe('a lease that its holder has ended', () => {
  const ENDS = ['release', 'destroy', 'detach'] as const

  for (const end of ENDS) {
    test(`by ${end} refuses every further end and every use`, async () => {
      const { clock, pool } = world()
      const lease = await clock.until(pool.acquire())
      lease[end]()
      for (const again of ENDS) expect(() => lease[again]()).toThrow(LeaseReleasedError)
      expect(() => lease.connection).toThrow(LeaseReleasedError)
      expect(() => lease.wanted).toThrow(LeaseReleasedError)
      expect(() => lease.retire()).toThrow(LeaseReleasedError)
    })

    test(`by ${end} can be disposed any number of times`, async () => {
      const { clock, pool } = world()
      const lease = await clock.until(pool.acquire())
      lease[end]()
      lease[Symbol.dispose]()
      await lease[Symbol.asyncDispose]()
      lease[Symbol.dispose]()
      expect(pool.stats().leased).toBe(0)
    })
  }

  test('does no harm to the connection’s next owner', async () => {
    const { clock, pool } = world({ max: 1 })
    const stale = await clock.until(pool.acquire())
    stale.release()
    const next = await clock.until(pool.acquire())
    expect(() => stale.release()).toThrow(LeaseReleasedError)
    expect(() => stale.destroy()).toThrow(LeaseReleasedError)
    expect(() => stale.detach()).toThrow(LeaseReleasedError)
    stale[Symbol.dispose]()
    expect(next.connection.closed).toBe(false)
    expect(pool.stats()).toMatchObject({ leased: 1, idle: 0 })
  })

  test('names the pool in its error', async () => {
    const { clock, pool } = world({ name: 'orders' })
    const lease = await clock.until(pool.acquire())
    lease.release()
    expect(() => lease.release()).toThrow(/pool "orders".*already been released/)
  })
})

describe('disposal', () => {
  test('gives the connection back, once', async () => {
    const { clock, pool } = world()
    const lease = await clock.until(pool.acquire())
    await lease[Symbol.asyncDispose]()
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 })
    const other = await clock.until(pool.acquire())
    other[Symbol.dispose]()
    expect(pool.stats()).toMatchObject({ idle: 1, acquired: 2 })
  })
})

describe('a lease that the pool has ended', () => {
  test('when the connection was lost excuses the holder’s first release, and no more', async () => {
    const { clock, pool, server } = world()
    const lease = await clock.until(pool.acquire())
    server.kill()
    await clock.advance(0)
    expect(() => lease.connection).toThrow(LeaseReleasedError)
    expect(() => lease.connection).toThrow(/lost/)
    lease.release()
    expect(() => lease.release()).toThrow(LeaseReleasedError)
    expect(() => lease.destroy()).toThrow(LeaseReleasedError)
  })

  test('excuses destroy as well, and disposal always', async () => {
    const { clock, pool, server } = world()
    const [a, b] = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    server.kill()
    await clock.advance(0)
    a?.destroy()
    b?.[Symbol.dispose]()
    b?.release()
    expect(() => b?.release()).toThrow(LeaseReleasedError)
  })

  test('never hides the real error behind that of `finally`', async () => {
    const { clock, pool, server, errorOf } = world()
    const real = new Error('the real one')
    const program = async () => {
      const lease = await pool.acquire()
      try {
        server.kill()
        await new Promise<void>((resolve) => clock.after(1, resolve))
        throw real
      } finally {
        lease.release()
      }
    }
    expect(await errorOf(program())).toBe(real)
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ total: 0, leased: 0 })
  })

  test('keeps what the server said as cause', async () => {
    const { clock, pool, server } = world()
    const lease = await clock.until(pool.acquire())
    const said = new Error('terminated by the administrator')
    server.kill(lease.connection, said)
    await clock.advance(0)
    try {
      lease.connection
    } catch (error) {
      expect(error).toMatchObject({ code: 'LEASE_RELEASED', cause: said })
    }
    expect.assertions(1)
  })

  test('at the deadline of close excuses the first release', async () => {
    const { clock, pool } = world()
    const lease = await clock.until(pool.acquire())
    await clock.until(pool.close({ drainTimeoutMs: 10 }))
    expect(() => lease.connection).toThrow(/closed/)
    lease.release()
    expect(() => lease.release()).toThrow(LeaseReleasedError)
  })
})

describe('destroy', () => {
  test('closes the connection, frees its place at once for the next, and tells the reason', async () => {
    const { clock, pool, events } = world({ max: 1 })
    const lease = await clock.until(pool.acquire())
    const waiting = fate(pool.acquire())
    const reason = new Error('does not feel right')
    lease.destroy(reason)
    await clock.advance(0)
    expect(waiting.value?.connection.id).toBe(2)
    expect(events.find(({ event }) => event === 'close')).toMatchObject({
      reason: 'destroyed',
      error: reason,
    })
    expect(pool.stats().closed.destroyed).toBe(1)
  })

  test('counts until the socket is gone', async () => {
    const { clock, pool, server } = world({ max: 1 })
    server.always('close', { latencyMs: 100 })
    const lease = await clock.until(pool.acquire())
    const waiting = fate(pool.acquire(), clock)
    lease.destroy()
    expect(pool.stats()).toMatchObject({ closing: 1, total: 1, leased: 0 })
    await clock.advance(200)
    expect(waiting.at).toBe(100)
    expect(server.peak).toBe(1)
  })
})

describe('retire', () => {
  test('keeps the lease, and closes the connection when it comes back', async () => {
    const { clock, pool } = world()
    const lease = await clock.until(pool.acquire())
    expect(lease.wanted).toBe(false)
    lease.retire()
    expect(lease.wanted).toBe(true)
    expect(lease.connection.closed).toBe(false)
    lease.release()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ total: 0, closed: { destroyed: 1 } })
  })
})

describe('detach', () => {
  test('takes the connection out of the pool alive; its place is free', async () => {
    const { clock, pool, server, told } = world({ max: 1 })
    const lease = await clock.until(pool.acquire())
    const waiting = fate(pool.acquire())
    const connection = lease.detach()
    await clock.advance(0)
    expect(connection.closed).toBe(false)
    expect(waiting.value?.connection).not.toBe(connection)
    expect(server.open).toBe(2)
    expect(told()).toContain('detach')
    expect(pool.stats().closed).toEqual(
      Object.fromEntries(Object.keys(pool.stats().closed).map((k) => [k, 0])),
    )
  })

  test('forgets the connection: its death is nobody’s business, and close does not wait for it', async () => {
    const { clock, pool, server } = world()
    const connection = (await clock.until(pool.acquire())).detach()
    server.kill(connection)
    await clock.advance(0)
    expect(pool.stats().closed.lost).toBe(0)
    const other = (await clock.until(pool.acquire())).detach()
    expect(await clock.until(pool.close())).toMatchObject({ closed: 0, destroyed: 0, abandoned: 0 })
    expect(other.closed).toBe(false)
  })
})

describe('wanted', () => {
  test('tells that somebody waits with no other hope', async () => {
    const { clock, pool } = world({ max: 2 }, { server: { latencyMs: 10 } })
    const lease = await clock.until(pool.acquire())
    const second = fate(pool.acquire())
    expect(lease.wanted).toBe(false)
    await clock.advance(10)
    const third = fate(pool.acquire())
    expect(lease.wanted).toBe(true)
    second.value?.release()
    await clock.advance(0)
    expect(third.state).toBe('resolved')
    expect(lease.wanted).toBe(false)
  })

  test('tells that the connection is due to retire: lifetime, uses, refresh, suspend, close', async () => {
    const aged = world({ maxLifetimeMs: 1000, lifetimeJitter: 0 })
    const old = await aged.clock.until(aged.pool.acquire())
    expect(old.wanted).toBe(false)
    await aged.clock.advance(1000)
    expect(old.wanted).toBe(true)
    const worn = world({ maxUses: 1 })
    expect((await worn.clock.until(worn.pool.acquire())).wanted).toBe(true)
    for (const end of ['refresh', 'suspend', 'close'] as const) {
      const { clock, pool } = world()
      const lease = await clock.until(pool.acquire())
      void pool[end]()
      expect(lease.wanted, end).toBe(true)
    }
  })
})
