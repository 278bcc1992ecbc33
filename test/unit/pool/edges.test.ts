import { describe, expect, type TestContext, test, vi } from 'vitest'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { FakeError } from '../../../src/testing/fake-error.ts'
import { fate, sqlWorld, world } from '../../support/world.ts'

describe('ready', () => {
  test('refuses at once where the server has refused for good, the pool is closed, or the signal is aborted', async () => {
    const { clock, pool, server, errorOf } = world({ max: 1 })
    server.always('connect', { error: new FakeError('permanent', 'wrong password') })
    await errorOf(pool.acquire())
    const refused = fate(pool.ready({ timeoutMs: 500 }), clock)
    await clock.advance(0)
    expect(refused).toMatchObject({ state: 'rejected', at: 0 })
    expect(await errorOf(pool.ready({ signal: AbortSignal.abort('no') }))).toBe('no')
    await clock.until(pool.close())
    expect(await errorOf(pool.ready())).toMatchObject({ code: 'POOL_CLOSED' })
  })

  test('says what its options may be, by a rejection', async () => {
    const { pool, errorOf } = world()
    expect(await errorOf(pool.ready({ timeoutMs: 'soon' } as never))).toMatchObject({
      code: 'INVALID_OPTION',
    })
  })
})

describe('a driver', () => {
  const driver = { name: 'd', connect: async () => ({}), close: () => {} }
  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'pg'],
    ['one without a name', { ...driver, name: undefined }],
    ['one that cannot connect', { ...driver, connect: 'yes' }],
    ['one that cannot close', { ...driver, close: undefined }],
  ])('is not %s', (_, given) => {
    expect(() => createResourcePool(given as never)).toThrow(/driver/)
  })
})

describe('an abort signal', () => {
  test('that is used twice ends each wait once', async () => {
    const { clock, pool } = world({ max: 1 })
    const lease = await clock.until(pool.acquire())
    const controller = new AbortController()
    const { signal } = controller
    const waits = [fate(pool.acquire({ signal })), fate(pool.acquire({ signal }))]
    controller.abort('enough')
    await clock.advance(0)
    expect(waits.map(({ error }) => error)).toEqual(['enough', 'enough'])
    lease.release()
    expect(pool.stats()).toMatchObject({ idle: 1, waiting: 0 })
  })
})

describe('a reset', () => {
  test('that ends after the pool has given it up is told of no more, good or bad', async () => {
    for (const error of [undefined, new FakeError('fatal', 'too late')]) {
      const { clock, pool, server, told } = world({ max: 1, resetTimeoutMs: 20 })
      const lease = await clock.until(pool.acquire())
      await clock.until(lease.connection.query('begin'))
      server.next('reset', { latencyMs: 50, ...(error && { error }) })
      server.always('close', { latencyMs: 100 })
      lease.release()
      await clock.advance(500)
      expect(told().filter((event) => event.startsWith('reset') || event === 'error')).toEqual([])
      expect(told()).toContain('close dirty')
    }
  })

  test('that fails names its connection', async () => {
    const { clock, pool, server, events } = world({ max: 1 })
    const lease = await clock.until(pool.acquire())
    await clock.until(lease.connection.query('begin'))
    server.next('reset', { error: new FakeError('statement', 'no') })
    lease.release()
    await clock.advance(10)
    expect(events.find(({ event }) => event === 'error')).toMatchObject({ id: 1, error: { message: 'no' } })
  })
})

describe('a leak', () => {
  test('that somebody hears of is no warning of the process', async ({ onTestFinished }: TestContext) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const { clock, pool } = world({ leakThresholdMs: 10 })
    await clock.until(pool.acquire())
    await clock.advance(10)
    expect(warn).not.toHaveBeenCalled()
    expect(pool.stats().leaked).toBe(1)
  })

  test('is looked for after a resize too: what was taken before has no stack to show', async ({
    onTestFinished,
  }: TestContext) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const { clock, pool, listeners, events } = world()
    await clock.until(pool.acquire())
    pool.resize({ leakThresholdMs: 10 })
    await clock.advance(10)
    const [leak] = events.filter(({ event }) => event === 'leak')
    expect(leak).toEqual({ event: 'leak', pool: 'p', id: 1, ms: 10 })
    pool.off('leak', listeners.leak)
    await clock.until(pool.acquire())
    await clock.advance(10)
    expect(warn).toHaveBeenCalledTimes(1)
    expect(String(warn.mock.calls[0]?.[0])).toMatch(/out for 10 ms; it was taken\n\s+at /)
  })
})

