import { describe, expect, test } from 'vitest'
import { ConnectError } from '../../../src/contract/errors.ts'
import { FakeError, fakeErrors } from '../../../src/testing/fake-error.ts'
import { fate, world } from '../../support/world.ts'

const attempts = ({ server }: ReturnType<typeof world>) =>
  server.log.filter(({ operation }) => operation === 'connect').map(({ at }) => at)

describe('a transient connect error', () => {
  test('keeps the waiters until their deadline, and they are served when the server is back', async () => {
    const scene = world()
    const { clock, pool, server } = scene
    server.down()
    const waiting = fate(pool.acquire(), clock)
    await clock.advance(3000)
    expect(waiting.state).toBe('pending')
    server.up()
    await clock.advance(200)
    expect(waiting.state).toBe('resolved')
  })

  test('backs off: 20 ms, doubling, at most 200 ms while somebody waits, by full jitter', async () => {
    const scene = world({ max: 1 })
    const { clock, pool, server } = scene
    clock.chance = 0.999999
    server.down()
    void pool.acquire().catch(() => {})
    await clock.advance(1000)
    const at = attempts(scene)
    const pauses = at.slice(1).map((time, n) => Math.round(time - (at[n] ?? 0)))
    expect(pauses.slice(0, 7)).toEqual([20, 40, 80, 160, 200, 200, 200])
  })

  test('leaves one probe at a time while the server is down; a success ends the pause for all', async () => {
    const scene = world({ max: 5 }, { server: { latencyMs: 10 } })
    const { clock, pool, server } = scene
    server.down()
    const waiting = [1, 2, 3, 4, 5].map(() => fate(pool.acquire(), clock))
    await clock.advance(15)
    server.log.length = 0
    await clock.advance(500)
    const at = attempts(scene)
    expect(new Set(at).size).toBe(at.length)
    server.up()
    await clock.advance(230)
    expect(waiting.map(({ state }) => state)).toEqual(Array(5).fill('resolved'))
    const served = waiting.map(({ at }) => at as number)
    expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(10)
  })

  test('is told by an error event, the first one too, and never crashes anybody', async () => {
    const { clock, pool, server, events } = world()
    server.next('connect', { error: fakeErrors.refused() })
    await clock.until(pool.acquire())
    expect(events.filter(({ event }) => event === 'error')).toMatchObject([
      { pool: 'p', error: { message: 'connection refused' } },
    ])
    expect(pool.stats()).toMatchObject({ connectFailed: 1, created: 1 })
  })

  test('wakes the pool no more often than there is something to do, while resets and closes take their time', async () => {
    const { clock, pool, server } = world({ max: 1, connectTimeoutMs: 100, closeTimeoutMs: 5000 })
    server.always('connect', { never: true, deaf: true })
    const waiting = fate(pool.acquire({ timeoutMs: 4000 }), clock)
    // Deaf to the abort: the only place stays taken until it is written off. The clock would complain of a circle.
    await clock.advance(4000)
    expect(waiting).toMatchObject({ state: 'rejected', at: 4000 })
    expect(pool.stats()).toMatchObject({ closing: 1, total: 1 })
  })
})

