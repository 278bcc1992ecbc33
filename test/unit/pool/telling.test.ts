import { describe, expect, type TestContext, test, vi } from 'vitest'
import { AcquireTimeoutError, ConnectError, OverloadError } from '../../../src/contract/errors.ts'
import { classify } from '../../../src/pool/classify.ts'
import { FakeError } from '../../../src/testing/fake-error.ts'
import { fate, world } from '../../support/world.ts'

/** What is written to the terminal, if it is one. */
function terminal({ onTestFinished }: TestContext, { isTTY }: { isTTY: boolean }) {
  const lines: string[] = []
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    lines.push(String(line))
    return true
  })
  const was = process.stderr.isTTY
  process.stderr.isTTY = isTTY
  onTestFinished(() => {
    process.stderr.isTTY = was
    write.mockRestore()
  })
  return lines
}

/** A pool whose server is not there, and to which nobody listens. */
function unheard() {
  const scene = world({ name: 'orders', max: 1 })
  scene.pool.off('error', scene.listeners.error)
  scene.server.down()
  return scene
}

describe('a pool that cannot connect yet', () => {
  test('says so once, on a terminal, where nobody listens', async (context) => {
    const lines = terminal(context, { isTTY: true })
    const { clock, pool } = unheard()
    fate(pool.acquire({ timeoutMs: 500 }))
    await clock.advance(1_000)
    expect(pool.stats().connectFailed).toBeGreaterThan(2)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^rockpool: pool "orders" cannot connect yet: .+\n$/)
  })

  test('says nothing where it was connected before, somebody listens, or nobody looks', async (context) => {
    const lines = terminal(context, { isTTY: true })
    const before = unheard()
    before.server.up()
    ;(await before.clock.until(before.pool.acquire())).destroy()
    before.server.down()
    fate(before.pool.acquire({ timeoutMs: 50 }))
    await before.clock.advance(100)
    const heard = unheard()
    heard.pool.on('error', () => {})
    fate(heard.pool.acquire({ timeoutMs: 50 }))
    await heard.clock.advance(100)
    process.stderr.isTTY = false
    const unseen = unheard()
    fate(unseen.pool.acquire({ timeoutMs: 50 }))
    await unseen.clock.advance(100)
    expect(lines).toEqual([])
  })
})

describe('what is told', () => {
  test('of a connect that close has ended is nothing: no failure, no connection', async () => {
    const { clock, pool, events } = world({}, { server: { latencyMs: 50 } })
    fate(pool.acquire())
    await clock.advance(10)
    await clock.until(pool.close())
    const { connectFailed, created, closed } = pool.stats()
    expect([connectFailed, created, closed.close]).toEqual([0, 0, 0])
    expect(events).toEqual([])
  })

  test('of a connect that fails is the error, and no close of what never was', async () => {
    const { clock, pool, server, events } = world({ max: 1 })
    server.next('connect', { error: new FakeError('fatal', 'no') })
    ;(await clock.until(pool.acquire())).release()
    expect(events.map(({ event, id }) => `${event} ${id}`)).toEqual([
      'error 1',
      'connect 2',
      'acquire 2',
      'release 2',
    ])
  })

  test('of waiting and connecting is how long it took, at any time of the pool’s life', async () => {
    const { clock, pool } = world({ max: 1 }, { server: { latencyMs: 40 } })
    await clock.advance(5_000)
    const lease = await clock.until(pool.acquire())
    const next = pool.acquire()
    await clock.advance(25)
    lease.release()
    ;(await clock.until(next)).release()
    const { waitTime, useTime, connectTime } = pool.stats()
    expect([waitTime.maxMs, useTime.maxMs, connectTime.maxMs]).toEqual([40, 25, 40])
  })

  test('of a hook that fails is its connection, and nothing when the pool has closed meanwhile', async () => {
    const { clock, pool, server, events } = world({
      max: 1,
      onAcquire: async (connection) => void (await connection.query('prepare')),
    })
    server.answer('prepare', new FakeError('statement', 'no'))
    fate(pool.acquire({ timeoutMs: 10 }))
    await clock.advance(5)
    expect(events.find(({ event }) => event === 'error')).toMatchObject({ id: 1, error: { message: 'no' } })
    const late = world({
      max: 1,
      onAcquire: () => new Promise((_, reject) => late.clock.after(30, () => reject(new Error('late')))),
    })
    fate(late.pool.acquire())
    await late.clock.advance(5)
    fate(late.pool.close())
    await late.clock.advance(100)
    expect(late.events.filter(({ event }) => event === 'error')).toEqual([])
  })

  test('of a close that fails is its connection', async () => {
    const { clock, pool, server, events } = world()
    server.always('close', { error: new FakeError('fatal', 'no close') })
    ;(await clock.until(pool.acquire())).destroy()
    await clock.advance(0)
    expect(events.find(({ event }) => event === 'error')).toMatchObject({ id: 1 })
  })

  test('of a detached connection is its number', async () => {
    const { clock, pool, events } = world()
    ;(await clock.until(pool.acquire())).detach()
    expect(events.find(({ event }) => event === 'detach')).toMatchObject({ id: 1, pool: 'p' })
  })

  test('of a leak is how long it has been, since when it was lent', async () => {
    const { clock, pool, events } = world({ leakThresholdMs: 100 })
    await clock.advance(1_000)
    await clock.until(pool.acquire())
    await clock.advance(100)
    expect(events.find(({ event }) => event === 'leak')).toMatchObject({ id: 1, ms: 100 })
  })
})

