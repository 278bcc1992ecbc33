import { describe, expect, test } from 'vitest'
import {
  AcquireTimeoutError,
  InvalidOptionError,
  PoolClosedError,
  QueueFullError,
} from '../../../src/contract/errors.ts'
import { fate, world } from '../../support/world.ts'

describe('acquire', () => {
  test('opens a connection only when one is asked for, and lends the idle one again', async () => {
    const { clock, pool, server } = world()
    await clock.advance(1000)
    expect(server.open).toBe(0)
    const first = await clock.until(pool.acquire())
    const { connection } = first
    first.release()
    const second = await clock.until(pool.acquire())
    expect(second.connection).toBe(connection)
    expect(second).not.toBe(first)
    expect(server.open).toBe(1)
  })

  test('never opens more than max, and serves the others in order of arrival', async () => {
    const { clock, pool, server } = world({ max: 2 })
    const served: number[] = []
    const work = Array.from({ length: 7 }, (_, n) =>
      pool.use(async () => {
        served.push(n)
        await new Promise<void>((resolve) => clock.after(10, resolve))
      }),
    )
    await clock.until(Promise.all(work))
    expect(served).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(server.peak).toBe(2)
    expect(clock.now()).toBe(40)
  })

  test('a waiter is served by whatever is free first, not by the connection opened for it', async () => {
    const { clock, pool, server } = world({ max: 2 })
    const first = await clock.until(pool.acquire())
    server.next('connect', { latencyMs: 500 })
    const waiting = fate(pool.acquire(), clock)
    await clock.advance(10)
    first.release()
    await clock.advance(0)
    expect(waiting).toMatchObject({ state: 'resolved', at: 10 })
  })

  test('a newcomer never overtakes, however the connection came free', async () => {
    const { clock, pool } = world({ max: 1 })
    const lease = await clock.until(pool.acquire())
    const order: string[] = []
    void pool.use(() => void order.push('waiter'))
    lease.release()
    expect(pool.tryAcquire()).toBeUndefined()
    void pool.use(() => void order.push('newcomer'))
    await clock.advance(0)
    expect(order).toEqual(['waiter', 'newcomer'])
  })

  test('a caller that gives up does not cancel the connect: the connection becomes idle', async () => {
    const { clock, pool, server } = world({}, { server: { latencyMs: 50 } })
    const given = fate(pool.acquire({ timeoutMs: 20 }))
    await clock.advance(100)
    expect(given.error).toBeInstanceOf(AcquireTimeoutError)
    expect(pool.stats()).toMatchObject({ idle: 1, connecting: 0, waiting: 0, timedOut: 1, created: 1 })
    expect(server.log.filter(({ operation }) => operation === 'aborted')).toEqual([])
  })

  test('refuses impossible arguments, and nothing has happened', async () => {
    const { pool, errorOf } = world()
    for (const options of [
      { timeoutMs: -1 },
      { timeoutMs: Number.NaN },
      { priority: Number.NaN },
      { priority: Number.POSITIVE_INFINITY },
    ]) {
      expect(await errorOf(pool.acquire(options))).toBeInstanceOf(InvalidOptionError)
    }
    expect(await errorOf(pool.acquire({ signal: {} as AbortSignal }))).toMatchObject({ option: 'signal' })
    expect(await errorOf(pool.acquire({ label: 1 as unknown as string }))).toMatchObject({ option: 'label' })
    expect(pool.stats()).toMatchObject({ total: 0, waiting: 0 })
  })
})

describe('tryAcquire', () => {
  test('gives an idle connection, and never waits or connects for one', async () => {
    const { clock, pool, server } = world({ max: 1 })
    expect(pool.tryAcquire()).toBeUndefined()
    expect(server.open).toBe(0)
    ;(await clock.until(pool.acquire())).release()
    const lease = pool.tryAcquire()
    expect(lease?.connection.id).toBe(1)
    expect(pool.tryAcquire()).toBeUndefined()
  })

  test('does not lend what must be checked or prepared first, but starts the overdue check', async () => {
    const { clock, pool, asked } = world({ validateAfterIdleMs: 1000 })
    ;(await clock.until(pool.acquire())).release()
    await clock.advance(1000)
    expect(pool.tryAcquire()).toBeUndefined()
    await clock.advance(0)
    expect(asked('isAlive')).toEqual(['isAlive'])
    expect(pool.tryAcquire()).toBeDefined()
  })

  test('with onAcquire there is always something to do first', async () => {
    const { clock, pool, server } = world({ onAcquire: () => {} })
    ;(await clock.until(pool.acquire())).release()
    expect(pool.tryAcquire()).toBeUndefined()
    expect(server.open).toBe(1)
  })

  test('throws once the pool is closed, as acquire rejects', async () => {
    const { clock, pool, errorOf } = world()
    await clock.until(pool.close())
    expect(() => pool.tryAcquire()).toThrow(PoolClosedError)
    expect(await errorOf(pool.acquire())).toBeInstanceOf(PoolClosedError)
  })
})