describe('a permanent connect error', () => {
  const permanent = () => new FakeError('permanent', 'wrong password')

  test('fails all waiters at once on a pool with nothing open, with the server’s error as cause', async () => {
    const error = permanent()
    const { clock, pool } = world({}, { server: { script: { connect: { error } } } })
    const waiting = [fate(pool.acquire(), clock), fate(pool.acquire(), clock), fate(pool.ready(), clock)]
    await clock.advance(0)
    for (const { error: got, at } of waiting) {
      expect(got).toBeInstanceOf(ConnectError)
      expect(got).toMatchObject({ code: 'CONNECT_FAILED', cause: error })
      expect(at).toBe(0)
    }
  })

  test('is remembered for a second, so that nobody logs in in a loop; then probed once', async () => {
    const scene = world({ max: 5 }, { server: { script: { connect: { error: permanent() } } } })
    const { clock, pool, errorOf } = scene
    for (let n = 0; n < 20; n++) {
      expect(await errorOf(pool.acquire())).toBeInstanceOf(ConnectError)
      await clock.advance(50)
    }
    expect(attempts(scene).length).toBe(1)
    await clock.advance(10)
    const both = [fate(pool.acquire()), fate(pool.acquire())]
    await clock.advance(0)
    expect(both.map(({ state }) => state)).toEqual(['rejected', 'rejected'])
    expect(attempts(scene).length).toBe(2)
  })

  test('is forgotten when the next probe succeeds', async () => {
    const { clock, pool, server, errorOf } = world()
    server.next('connect', { error: permanent() })
    await errorOf(pool.acquire())
    await clock.advance(1000)
    expect(await clock.until(pool.acquire())).toBeDefined()
  })

  test('does not fail the waiters of a pool that has an open connection', async () => {
    const { clock, pool, server, told } = world({ max: 2 })
    const lease = await clock.until(pool.acquire())
    server.always('connect', { error: permanent() })
    const waiting = fate(pool.acquire())
    await clock.advance(500)
    expect(waiting.state).toBe('pending')
    expect(told()).toContain('error')
    lease.release()
    await clock.advance(0)
    expect(waiting.state).toBe('resolved')
  })
})

describe('an exhausted server', () => {
  test('pauses growth and keeps what is open: waiters share what there is', async () => {
    const { clock, pool, server } = world({ max: 5 }, { server: { maxConnections: 2 } })
    const done = Array.from({ length: 20 }, () =>
      fate(pool.use(() => new Promise<void>((r) => clock.after(10, r)))),
    )
    await clock.advance(1000)
    expect(done.every(({ state }) => state === 'resolved')).toBe(true)
    expect(server.peak).toBe(2)
    expect(pool.stats()).toMatchObject({ created: 2, idle: 2 })
  })
})

describe('connectTimeoutMs', () => {
  test('aborts the attempt; its place is free when the attempt has settled', async () => {
    const { clock, pool, server, asked } = world({ max: 1, connectTimeoutMs: 100 })
    server.next('connect', { never: true })
    const waiting = fate(pool.acquire(), clock)
    await clock.advance(150)
    expect(waiting.state).toBe('resolved')
    expect(asked('aborted')).toEqual(['aborted'])
    expect(server.peak).toBe(1)
    expect(pool.stats()).toMatchObject({ connectFailed: 1, created: 1 })
  })

  test('a late success is closed, and counts until then', async () => {
    const { clock, pool, server } = world({ max: 1, connectTimeoutMs: 100, closeTimeoutMs: 1000 })
    server.next('connect', { latencyMs: 300, deaf: true })
    const waiting = fate(pool.acquire(), clock)
    await clock.advance(299)
    expect(pool.stats()).toMatchObject({ closing: 1, total: 1 })
    await clock.advance(100)
    expect(waiting.value?.connection.id).toBe(2)
    expect([server.peak, server.open]).toEqual([1, 1])
    expect(pool.stats()).toMatchObject({ created: 1, closed: { abandoned: 0 } })
    expect(server.misuse).toEqual([])
  })

  test('an attempt that never settles is written off after closeTimeoutMs, with an error event', async () => {
    const { clock, pool, server, told } = world({ max: 1, connectTimeoutMs: 100, closeTimeoutMs: 200 })
    server.next('connect', { never: true, deaf: true })
    const waiting = fate(pool.acquire(), clock)
    await clock.advance(299)
    expect(waiting.state).toBe('pending')
    await clock.advance(100)
    expect(waiting.state).toBe('resolved')
    expect(told().filter((event) => event === 'close abandoned').length).toBe(1)
    expect(told().filter((event) => event === 'error').length).toBe(2)
    expect(pool.stats().closed.abandoned).toBe(1)
  })

  test('a success later than that is closed all the same, once', async () => {
    const { clock, pool, server } = world({ max: 1, connectTimeoutMs: 100, closeTimeoutMs: 200 })
    server.next('connect', { latencyMs: 5000, deaf: true })
    void pool.acquire()
    await clock.advance(6000)
    expect(server.open).toBe(1)
    expect(server.misuse).toEqual([])
    expect(pool.stats()).toMatchObject({ leased: 1, total: 1 })
  })

  test('the caller hears of it when the deadline comes: the timeout is the cause', async () => {
    const { pool, errorOf } = world(
      { connectTimeoutMs: 100 },
      { server: { script: { connect: { never: true } } } },
    )
    const error = await errorOf(pool.acquire({ timeoutMs: 500 }))
    expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT', cause: { code: 'CONNECT_FAILED' } })
    expect((error as Error).message).toContain('connectTimeoutMs (100 ms)')
  })
})