describe('the picture that a refused caller gets', () => {
  test('tells of the oldest lease, and only of what is lent', async () => {
    const { clock, pool, errorOf } = world({ max: 3 })
    const [first] = await clock.until(Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]))
    await clock.advance(300)
    first?.release()
    await clock.until(pool.acquire())
    await clock.advance(50)
    const error = (await errorOf(pool.acquire({ timeoutMs: 100 }))) as AcquireTimeoutError
    expect(error.snapshot.oldestLeaseMs).toBe(450)
    expect(error.waitedMs).toBe(100)
    expect('oldestLeaseStack' in error.snapshot).toBe(false)
  })

  test('is one for all whose time is up in one moment', async () => {
    const { clock, pool } = world({ max: 1 })
    await clock.until(pool.acquire())
    const refused = [10, 10, 20].map((timeoutMs) => fate(pool.acquire({ timeoutMs })))
    await clock.advance(20)
    const [one, same, later] = refused.map(({ error }) => (error as AcquireTimeoutError).snapshot)
    expect(one).toBe(same)
    expect(one).not.toBe(later)
    expect(Object.isFrozen(one)).toBe(true)
  })

  test('says in ready whether it was the connect or the suspension', async () => {
    const { clock, pool, server, errorOf } = world({ max: 1 })
    server.down()
    expect(await errorOf(pool.ready({ timeoutMs: 50 }))).toMatchObject({ phase: 'connect' })
    pool.suspend()
    expect(await errorOf(pool.ready({ timeoutMs: 50 }))).toMatchObject({ phase: 'suspended' })
    await clock.advance(0)
  })

  test('of somebody who does not wait at all is counted as a timeout', async () => {
    const { clock, pool, errorOf } = world({ max: 1 })
    await clock.until(pool.acquire())
    expect(await errorOf(pool.acquire({ timeoutMs: 0 }))).toBeInstanceOf(AcquireTimeoutError)
    expect(pool.stats().timedOut).toBe(1)
  })
})

describe('a refusal', () => {
  test('for good names the server’s words, or is the pool’s own error', async () => {
    const { clock, pool, server, errorOf } = world({ max: 1 })
    server.always('connect', { error: new FakeError('permanent', 'wrong password') })
    const error = await errorOf(pool.acquire())
    expect(error).toBeInstanceOf(ConnectError)
    expect((error as Error).message).toMatch('wrong password')
    expect(await errorOf(pool.ready())).toMatchObject({ code: 'CONNECT_FAILED' })
    await clock.advance(0)
    const own = world({ max: 1 })
    const ours = new ConnectError('p', 'the driver is not installed')
    own.server.always('connect', { error: ours })
    own.driver.classify = () => 'permanent'
    expect(await own.errorOf(own.pool.acquire())).toBe(ours)
  })

  test('under overload tells how long one has waited', async () => {
    const { clock, pool } = world({ max: 1, overload: 'shed' })
    await clock.advance(1_000)
    await clock.until(pool.acquire())
    const shed = fate(pool.acquire())
    await clock.advance(200)
    expect(shed.error).toBeInstanceOf(OverloadError)
    expect((shed.error as OverloadError).message).toMatch('after 100 ms; try again in 100 ms')
  })
})

describe('what an error means', () => {
  test('is the driver’s to say, and nobody’s when it cannot', () => {
    const driver = { name: 'd', connect: async () => ({}), close: () => {} }
    expect(classify(driver, 'x', 'connect')).toBeUndefined()
    expect(classify({ ...driver, classify: () => 'fatal' as const }, 'x', 'connect')).toBe('fatal')
    const fails = () => {
      throw new Error('no idea')
    }
    expect(classify({ ...driver, classify: fails }, 'x', 'connect')).toBeUndefined()
  })
})

describe('a suspended pool', () => {
  test('that is closed cannot be suspended or resumed any more', async () => {
    const { clock, pool } = world({ max: 1 })
    const lease = await clock.until(pool.acquire())
    const closed = fate(pool.close())
    pool.suspend()
    pool.resume()
    lease.release()
    await clock.advance(0)
    expect(closed.state).toBe('resolved')
    expect(pool.stats().total).toBe(0)
  })
})
