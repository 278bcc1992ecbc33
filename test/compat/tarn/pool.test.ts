import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { Pool, type PoolOptions, TimeoutError, tarnPool } from '../../../src/compat/tarn/index.ts'
import { AcquireTimeoutError, InvalidOptionError } from '../../../src/contract/errors.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { failureOf } from '../failure.ts'

interface Thing {
  id: number
}

function tarnWorld(options: Partial<PoolOptions<Thing>> = {}) {
  const clock = new VirtualClock()
  const log = { created: 0, destroyed: [] as number[], warnings: [] as string[] }
  const pool = new Pool<Thing>({
    create: async () => ({ id: ++log.created }),
    destroy: (thing) => log.destroyed.push(thing.id),
    min: 0,
    max: 2,
    log: (message) => log.warnings.push(message),
    ...options,
    rockpool: { clock },
  })
  const acquire = () => clock.until(pool.acquire().promise)
  const errorOf = (promise: Promise<unknown>) => failureOf(clock, promise)
  return { clock, log, pool, acquire, errorOf }
}

const never = () => new Promise<never>(() => {})

test('what was given back is lent again, the last one first', async () => {
  const { pool, acquire, log } = tarnWorld()
  const [a, b] = [await acquire(), await acquire()]
  pool.release(a)
  pool.release(b)
  expect(await acquire()).toBe(b)
  expect([pool.numUsed(), pool.numFree(), log.created]).toEqual([1, 1, 2])
})

test('nothing is made before somebody asks, then min is kept', async () => {
  const { pool, acquire, clock, log } = tarnWorld({ min: 2, max: 4 })
  await clock.advance(1_000)
  expect(log.created).toBe(0)
  pool.release(await acquire())
  await clock.advance(60_000)
  expect(pool.numFree()).toBe(2)
})

test('who finds no server does not go on looking for it', async () => {
  const { pool, clock, errorOf, log } = tarnWorld({
    min: 2,
    acquireTimeoutMillis: 100,
    create: async () => {
      log.created++
      throw new Error('no server')
    },
  })
  await errorOf(pool.acquire().promise)
  await clock.advance(1_000)
  const tried = log.created
  await clock.advance(60_000)
  expect(log.created).toBe(tried)
})

test('a TimeoutError says what the pool looked like', async () => {
  const { pool, acquire, errorOf } = tarnWorld({ max: 1, acquireTimeoutMillis: 50 })
  await acquire()
  const error = await errorOf(pool.acquire().promise)
  expect(error).toBeInstanceOf(TimeoutError)
  expect(error.message).toMatch(/1 leased/)
  expect(error.cause).toBeInstanceOf(AcquireTimeoutError)
})

test('a TimeoutError has the message of the failed create, and its error at the end of the causes', async () => {
  const refused = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' })
  const { pool, errorOf } = tarnWorld({ acquireTimeoutMillis: 50, create: () => Promise.reject(refused) })
  const error = await errorOf(pool.acquire().promise)
  expect(error).toBeInstanceOf(TimeoutError)
  expect(error.message).toBe('connection refused')
  expect((error.cause as Error).cause).toBe(refused)
})

test('propagateCreateError fails all who wait when nothing is open', async () => {
  const { pool, errorOf } = tarnWorld({
    propagateCreateError: true,
    create: () => Promise.reject(new Error('no server')),
  })
  const waiting = [pool.acquire(), pool.acquire(), pool.acquire()]
  const errors = await Promise.all(waiting.map(({ promise }) => errorOf(promise)))
  expect(errors.map(String)).toEqual(['Error: no server', 'Error: no server', 'Error: no server'])
  expect(waiting.every(({ isRejected }) => isRejected)).toBe(true)
})

test('propagateCreateError fails the first who waits while others have resources', async () => {
  let attempts = 0
  const { pool, acquire, errorOf } = tarnWorld({
    propagateCreateError: true,
    createRetryIntervalMillis: 1_000,
    create: async () => {
      if (++attempts > 1) throw new Error('no more')
      return { id: attempts }
    },
  })
  const only = await acquire()
  const [first, second] = [pool.acquire(), pool.acquire()]
  expect((await errorOf(first.promise)).message).toBe('no more')
  pool.release(only)
  expect(await second.promise).toBe(only)
})