describe('who waits for a place beside others', () => {
  test('gets it as soon as there is one, not only when the connection comes back', async () => {
    const { clock, pool, server } = sqlWorld({ max: 1 }, { server: { latencyMs: 1 } })
    await clock.until(pool.query('select 1'))
    const answers = Array.from({ length: 100 }, () => fate(pool.query('select 1')))
    expect(pool.stats()).toMatchObject({ leased: 1, waiting: 68 })
    await clock.advance(10)
    expect(answers.filter(({ state }) => state === 'resolved')).toHaveLength(100)
    expect(server.peak).toBe(1)
  })
})

describe('a connect', () => {
  test('whose connection dies while onConnect runs has failed by that, and its place is free', async () => {
    const { clock, pool, server, events } = world({
      max: 1,
      onConnect: (connection) =>
        new Promise((resolve) => {
          server.kill(connection)
          clock.after(5, resolve)
        }),
    })
    fate(pool.acquire({ timeoutMs: 12 }))
    await clock.advance(12)
    const errors = events.filter(({ event }) => event === 'error')
    expect(errors[0]).toMatchObject({ id: 1, error: { code: 'KILLED' } })
    expect(pool.stats()).toMatchObject({ created: 0 })
  })
})

describe('a connection that dies while its listeners are told that its lease ends', () => {
  for (const end of ['release', 'destroy', 'detach'] as const) {
    test(`by ${end}: it is lost, once`, async () => {
      const { clock, pool, told } = world({ max: 1 })
      const lease = await clock.until(pool.acquire())
      const { connection } = lease
      pool.once('release', () => connection.onLost?.(new Error('died')))
      lease[end]()
      await clock.advance(10)
      expect(told().filter((event) => event === 'release')).toHaveLength(1)
      expect(pool.stats()).toMatchObject({ total: 0, useTime: { count: 1 } })
      expect(await clock.until(pool.use(() => 'served'))).toBe('served')
    })
  }
})

test('a connection that dies twice, or while the pool takes it back, is lost once', async () => {
  for (const takesBack of [false, true]) {
    const { clock, pool, told } = world({ max: 1 })
    const { connection } = await clock.until(pool.acquire())
    const dies = () => connection.onLost?.(new Error('died'))
    pool.on('release', dies)
    const closed = takesBack ? pool.close({ drainTimeoutMs: 10 }) : undefined
    if (takesBack) await clock.until(closed as Promise<unknown>)
    else dies()
    await clock.advance(10)
    expect(told()).toEqual(['connect', 'acquire', 'release', 'close lost'])
    expect(pool.stats().total).toBe(0)
  }
})

test('a driver that cannot hold the process or let it go costs no connection', async () => {
  const { clock, pool, driver } = world({ max: 1, exitWhenIdle: true })
  const fails = () => {
    throw new Error('the socket is gone')
  }
  Object.assign(driver, { ref: fails, unref: fails })
  for (let n = 0; n < 2; n++) expect(await clock.until(pool.use(() => n))).toBe(n)
  expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 })
})

test('a driver that gives anything but no for dirty has a dirty connection', async () => {
  for (const says of [1, Promise.resolve(false), 'in transaction']) {
    const { clock, pool, driver, asked } = world({ max: 1 })
    driver.isDirty = () => says as never
    await clock.until(pool.use(() => {}))
    await clock.advance(10)
    expect(asked('reset')).toEqual(['reset'])
    expect(pool.stats().closed.dirty).toBe(1)
  }
})
