import { describe, expect, test } from 'vitest'
import { fate, type Options, world } from '../../support/world.ts'

async function returned(options: Options, { dirty, around = {} }: { dirty: boolean; around?: object }) {
  const scene = world(options, around)
  const lease = await scene.clock.until(scene.pool.acquire())
  if (dirty) await scene.clock.until(lease.connection.query('begin'))
  scene.server.log.length = 0
  lease.release()
  await scene.clock.advance(0)
  return scene
}

describe('reset "rollback"', () => {
  test('sends nothing for a clean connection', async () => {
    const { pool, server } = await returned({}, { dirty: false })
    expect(server.log).toEqual([])
    expect(pool.stats().idle).toBe(1)
  })

  test('rolls back an open transaction, without the caller waiting and before anybody gets the connection', async () => {
    const { clock, pool, server } = world({ max: 1 }, { server: { latencyMs: 10 } })
    const lease = await clock.until(pool.acquire())
    await clock.until(lease.connection.query('begin'))
    const since = clock.now()
    const waiting = fate(pool.acquire(), clock)
    expect(lease.release()).toBeUndefined()
    await clock.advance(100)
    expect(waiting).toMatchObject({ state: 'resolved', at: since + 10 })
    expect(server.connections[0]?.session.transaction).toBe('none')
  })

  test('is sent at once, not with the next use', async () => {
    const { sent } = await returned({}, { dirty: true })
    expect(sent()).toEqual(['rollback'])
  })

  test('that fails, hangs or does not help destroys the connection, and the waiter gets another', async () => {
    for (const behaviour of [{ error: new Error('no') }, { never: true }]) {
      const { clock, pool, server } = world({ max: 1, resetTimeoutMs: 100 })
      const lease = await clock.until(pool.acquire())
      await clock.until(lease.connection.query('begin'))
      server.next('reset', behaviour)
      const waiting = fate(pool.acquire())
      lease.release()
      await clock.advance(100)
      expect(waiting.value?.connection.id).toBe(2)
      expect(pool.stats().closed.dirty).toBe(1)
      expect(server.peak).toBe(1)
    }
  })

  test('cannot be done by a driver without reset: a dirty connection is destroyed', async () => {
    const { pool } = await returned({}, { dirty: true, around: { driver: { without: ['reset'] } } })
    expect(pool.stats()).toMatchObject({ total: 0, closed: { dirty: 1 } })
  })

  test('is done on every return where the driver cannot tell', async () => {
    const { sent, pool } = await returned({}, { dirty: false, around: { driver: { without: ['isDirty'] } } })
    expect(sent()).toEqual(['rollback'])
    expect(pool.stats().idle).toBe(1)
  })

  test('a driver that can neither tell nor reset lends as it is', async () => {
    const { pool, server } = await returned(
      {},
      { dirty: true, around: { driver: { without: ['isDirty', 'reset'] } } },
    )
    expect(server.log).toEqual([])
    expect(pool.stats().idle).toBe(1)
  })
})

describe('reset "full"', () => {
  test('is done on every return, and onConnect runs again', async () => {
    let connected = 0
    const { pool, sent } = await returned(
      { reset: 'full', onConnect: () => void connected++ },
      { dirty: false },
    )
    expect(sent()).toEqual(['discard all'])
    expect(connected).toBe(2)
    expect(pool.stats().idle).toBe(1)
  })

  test('whose onConnect fails destroys the connection', async () => {
    let connected = 0
    const onConnect = () => {
      if (++connected === 2) throw new Error('not again')
    }
    const { pool, told } = await returned({ reset: 'full', onConnect }, { dirty: false })
    expect(pool.stats()).toMatchObject({ total: 0, closed: { dirty: 1 } })
    expect(told()).toContain('error')
  })
})

describe('reset "none"', () => {
  test('sends nothing, and a dirty connection is destroyed rather than lent', async () => {
    const clean = await returned({ reset: 'none' }, { dirty: false })
    expect([clean.server.log, clean.pool.stats().idle]).toEqual([[], 1])
    const dirty = await returned({ reset: 'none' }, { dirty: true })
    expect(dirty.pool.stats()).toMatchObject({ total: 0, closed: { dirty: 1 } })
  })
})

describe('a reset function', () => {
  test('runs on every return, with a signal', async () => {
    const seen: unknown[] = []
    const { pool } = await returned(
      { reset: (c, { signal }) => void seen.push([c.id, signal.aborted]) },
      { dirty: false },
    )
    expect(seen).toEqual([[1, false]])
    expect(pool.stats().idle).toBe(1)
  })

  test('that leaves the connection dirty, throws or hangs destroys it', async () => {
    for (const reset of [
      () => {},
      () => Promise.reject(new Error('no')),
      () => new Promise<void>(() => {}),
    ]) {
      const { clock, pool } = await returned({ reset, resetTimeoutMs: 100 }, { dirty: true })
      await clock.advance(100)
      expect(pool.stats()).toMatchObject({ total: 0, closed: { dirty: 1 } })
    }
  })
})

describe('a statement of the raw connection that is in flight at release', () => {
  test('is waited for, then the connection is reset if it must be', async () => {
    const { clock, pool, server } = world({}, { server: { latencyMs: 10 } })
    server.answer('slow', { takesMs: 50, rows: [{ n: 1 }] })
    const lease = await clock.until(pool.acquire())
    const slow = fate(lease.connection.query('slow'))
    lease.release()
    expect(pool.stats().resetting).toBe(1)
    await clock.advance(100)
    expect(slow.value?.rows).toEqual([{ n: 1 }])
    expect(pool.stats().idle).toBe(1)
  })
})

describe('the time of a reset', () => {
  test('is counted from the return, however long nothing read the clock', async () => {
    const { clock, pool } = world({ resetTimeoutMs: 100, validateAfterIdleMs: 1e9 })
    // Thousands of quick returns: the pool saves itself the clock.
    ;(await clock.until(pool.acquire())).release()
    for (let n = 0; n < 1100; n++) pool.tryAcquire()?.release()
    const lease = await clock.until(pool.acquire())
    await clock.until(lease.connection.query('begin'))
    clock.block(10_000)
    lease.release()
    await clock.advance(0)
    expect(pool.stats().closed.dirty).toBe(0)
  })
})