describe('use', () => {
  test('gives back after the work, also when it throws, and passes on what it gave', async () => {
    const { clock, pool, errorOf } = world({ max: 1 })
    expect(await clock.until(pool.use((lease) => lease.connection.id))).toBe(1)
    const problem = new Error('mine')
    expect(await errorOf(pool.use(() => Promise.reject(problem)))).toBe(problem)
    const thrower = () => {
      throw problem
    }
    expect(await errorOf(pool.use(thrower))).toBe(problem)
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0, acquired: 3 })
  })

  test('does not mind that the work released, destroyed or detached', async () => {
    const { clock, pool } = world({ max: 3 })
    await clock.until(pool.use((lease) => lease.release()))
    await clock.until(pool.use((lease) => lease.destroy()))
    await clock.until(pool.use((lease) => void lease.detach()))
    expect(pool.stats()).toMatchObject({ total: 0 })
  })

  test('says what it takes', async () => {
    const { pool, errorOf } = world()
    expect(await errorOf(pool.use(1 as never))).toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('maxWaiting', () => {
  test('counts waiters beyond the connections that are there or may still be opened', async () => {
    const { clock, pool, errorOf } = world({ max: 2, maxWaiting: 1 }, { server: { latencyMs: 10 } })
    const opened = [fate(pool.acquire()), fate(pool.acquire())]
    const waits = fate(pool.acquire())
    const error = await errorOf(pool.acquire())
    expect(error).toBeInstanceOf(QueueFullError)
    expect(error).toMatchObject({ code: 'QUEUE_FULL', waiting: 3 })
    await clock.advance(20)
    expect(opened.map(({ state }) => state)).toEqual(['resolved', 'resolved'])
    expect(waits.state).toBe('pending')
    expect(String(await errorOf(pool.acquire()))).toContain('pool "p"')
    opened[0]?.value?.release()
    await clock.advance(0)
    expect(waits.state).toBe('resolved')
  })

  test('0 connects, but never waits for a release', async () => {
    const { clock, pool, errorOf } = world({ max: 1, maxWaiting: 0 })
    const lease = await clock.until(pool.acquire())
    expect(await errorOf(pool.acquire())).toBeInstanceOf(QueueFullError)
    lease.release()
    expect(await clock.until(pool.acquire())).toBeDefined()
  })

  test('counts the extra connections of maxOverflow as capacity', async () => {
    const { clock, pool, errorOf } = world({ max: 1, maxOverflow: 1, maxWaiting: 0 })
    await clock.until(Promise.all([pool.acquire(), pool.acquire()]))
    expect(await errorOf(pool.acquire())).toBeInstanceOf(QueueFullError)
  })
})

describe('acquireTimeoutMs 0', () => {
  test('means an idle connection or failure at once', async () => {
    const { clock, pool, server, errorOf } = world()
    const error = await errorOf(pool.acquire({ timeoutMs: 0 }))
    expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT', waitedMs: 0 })
    expect(clock.now()).toBe(0)
    expect(server.open).toBe(0)
    ;(await clock.until(pool.acquire())).release()
    expect(await clock.until(pool.acquire({ timeoutMs: 0 }))).toBeDefined()
  })

  test('leaves an idle connection the time for its check or its hook', async () => {
    const hooked = world({ acquireTimeoutMs: 0, min: 1, onAcquire: () => {} })
    await hooked.clock.advance(0)
    expect(await hooked.clock.until(hooked.pool.acquire())).toBeDefined()
    const checked = world({ acquireTimeoutMs: 0, min: 1 })
    await checked.clock.advance(5000)
    expect(await checked.clock.until(checked.pool.acquire())).toBeDefined()
    expect(checked.asked('isAlive')).toEqual(['isAlive'])
  })

  test('waits for no connect when the only idle connection fails its check or its hook', async () => {
    const checked = world(
      { acquireTimeoutMs: 0, min: 1, validateTimeoutMs: 50 },
      { server: { latencyMs: 10 } },
    )
    await checked.clock.advance(5000)
    checked.server.always('connect', { latencyMs: 500 })
    for (const [outcome, within] of [
      [{ says: false }, 10],
      [{ never: true }, 50],
    ] as const) {
      checked.server.next('isAlive', outcome)
      const since = checked.clock.now()
      const error = await checked.errorOf(checked.pool.acquire())
      expect([(error as Error).name, checked.clock.now() - since]).toEqual(['AcquireTimeoutError', within])
      await checked.clock.advance(5000)
    }
    let fails = false
    const onAcquire = () => {
      if (fails) throw new Error('no')
    }
    const hooked = world({ acquireTimeoutMs: 0, min: 1, onAcquire }, { server: { latencyMs: 10 } })
    await hooked.clock.advance(1000)
    fails = true
    const since = hooked.clock.now()
    expect(await hooked.errorOf(hooked.pool.acquire())).toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
    expect(hooked.clock.now()).toBe(since)
  })

  test('still has the other idle connection when the first fails its check', async () => {
    const { clock, pool, server } = world({ acquireTimeoutMs: 0, min: 2, max: 2 })
    await clock.advance(5000)
    server.next('isAlive', { says: false })
    server.always('connect', { latencyMs: 500 })
    const [first, second] = [fate(pool.acquire()), fate(pool.acquire())]
    await clock.advance(0)
    expect([first.state, second.state]).toEqual(['resolved', 'rejected'])
    expect(second.error).toMatchObject({ code: 'ACQUIRE_TIMEOUT', waitedMs: 0 })
  })
})
