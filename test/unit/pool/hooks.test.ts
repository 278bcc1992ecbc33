import { describe, expect, test } from 'vitest'
import type { AcquireHookContext } from '../../../src/contract/options.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { fate, world } from '../../support/world.ts'

const hang = () => new Promise<void>(() => {})

describe('onConnect', () => {
  test('prepares each new connection once, before anybody gets it', async () => {
    const { clock, pool, server } = world(
      { onConnect: (c) => c.query('set x').then(() => {}) },
      { server: { latencyMs: 10 } },
    )
    await clock.until(pool.use(() => {}))
    await clock.until(pool.use(() => {}))
    expect(clock.now()).toBe(20)
    expect(server.log.filter(({ sql }) => sql === 'set x').length).toBe(1)
    expect(pool.stats().connectTime.maxMs).toBe(20)
  })

  test('failing is a failed connect: closed, reported, backed off, tried again for the waiter', async () => {
    const { clock, pool, server, events } = world()
    const problem = new Error('no such role')
    let times = 0
    const pool2 = createResourcePool(server.resourceDriver(), {
      clock,
      onConnect: () => {
        if (++times < 3) throw problem
      },
    })
    const errors: unknown[] = []
    pool2.on('error', ({ error }) => errors.push(error))
    await clock.until(pool2.acquire())
    expect(errors).toEqual([problem, problem])
    expect(pool2.stats()).toMatchObject({ connectFailed: 2, created: 1, total: 1 })
    expect(server.open).toBe(1)
    expect(clock.now()).toBeGreaterThan(0)
    expect([pool.stats().total, events.length]).toEqual([0, 0])
  })

  test('that hangs is ended by connectTimeoutMs: the connection is closed and its signal aborted', async () => {
    let signal: AbortSignal | undefined
    const { clock, pool, server } = world({
      connectTimeoutMs: 100,
      onConnect: (_, context) => {
        if (signal !== undefined) return undefined
        signal = context.signal
        return hang()
      },
    })
    const waiting = fate(pool.acquire())
    await clock.advance(99)
    expect(signal?.aborted).toBe(false)
    await clock.advance(50)
    expect(signal?.aborted).toBe(true)
    expect(waiting.value?.connection.id).toBe(2)
    expect(server.open).toBe(1)
    expect(server.misuse).toEqual([])
  })
})