describe('a driver that misbehaves', () => {
  test('by throwing at once costs an attempt and no more', async () => {
    const { clock, pool, driver } = world()
    const connect = driver.connect
    let times = 0
    driver.connect = (context) => {
      if (++times === 1) throw new Error('at once')
      return connect(context)
    }
    expect(await clock.until(pool.acquire())).toBeDefined()
    expect(pool.stats()).toMatchObject({ connectFailed: 1, total: 1 })
  })

  test('whose connection dies before it was handed over: the waiter gets another', async () => {
    const { clock, pool, server } = world(
      {
        onConnect: (c) =>
          c.query('x').then(
            () => {},
            () => {},
          ),
      },
      { server: { latencyMs: 10 } },
    )
    const waiting = fate(pool.acquire())
    await clock.advance(12)
    server.kill()
    await clock.advance(200)
    expect(waiting.value?.connection.id).toBe(2)
    expect(pool.stats()).toMatchObject({ total: 1, connectFailed: 1 })
  })

  test('whose close throws, rejects or gives back something else: the place is free, and who listens is told', async () => {
    for (const [close, errors] of [
      [
        () => {
          throw new Error('no')
        },
        1,
      ],
      [() => Promise.reject(new Error('no')), 1],
      [() => 'closed' as unknown as undefined, 0],
      [() => {}, 0],
    ] as const) {
      const { clock, pool, driver, told } = world({ max: 1 })
      driver.close = close
      ;(await clock.until(pool.acquire())).destroy()
      await clock.advance(0)
      expect(pool.stats()).toMatchObject({ total: 0, closed: { destroyed: 1 } })
      expect(told().filter((event) => event === 'error').length).toBe(errors)
      expect(await clock.until(pool.acquire())).toBeDefined()
    }
  })

  test('whose close hangs: the socket counts until it is written off', async () => {
    const { clock, pool, server, told } = world({ max: 1, closeTimeoutMs: 300 })
    server.next('close', { never: true })
    ;(await clock.until(pool.acquire())).destroy()
    const waiting = fate(pool.acquire(), clock)
    await clock.advance(299)
    expect(waiting.state).toBe('pending')
    await clock.advance(1)
    expect(waiting.state).toBe('resolved')
    expect(told()).toContain('close abandoned')
    expect(pool.stats().closed).toMatchObject({ abandoned: 1, destroyed: 0 })
  })
})

describe('a connection that is lost', () => {
  test('while idle is closed once, and forgotten', async () => {
    const { clock, pool, server, told } = world()
    ;(await clock.until(pool.acquire())).release()
    server.kill()
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ total: 0, closed: { lost: 1 } })
    expect(told()).toContain('close lost')
    expect(server.misuse).toEqual([])
  })

  test('while it is checked, prepared or cleaned frees its place, and the waiter gets another', async () => {
    for (const stage of ['check', 'hook', 'reset'] as const) {
      const { clock, pool, server } = world({
        max: 1,
        ...(stage === 'hook' ? { onAcquire: (c) => c.query('hook').then(() => {}) } : {}),
      })
      const lease = await clock.until(pool.acquire())
      if (stage === 'reset') await clock.until(lease.connection.query('begin'))
      else lease.release()
      await clock.advance(stage === 'check' ? 2000 : 0)
      server.latencyMs = 50
      const waiting = fate(pool.acquire())
      if (stage === 'reset') lease.release()
      await clock.advance(10)
      server.kill()
      await clock.advance(500)
      expect(waiting.value?.connection.id, stage).toBe(2)
      expect(pool.stats(), stage).toMatchObject({ total: 1, leased: 1, waiting: 0 })
      expect(server.misuse).toEqual([])
    }
  })
})