test('createRetryIntervalMillis is the least time between failed creates', async () => {
  const at: number[] = []
  const { pool, clock, errorOf } = tarnWorld({
    acquireTimeoutMillis: 2_000,
    createRetryIntervalMillis: 500,
    create: async () => {
      at.push(clock.now())
      throw new Error('no')
    },
  })
  await errorOf(pool.acquire().promise)
  expect(at.length).toBeGreaterThan(2)
  for (let n = 1; n < at.length; n++)
    expect((at[n] as number) - (at[n - 1] as number)).toBeGreaterThanOrEqual(500)
})

test('abort leaves the queue, and what was being made for it stays in the pool', async () => {
  const { pool, clock, errorOf } = tarnWorld({
    create: (callback) => clock.after(50, () => callback(null, { id: 7 })) && undefined,
  })
  const pending = pool.acquire()
  await clock.advance(10)
  pending.abort()
  expect((await errorOf(pending.promise)).message).toBe('aborted')
  expect(pool.numPendingAcquires()).toBe(0)
  await clock.advance(100)
  expect([pool.numUsed(), pool.numFree()]).toEqual([0, 1])
})

test('resolve gives the caller something else, and leaves the queue', async () => {
  const { pool, acquire } = tarnWorld({ max: 1 })
  await acquire()
  const pending = pool.acquire()
  pending.resolve({ id: 99 })
  expect(await pending.promise).toEqual({ id: 99 })
  expect(pool.numPendingAcquires()).toBe(0)
})

test('abort at once gives back what was idle', async () => {
  const { pool, acquire, errorOf } = tarnWorld()
  pool.release(await acquire())
  const pending = pool.acquire()
  pending.abort()
  expect((await errorOf(pending.promise)).message).toBe('aborted')
  expect([pool.numUsed(), pool.numFree()]).toEqual([0, 1])
})

test('release says whether it knew the resource; a second one does no harm', async () => {
  const { pool, acquire } = tarnWorld({ max: 1 })
  const a = await acquire()
  expect(pool.release({ id: 1 })).toBe(false)
  expect(pool.release(a)).toBe(true)
  expect(pool.release(a)).toBe(false)
  expect(pool.numFree()).toBe(1)
})

test('resources need not differ', async () => {
  const clock = new VirtualClock()
  const pool = new Pool({ create: () => 'token', destroy() {}, min: 0, max: 2, rockpool: { clock } })
  const take = () => clock.until(pool.acquire().promise)
  expect([await take(), await take()]).toEqual(['token', 'token'])
  expect([pool.release('token'), pool.release('token'), pool.release('token')]).toEqual([true, true, false])
  expect(pool.numFree()).toBe(2)
})

test('a resource that fails its validation is destroyed, and the caller gets another', async () => {
  const { pool, acquire, log } = tarnWorld({ validate: (thing) => thing.id !== 1 || log.created === 1 })
  const [a, b] = [await acquire(), await acquire()]
  pool.release(b)
  pool.release(a)
  expect(await acquire()).toBe(b)
  expect(log.destroyed).toEqual([1])
})

test('a validation that throws or rejects is a no, and is logged', async () => {
  let calls = 0
  const { acquire, log } = tarnWorld({
    validate: () => {
      if (++calls === 1) throw new Error('thrown')
      return calls === 2 ? Promise.reject(new Error('rejected')) : true
    },
  })
  expect(await acquire()).toEqual({ id: 3 })
  expect(log.destroyed).toEqual([1, 2])
  expect(log.warnings.map((warning) => /thrown|rejected/.exec(warning)?.[0])).toEqual(['thrown', 'rejected'])
})

test('whoever finds a dead resource keeps its place before those who came later', async () => {
  const { pool, clock, acquire } = tarnWorld({ max: 1, validate: (thing) => thing.id !== 1 || !spoilt })
  let spoilt = false
  const served: string[] = []
  const only = await acquire()
  const first = pool
    .acquire()
    .promise.then((thing) => served.push(`first ${thing.id}`) && pool.release(thing))
  const second = pool.acquire().promise.then((thing) => served.push(`second ${thing.id}`))
  spoilt = true
  pool.release(only)
  await clock.until(Promise.all([first, second]))
  expect(served).toEqual(['first 2', 'second 2'])
})

