import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../../../src/contract/errors.ts'
import { FakeError } from '../../../src/testing/fake-error.ts'
import { fate, world } from '../../support/world.ts'

describe('refresh', () => {
  test('closes idle connections at once, leased ones on return, and lends none that is older', async () => {
    const { clock, pool, server } = world({ min: 2 })
    const [a, b] = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    a?.release()
    pool.refresh()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ closed: { refresh: 1 }, leased: 1, idle: 1 })
    expect((await clock.until(pool.acquire())).connection.id).toBe(3)
    b?.release()
    await clock.advance(0)
    expect(pool.stats().closed.refresh).toBe(2)
    expect(server.connections.map(({ id }) => id)).not.toContain(2)
  })

  test('does not lend a connection whose connect began before', async () => {
    const { clock, pool } = world({}, { server: { latencyMs: 10 } })
    const waiting = fate(pool.acquire())
    await clock.advance(5)
    pool.refresh()
    await clock.advance(50)
    expect(waiting.value?.connection.id).toBe(2)
  })
})

describe('resize', () => {
  test('is all or nothing', async () => {
    const { clock, pool, server } = world({ max: 5 })
    expect(() => pool.resize({ max: 2, min: 3 })).toThrow(InvalidOptionError)
    expect(() => pool.resize({ max: 7, idleTimeoutMs: -1 })).toThrow(InvalidOptionError)
    expect(() => pool.resize({ max: 7, name: 'x' } as object)).toThrow(InvalidOptionError)
    expect(() => pool.resize(null as never)).toThrow(InvalidOptionError)
    expect(pool.stats().max).toBe(5)
    await clock.advance(1000)
    expect(server.peak).toBe(0)
  })

  test('to more serves the waiters at once', async () => {
    const { clock, pool } = world({ max: 1 })
    await clock.until(pool.acquire())
    const waiting = fate(pool.acquire())
    pool.resize({ max: 2 })
    await clock.advance(0)
    expect(waiting.state).toBe('resolved')
  })

  test('to less closes the idle ones first, then leased ones as they return', async () => {
    const { clock, pool, server } = world({ max: 4 })
    const leases = await clock.until(Promise.all([1, 2, 3, 4].map(() => pool.acquire())))
    leases[0]?.release()
    pool.resize({ max: 2 })
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ total: 3, closed: { resize: 1 } })
    const waiting = fate(pool.acquire())
    leases[1]?.release()
    await clock.advance(0)
    expect([waiting.state, server.open]).toEqual(['pending', 2])
    leases[2]?.release()
    await clock.advance(0)
    expect([waiting.state, server.open]).toEqual(['resolved', 2])
    expect(pool.stats()).toMatchObject({ total: 2, closed: { resize: 2 } })
  })

  test('changes every option of time, min, maxIdle and maxOverflow', async () => {
    const { clock, pool, server } = world({ max: 4, idleTimeoutMs: 1e9 })
    pool.resize({ min: 2 })
    await clock.advance(0)
    expect(server.open).toBe(2)
    pool.resize({ min: 0, idleTimeoutMs: 500 })
    await clock.advance(500)
    expect(server.open).toBe(0)
    pool.resize({ max: 1, maxOverflow: 1, acquireTimeoutMs: 30 })
    await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    const since = clock.now()
    const timedOut = fate(pool.acquire(), clock)
    await clock.advance(100)
    expect(timedOut).toMatchObject({ state: 'rejected', at: since + 30 })
  })

  test('of maxLifetimeMs and leakThresholdMs holds for the connections that are there', async () => {
    const { clock, pool, server, told } = world({ lifetimeJitter: 0 })
    ;(await clock.until(pool.acquire())).release()
    await clock.advance(1000)
    pool.resize({ maxLifetimeMs: 900 })
    await clock.advance(0)
    expect(server.open).toBe(0)
    await clock.until(pool.acquire())
    await clock.advance(100)
    pool.resize({ leakThresholdMs: 50 })
    await clock.advance(0)
    expect(told()).toContain('leak')
  })

  test('of nothing changes nothing', () => {
    const { pool } = world({ max: 3, min: 1 })
    pool.resize({})
    pool.resize({ max: undefined })
    expect(pool.stats().max).toBe(3)
  })
})

describe('suspend', () => {
  test('makes acquire wait, its deadline runs, and min is not refilled, until resume', async () => {
    const { clock, pool, server } = world({ min: 1, max: 2 })
    await clock.advance(0)
    pool.suspend()
    expect(pool.tryAcquire()).toBeUndefined()
    const patient = fate(pool.acquire())
    const hasty = fate(pool.acquire({ timeoutMs: 50 }), clock)
    server.kill()
    await clock.advance(5000)
    expect([patient.state, hasty.at, server.open]).toEqual(['pending', 50, 0])
    pool.resume()
    await clock.advance(0)
    expect(patient.state).toBe('resolved')
  })

  test('lets leases go on and come back', async () => {
    const { clock, pool } = world()
    const lease = await clock.until(pool.acquire())
    pool.suspend()
    expect(lease.connection.id).toBe(1)
    lease.release()
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 })
    pool.suspend()
    pool.resume()
    expect(pool.tryAcquire()).toBeDefined()
    pool.resume()
  })

  test('makes them wait also whose connection is being prepared: it is prepared anew', async () => {
    const prepared: number[] = []
    const { clock, pool } = world({
      max: 1,
      onAcquire: () => {
        prepared.push(clock.now())
        return new Promise<void>((resolve) => void clock.io(50, resolve))
      },
    })
    const waiting = fate(pool.acquire())
    const hasty = fate(pool.acquire({ timeoutMs: 500, priority: 1 }))
    await clock.advance(10)
    pool.suspend()
    await clock.advance(1000)
    expect([waiting.state, hasty.error]).toEqual(['pending', expect.objectContaining({ phase: 'suspended' })])
    expect(pool.stats()).toMatchObject({ idle: 1, waiting: 1 })
    pool.resume()
    await clock.advance(50)
    expect([waiting.state, prepared]).toEqual(['resolved', [0, 1010]])
  })

  test('opens nothing', async () => {
    const { clock, pool, server } = world({ min: 2 })
    pool.suspend()
    void pool.ready({ timeoutMs: 100 }).catch(() => {})
    void pool.acquire({ timeoutMs: 100 }).catch(() => {})
    await clock.advance(1000)
    expect(server.peak).toBe(0)
  })
})