describe('onAcquire', () => {
  test('prepares a connection for one acquire, and is told everything about it', async () => {
    const seen: Omit<AcquireHookContext, 'signal'>[] = []
    const { clock, pool } = world({
      max: 1,
      onAcquire: (_, { signal: _signal, ...context }) => void seen.push(context),
    })
    await clock.until(pool.use(() => {}, { key: 'k', affinity: 'a', label: 'first' }))
    await clock.until(pool.use(() => {}, { label: 'second' }))
    await clock.until(pool.use(() => {}))
    await clock.until(pool.use(() => {}))
    const none = { key: undefined, affinity: undefined }
    expect(seen).toEqual([
      { key: 'k', affinity: 'a', label: 'first', lastLabel: undefined, fresh: true },
      { ...none, label: 'second', lastLabel: 'first', fresh: false },
      { ...none, label: undefined, lastLabel: 'second', fresh: false },
      { ...none, label: undefined, lastLabel: undefined, fresh: false },
    ])
  })

  test('failing costs the connection; the waiter keeps its place and gets another', async () => {
    let fail = true
    const { clock, pool, server, told } = world({
      max: 1,
      onAcquire: () => {
        if (!fail) return
        fail = false
        throw new Error('unfit')
      },
    })
    const lease = await clock.until(pool.acquire())
    expect(lease.connection.id).toBe(2)
    expect(pool.stats().closed.invalid).toBe(1)
    expect(told().filter((event) => event === 'error').length).toBe(1)
    expect(server.peak).toBe(1)
  })

  test('that always fails does not storm the server, and the waiter times out', async () => {
    const { clock, pool, errorOf } = world({
      onAcquire: () => {
        throw new Error('unfit')
      },
    })
    expect(await errorOf(pool.acquire({ timeoutMs: 1000 }))).toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
    expect(pool.stats().created).toBeLessThan(150)
    expect(pool.stats().waiting).toBe(0)
    await clock.advance(1000)
    expect(pool.stats().total).toBe(0)
  })

  test('that hangs is ended by validateTimeoutMs', async () => {
    const signals: AbortSignal[] = []
    const { clock, pool } = world({
      validateTimeoutMs: 100,
      onAcquire: (_, { signal }) => {
        signals.push(signal)
        return signals.length === 1 ? hang() : undefined
      },
    })
    const lease = await clock.until(pool.acquire())
    expect(clock.now()).toBe(100)
    expect(lease.connection.id).toBe(2)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  })

  test('runs after the check', async () => {
    const { clock, pool, asked, server } = world({ onAcquire: (c) => c.query('hook').then(() => {}) })
    ;(await clock.until(pool.acquire())).release()
    await clock.advance(2000)
    server.log.length = 0
    await clock.until(pool.acquire())
    expect(asked('isAlive', 'query')).toEqual(['isAlive', 'query'])
  })

  test('does not lend a connection that refresh has outdated meanwhile', async () => {
    const { clock, pool } = world(
      { onAcquire: (c) => c.query('hook').then(() => {}) },
      { server: { latencyMs: 10 } },
    )
    const waiting = fate(pool.acquire())
    await clock.advance(15)
    pool.refresh()
    await clock.advance(100)
    expect(waiting.value?.connection.id).toBe(2)
    expect(pool.stats().closed.refresh).toBe(1)
  })

  test('of a caller who leaves goes on; the connection serves the next, prepared for that one', async () => {
    const labels: unknown[] = []
    const { clock, pool } = world(
      { max: 1, onAcquire: (c, { label }) => c.query('hook').then(() => void labels.push(label)) },
      { server: { latencyMs: 10 } },
    )
    const controller = new AbortController()
    const first = fate(pool.acquire({ label: 'first', signal: controller.signal }))
    const second = fate(pool.acquire({ label: 'second' }))
    await clock.advance(15)
    controller.abort(new Error('gone'))
    await clock.advance(100)
    expect([first.state, second.state]).toEqual(['rejected', 'resolved'])
    expect(labels).toEqual(['first', 'second'])
    expect(second.value?.connection.id).toBe(1)
  })
})

describe('onRelease', () => {
  test('runs on every return, after the reset; the connection is idle only then', async () => {
    const { clock, pool, server, asked } = world(
      { onRelease: server0('onRelease') },
      { server: { latencyMs: 10 } },
    )
    const lease = await clock.until(pool.acquire())
    await clock.until(lease.connection.query('begin'))
    server.log.length = 0
    lease.release()
    expect(pool.stats()).toMatchObject({ resetting: 1, idle: 0 })
    await clock.advance(100)
    expect(asked('reset', 'onRelease')).toEqual(['reset', 'onRelease'])
    expect(pool.stats()).toMatchObject({ resetting: 0, idle: 1 })
  })

  test('failing, hanging or leaving the connection dirty destroys it', async () => {
    for (const onRelease of [
      () => Promise.reject(new Error('no')),
      hang,
      (c: { query(sql: string): Promise<unknown> }) => c.query('begin').then(() => {}),
    ]) {
      const { clock, pool } = world({ onRelease, resetTimeoutMs: 100 })
      ;(await clock.until(pool.acquire())).release()
      await clock.advance(100)
      expect(pool.stats()).toMatchObject({ total: 0, closed: { dirty: 1 } })
    }
  })
})

function server0(operation: 'onRelease') {
  return async (connection: { send(sql: string, options: object): Promise<unknown> }) => {
    await connection.send('', { operation })
  }
}