test('a validation that hangs ends with the time of the acquire, and costs the resource, not its place', async () => {
  const { pool, errorOf, log } = tarnWorld({ max: 1, acquireTimeoutMillis: 100, validate: never })
  expect(await errorOf(pool.acquire().promise)).toBeInstanceOf(TimeoutError)
  expect(log.destroyed).toEqual([1])
  expect(pool.numUsed()).toBe(0)
})

test('a validation under way can be aborted', async () => {
  const { pool, clock, errorOf } = tarnWorld({ max: 1, validate: never })
  const pending = pool.acquire()
  await clock.advance(10)
  expect([pool.numPendingValidations(), pool.numUsed()]).toEqual([1, 0])
  pending.abort()
  expect((await errorOf(pending.promise)).message).toBe('aborted')
  expect(pool.numPendingValidations()).toBe(0)
})

test('resources that all are bad do not keep the loop from everything else', async () => {
  const { pool, errorOf } = tarnWorld({ acquireTimeoutMillis: 50, validate: () => false })
  expect(await errorOf(pool.acquire().promise)).toBeInstanceOf(TimeoutError)
})

test('max counts what is being destroyed', async () => {
  let existing = 0
  let most = 0
  const { pool, clock } = tarnWorld({
    max: 2,
    create: async () => {
      most = Math.max(most, ++existing)
      return { id: existing }
    },
    destroy: () => new Promise<void>((resolve) => void clock.after(50, () => resolve(void existing--))),
    validate: () => Math.floor(clock.now() / 10) % 2 === 1,
    acquireTimeoutMillis: 1_000,
  })
  const use = async () => pool.release(await pool.acquire().promise)
  await clock.until(Promise.all(Array.from({ length: 6 }, use)))
  expect(most).toBe(2)
})

test('a create that comes after its time is destroyed, once', async () => {
  const { pool, clock, errorOf, log } = tarnWorld({
    max: 1,
    createTimeoutMillis: 20,
    acquireTimeoutMillis: 30,
    create: (callback) => void clock.after(40, () => callback(null, { id: 9 })),
  })
  expect((await errorOf(pool.acquire().promise)).message).toMatch(/20 ms/)
  await clock.advance(100)
  expect(log.destroyed[0]).toBe(9)
})

test('a destroy that fails or never ends is logged, and its place is free again', async () => {
  const { pool, clock, acquire, log } = tarnWorld({
    max: 1,
    destroy: never,
    destroyTimeoutMillis: 100,
    idleTimeoutMillis: 10,
  })
  const failures: unknown[] = []
  pool.on('destroyFail', (_, thing, error) => failures.push([thing.id, error instanceof TimeoutError]))
  pool.release(await acquire())
  await clock.advance(200)
  expect(failures).toEqual([[1, true]])
  expect(log.warnings).toHaveLength(1)
  expect(await acquire()).toEqual({ id: 2 })
})

test('events tell of one operation with one number', async () => {
  const { pool, clock, acquire } = tarnWorld()
  const told: unknown[] = []
  for (const event of [
    'acquireRequest',
    'createRequest',
    'createSuccess',
    'startReaping',
    'acquireSuccess',
    'poolDestroyRequest',
    'destroyRequest',
    'destroySuccess',
    'stopReaping',
    'poolDestroySuccess',
  ] as const) {
    pool.on(event, (...facts: unknown[]) => told.push([event, ...facts]))
  }
  pool.on('release', (thing) => told.push(['release', thing]))
  pool.release(await acquire())
  await clock.until(pool.destroy())
  const thing = { id: 1 }
  expect(told).toEqual([
    ['acquireRequest', 1],
    ['createRequest', 2],
    ['createSuccess', 2, thing],
    ['startReaping'],
    ['acquireSuccess', 1, thing],
    ['release', thing],
    ['poolDestroyRequest', 3],
    ['stopReaping'],
    ['destroyRequest', 4, thing],
    ['destroySuccess', 4, thing],
    ['poolDestroySuccess', 3],
  ])
})