describe('ready', () => {
  test('of a pool that keeps none idle keeps none', async () => {
    const { clock, pool, server, told } = world({ maxIdle: 0 })
    await clock.until(pool.ready())
    await clock.advance(0)
    expect([server.open, server.peak, told()]).toEqual([0, 1, ['connect', 'close idle']])
  })

  test('rejects at once for good, also where some connections are open', async () => {
    const { clock, pool, server } = world({ min: 2 }, { server: { latencyMs: 10 } })
    server.next('connect', { latencyMs: 10 })
    server.next('connect', { latencyMs: 20, error: new FakeError('permanent', 'wrong password') })
    const ready = fate(pool.ready(), clock)
    const lease = await clock.until(pool.acquire())
    await clock.advance(20)
    expect([ready.at, ready.error]).toEqual([20, expect.objectContaining({ code: 'CONNECT_FAILED' })])
    lease.release()
    expect(await clock.until(pool.use(() => 'goes on'))).toBe('goes on')
  })

  test('resolves when min connections, and at least one, are open', async () => {
    for (const [min, opened] of [
      [0, 1],
      [3, 3],
    ] as const) {
      const { clock, pool, server } = world({ min }, { server: { latencyMs: 10 } })
      await clock.until(pool.ready())
      expect([server.open, pool.stats().idle]).toEqual([opened, opened])
      await pool.ready()
    }
  })

  test('counts connections that are in use', async () => {
    const { clock, pool } = world({ max: 1 })
    await clock.until(pool.acquire())
    expect(await clock.until(pool.ready())).toBeUndefined()
  })

  test('rejects at its time, by default acquireTimeoutMs, with the last error as cause', async () => {
    const { clock, pool, server, errorOf } = world({ acquireTimeoutMs: 400 })
    server.down()
    const error = await errorOf(pool.ready())
    expect(error).toMatchObject({
      code: 'ACQUIRE_TIMEOUT',
      phase: 'connect',
      cause: { code: 'ECONNREFUSED' },
    })
    expect(clock.now()).toBe(400)
    await errorOf(pool.ready({ timeoutMs: 100 }))
    expect(clock.now()).toBe(500)
    expect(pool.stats().timedOut).toBe(0)
  })

  test('waits through transient failures', async () => {
    const { clock, pool, server } = world({ min: 2 })
    server.down()
    const ready = fate(pool.ready())
    await clock.advance(2000)
    server.up()
    await clock.advance(1000)
    expect(ready.state).toBe('resolved')
  })
})

describe('permits', () => {
  function budget(free: number) {
    const wakes: (() => void)[] = []
    const retire: (() => boolean)[] = []
    return {
      free,
      taken: 0,
      retire,
      take() {
        if (this.free === 0) return false
        this.free--
        this.taken++
        return true
      },
      give() {
        this.free++
        for (const wake of wakes) wake()
      },
      onFree: (wake: () => void) => void wakes.push(wake),
      onWanted: (give: () => boolean) => void retire.push(give),
    }
  }

  test('are taken once for each connect and given back once when the socket is gone', async () => {
    const permits = budget(2)
    const { clock, pool, server } = world({ permits, closeTimeoutMs: 100 })
    const [a, b] = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    expect(permits).toMatchObject({ free: 0, taken: 2 })
    const waiting = fate(pool.acquire())
    await clock.advance(1000)
    expect(waiting.state).toBe('pending')
    server.always('close', { latencyMs: 50 })
    a?.destroy()
    expect(permits.free).toBe(0)
    await clock.advance(50)
    expect(waiting.state).toBe('resolved')
    b?.detach()
    waiting.value?.release()
    await clock.until(pool.close())
    expect(permits).toMatchObject({ free: 2, taken: 3 })
  })

  test('come back after failed, aborted and abandoned connects', async () => {
    const permits = budget(1)
    const { clock, pool, server } = world({ permits, connectTimeoutMs: 100, closeTimeoutMs: 100 })
    server.next('connect', { error: new Error('no') }, { never: true }, { never: true, deaf: true })
    await clock.until(pool.acquire())
    expect(permits).toMatchObject({ free: 0, taken: 4 })
    await clock.until(pool.close({ drainTimeoutMs: 0 }))
    expect(permits.free).toBe(1)
  })

  test('refused while the server is failing do not turn the pool in a circle', async () => {
    const permits = budget(1)
    const { clock, pool, server } = world({ permits })
    server.next('connect', { error: new Error('no') })
    const waiting = fate(pool.acquire({ timeoutMs: 3000 }))
    await clock.advance(0)
    permits.free = 0
    await clock.advance(2000)
    permits.give()
    await clock.advance(0)
    expect(waiting.state).toBe('resolved')
  })

  test('wanted by somebody else cost one idle connection, if there is one', async () => {
    const permits = budget(5)
    const { clock, pool } = world({ permits })
    const [a] = await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    expect(permits.retire[0]?.()).toBe(false)
    a?.release()
    expect(permits.retire[0]?.()).toBe(true)
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ idle: 0, leased: 1, closed: { idle: 1 } })
  })
})
