import { describe, expect, test } from 'vitest'
import { fate, sqlWorld, world } from '../../support/world.ts'

const REASON = new Error('enough')

describe('an aborted acquire', () => {
  test('that was aborted before it began rejects with the reason and starts nothing', async () => {
    const { pool, server, errorOf } = world()
    expect(await errorOf(pool.acquire({ signal: AbortSignal.abort(REASON) }))).toBe(REASON)
    expect(await errorOf(pool.ready({ signal: AbortSignal.abort(REASON) }))).toBe(REASON)
    expect(server.open).toBe(0)
  })

  test('in the queue leaves its place to the next', async () => {
    const { clock, pool } = world({ max: 1 })
    const lease = await clock.until(pool.acquire())
    const controller = new AbortController()
    const aborted = fate(pool.acquire({ signal: controller.signal }))
    const next = fate(pool.acquire())
    controller.abort(REASON)
    lease.release()
    await clock.advance(0)
    expect(aborted.error).toBe(REASON)
    expect(next.state).toBe('resolved')
    expect(pool.stats()).toMatchObject({ waiting: 0, timedOut: 0, leased: 1 })
  })

  test('during the connect, the check or the hook keeps the connection for others', async () => {
    const { clock, pool, server } = world(
      { max: 1, validateAfterIdleMs: 0, onAcquire: (connection) => connection.query('hook').then(() => {}) },
      { server: { latencyMs: 10 } },
    )
    for (const stage of ['connect', 'hook of a fresh one', 'check', 'hook']) {
      const controller = new AbortController()
      const aborted = fate(pool.acquire({ signal: controller.signal }))
      // fresh: connect until 10, hook until 20; later: check until 10, hook until 20
      await clock.advance(stage.startsWith('hook') ? 15 : 5)
      controller.abort(REASON)
      await clock.advance(100)
      expect(aborted.error, stage).toBe(REASON)
      expect(pool.stats(), stage).toMatchObject({ idle: 1, leased: 0, validating: 0, waiting: 0, total: 1 })
    }
    expect(server.open).toBe(1)
    expect(await clock.until(pool.acquire())).toBeDefined()
  })

  test('while suspended leaves', async () => {
    const { clock, pool } = world()
    pool.suspend()
    const controller = new AbortController()
    const aborted = fate(pool.acquire({ signal: controller.signal }))
    controller.abort(REASON)
    await clock.advance(0)
    expect(aborted.error).toBe(REASON)
    expect(pool.stats().waiting).toBe(0)
  })

  test('after it was served changes nothing', async () => {
    const { clock, pool } = world()
    const controller = new AbortController()
    const lease = await clock.until(pool.acquire({ signal: controller.signal }))
    controller.abort(REASON)
    expect(lease.connection.id).toBe(1)
    lease.release()
    expect(pool.stats().idle).toBe(1)
  })

  test('leaves no listener on the signal, however it ended', async () => {
    const { clock, pool } = world({ max: 1 })
    const listeners = new Set<unknown>()
    const signal = {
      aborted: false,
      addEventListener: (_: string, listener: unknown) => listeners.add(listener),
      removeEventListener: (_: string, listener: unknown) => listeners.delete(listener),
    } as unknown as AbortSignal
    const lease = await clock.until(pool.acquire({ signal }))
    expect(listeners.size).toBe(0)
    const timedOut = fate(pool.acquire({ signal, timeoutMs: 10 }))
    await clock.advance(10)
    expect([timedOut.state, listeners.size]).toEqual(['rejected', 0])
    const closed = fate(pool.acquire({ signal }))
    const ready = fate(pool.ready({ signal }))
    void pool.close()
    await clock.advance(0)
    expect([closed.state, ready.state, listeners.size]).toEqual(['rejected', 'resolved', 0])
    lease.release()
  })

  test('by a signal of time rejects with the TimeoutError of that signal', async () => {
    const { clock, pool } = world({ max: 1 })
    await clock.until(pool.acquire())
    const controller = new AbortController()
    const aborted = fate(pool.acquire({ signal: controller.signal }))
    controller.abort(new DOMException('late', 'TimeoutError'))
    await clock.advance(0)
    expect(aborted.error).toMatchObject({ name: 'TimeoutError' })
  })
})

describe('an aborted ready', () => {
  test('rejects with the reason', async () => {
    const { clock, pool } = world({}, { server: { script: { connect: { never: true } } } })
    const controller = new AbortController()
    const ready = fate(pool.ready({ signal: controller.signal }))
    controller.abort(REASON)
    await clock.advance(0)
    expect(ready.error).toBe(REASON)
  })
})

test('a hundred who wait by one signal are no leak that the process would be warned of', async ({
  onTestFinished,
}) => {
  const warnings: string[] = []
  const hear = ({ name }: Error) => void warnings.push(name)
  process.on('warning', hear)
  onTestFinished(() => void process.off('warning', hear))
  const { clock, pool } = sqlWorld({ max: 2, multiplex: 'off' }, { server: { latencyMs: 10 } })
  const lease = await clock.until(pool.acquire())
  for (const ask of [
    (signal: AbortSignal) => pool.acquire({ signal }).then((taken) => taken.release()),
    (signal: AbortSignal) => lease.query('select 1', [], { signal }).then(() => {}),
  ]) {
    const { signal } = new AbortController()
    await clock.until(Promise.all(Array.from({ length: 100 }, () => ask(signal))))
  }
  // A warning comes in the next turn.
  await new Promise((resolve) => setImmediate(resolve))
  expect(warnings).toEqual([])
})

test('a signal that somebody else has made will do', async () => {
  const { clock, pool } = sqlWorld({ max: 1 })
  const lease = await clock.until(pool.acquire())
  const listeners: { handleEvent(event: Event): void }[] = []
  const signal = {
    aborted: false,
    reason: 'mine',
    addEventListener: (_: string, listener: (typeof listeners)[0]) => void listeners.push(listener),
    removeEventListener: () => {},
  }
  const waiting = fate(pool.acquire({ signal: signal as never }))
  for (const listener of listeners) listener.handleEvent(new Event('abort'))
  await clock.advance(0)
  expect(waiting.error).toBe('mine')
  lease.release()
})