test('listeners are taken away, by event or all of them, and with the pool', async () => {
  const { pool, acquire } = tarnWorld()
  const told: string[] = []
  const listen = () => {
    pool.on('acquireSuccess', () => told.push('acquire'))
    pool.on('release', () => told.push('release'))
    pool.on('poolDestroySuccess', () => told.push('destroyed'))
  }
  const borrow = async () => pool.release(await acquire())
  listen()
  pool.removeAllListeners('release')
  await borrow()
  expect(told.splice(0)).toEqual(['acquire'])
  pool.removeAllListeners()
  await borrow()
  expect(told).toEqual([])
  listen()
  await pool.destroy()
  pool.release({ id: 1 })
  expect(told).toEqual(['destroyed'])
})

test('a listener that throws is logged and keeps nobody from being told', async () => {
  const { pool, acquire, log } = tarnWorld()
  let told = 0
  const broken = () => {
    throw new Error('broken listener')
  }
  pool.on('acquireRequest', broken)
  pool.on('acquireRequest', () => told++)
  await acquire()
  expect([told, log.warnings.length]).toEqual([1, 1])
  pool.removeListener('acquireRequest', broken)
  await acquire()
  expect([told, log.warnings.length]).toEqual([2, 1])
})

test('destroy turns away who waits at once, and waits for what is in use', async () => {
  const { pool, clock, acquire, errorOf, log } = tarnWorld({ max: 1 })
  const used = await acquire()
  const waiting = errorOf(pool.acquire().promise)
  const done = pool.destroy()
  expect((await waiting).message).toBe('aborted')
  await clock.advance(5_000)
  expect(log.destroyed).toEqual([])
  pool.release(used)
  expect((await clock.until(done)).isFulfilled()).toBe(true)
  expect(log.destroyed).toEqual([1])
  expect((await errorOf(pool.acquire().promise)).message).toBe('aborted')
})

test('destroy ends although something is never given back', async () => {
  const { pool, clock, acquire, log } = tarnWorld({ drainTimeoutMillis: 1_000 })
  await acquire()
  await clock.until(pool.destroy())
  expect([clock.now(), log.destroyed, pool.isEmpty()]).toEqual([1_000, [1], true])
})

test('a resource that dies while it is lent frees its place', async () => {
  const { pool, acquire } = tarnWorld({
    max: 1,
    create: async () => Object.assign(new EventEmitter(), { id: 1 }),
    onLost: (thing, lost) => (thing as unknown as EventEmitter).once('close', lost),
  })
  const dead = await acquire()
  ;(dead as unknown as EventEmitter).emit('close')
  const next = await acquire()
  expect(next).not.toBe(dead)
  expect(pool.release(dead)).toBe(true)
  expect(pool.numUsed()).toBe(1)
})

test.each([
  [{ create: undefined }, 'create'],
  [{ destroy: 1 }, 'destroy'],
  [{ min: '0' }, 'min'],
  [{ max: 0 }, 'max'],
  [{ min: 3, max: 2 }, 'min'],
  [{ acquireTimeoutMillis: 0 }, 'acquireTimeoutMillis'],
  [{ reapIntervalMillis: '1' }, 'reapIntervalMillis'],
  [{ acquireTimeout: 1 }, 'acquireTimeout'],
])('refuses %o', (wrong, option) => {
  const options = { create: () => ({}), destroy() {}, min: 0, max: 1, ...wrong }
  expect(() => new Pool(options as never)).toThrow(InvalidOptionError)
  expect(() => new Pool(options as never)).toThrow(option)
})

test('around an existing pool, destroy lets go of it, and closes it only when it is said to own it', async () => {
  const clock = new VirtualClock()
  const made = () =>
    createResourcePool<Thing>({ name: 'things', connect: async () => ({ id: 1 }), close() {} }, { clock })
  const shared = made()
  const shape = tarnPool(shared)
  const lent = await clock.until(shape.acquire().promise)
  expect(shape.numUsed()).toBe(1)
  await clock.until(shape.destroy())
  expect([shape.destroyed, shared.closed, shape.release(lent)]).toEqual([true, false, true])
  await expect(shape.acquire().promise).rejects.toThrow('aborted')
  const owned = made()
  await clock.until(tarnPool(owned, { ownsPool: true }).destroy())
  expect(owned.closed).toBe(true)
})
