import { expect, test } from 'vitest'
import {
  AggregateError as DestroyErrors,
  type FactoryOptions,
  Pool,
  sequelizePool,
  TimeoutError,
} from '../../../src/compat/sequelize-pool/index.ts'
import { AcquireTimeoutError, InvalidOptionError } from '../../../src/contract/errors.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { failureOf } from '../failure.ts'

interface Thing {
  id: number
}

function poolWorld(options: Partial<FactoryOptions<Thing>> = {}) {
  const clock = new VirtualClock()
  const log = { created: 0, destroyed: [] as number[], written: [] as string[] }
  const pool = new Pool<Thing>({
    name: 'things',
    create: async () => ({ id: ++log.created }),
    destroy: (thing) => void log.destroyed.push(thing.id),
    validate: () => true,
    min: 0,
    max: 2,
    log: (message, level) => log.written.push(`${level}: ${message}`),
    ...options,
    rockpool: { clock },
  })
  const acquire = () => clock.until(pool.acquire())
  const errorOf = (promise: Promise<unknown>) => failureOf(clock, promise)
  return { clock, log, pool, acquire, errorOf }
}

const gauges = <T>({ size, available, using, waiting }: Pool<T>) => ({ size, available, using, waiting })

test('what was given back is lent again, the last one first', async () => {
  const { pool, acquire, log } = poolWorld()
  const [a, b] = [await acquire(), await acquire()]
  pool.release(a)
  pool.release(b)
  expect(await acquire()).toBe(b)
  expect(gauges(pool)).toEqual({ size: 2, available: 1, using: 1, waiting: 0 })
  expect([pool.name, pool.minSize, pool.maxSize, log.created]).toEqual(['things', 0, 2, 2])
})

test('nothing is made before somebody asks, then min is kept', async () => {
  const { pool, acquire, clock, log } = poolWorld({ min: 2, max: 4 })
  await clock.advance(1_000)
  expect(log.created).toBe(0)
  pool.release(await acquire())
  await clock.advance(60_000)
  expect(pool.available).toBe(2)
})

test('a TimeoutError says what the pool looked like', async () => {
  const { acquire, pool, errorOf } = poolWorld({ max: 1, acquireTimeoutMillis: 50 })
  await acquire()
  const error = await errorOf(pool.acquire())
  expect(error).toBeInstanceOf(TimeoutError)
  expect(error.message).toMatch(/^Pool acquire operation timeout: .*1 leased/)
  expect(error.cause).toBeInstanceOf(AcquireTimeoutError)
})

test('a failed create fails those who wait, at once, and the next one can succeed', async () => {
  let attempts = 0
  const { pool, acquire, errorOf } = poolWorld({
    create: async () => {
      if (++attempts <= 1) throw new Error('create failed')
      return { id: attempts }
    },
  })
  const errors = await Promise.all([errorOf(pool.acquire()), errorOf(pool.acquire())])
  expect(errors.map(({ message }) => message)).toEqual(['create failed', 'create failed'])
  expect((await acquire()).id).toBeGreaterThan(1)
})

test('a create that hangs gives its place back', async () => {
  let attempts = 0
  const { pool, acquire, clock, errorOf } = poolWorld({
    max: 1,
    acquireTimeoutMillis: 100,
    create: () => (++attempts === 1 ? new Promise(() => {}) : Promise.resolve({ id: attempts })),
  })
  expect(await errorOf(pool.acquire())).toBeInstanceOf(TimeoutError)
  await clock.advance(60_000)
  expect((await acquire()).id).toBe(2)
})

test('only used resources are validated; the bad ones are destroyed and the caller keeps its place', async () => {
  const { pool, acquire, log } = poolWorld({ validate: (thing) => thing.id !== 1 })
  const [a, b] = [await acquire(), await acquire()]
  expect(a.id).toBe(1)
  pool.release(b)
  pool.release(a)
  expect(await acquire()).toBe(b)
  expect(log.destroyed).toEqual([1])
})

test('a validate that throws harms nobody: the caller gets another, and release does not throw', async () => {
  const { pool, acquire, clock, log } = poolWorld({
    max: 1,
    validate: () => {
      throw new Error('validate failed')
    },
  })
  const only = await acquire()
  const next = pool.acquire()
  pool.release(only)
  expect((await clock.until(next)).id).toBe(2)
  expect(log.destroyed).toEqual([1])
})

test('maxUses ends a resource when it comes back', async () => {
  const { pool, acquire, log } = poolWorld({ max: 1, maxUses: 2 })
  pool.release(await acquire())
  pool.release(await acquire())
  expect(log.destroyed).toEqual([1])
  expect((await acquire()).id).toBe(2)
})

test('destroy of a lent resource waits for the factory, and tells its failure', async () => {
  const { pool, acquire, errorOf } = poolWorld({
    destroy: async () => {
      throw new Error('destroy failed')
    },
  })
  const thing = await acquire()
  expect((await errorOf(pool.destroy(thing))).message).toBe('destroy failed')
  await pool.destroy(thing)
  expect(pool.size).toBe(0)
})

test('destroy of an idle resource ends it: drivers call that when one dies', async () => {
  const { pool, acquire, log } = poolWorld()
  const thing = await acquire()
  pool.release(thing)
  await pool.destroy(thing)
  expect([log.destroyed, gauges(pool)]).toEqual([[1], { size: 0, available: 0, using: 0, waiting: 0 }])
})

test('destroys that fail in the background are logged, and crash nothing', async () => {
  const { pool, acquire, clock, log } = poolWorld({
    idleTimeoutMillis: 100,
    destroy: async () => {
      throw new Error('destroy failed')
    },
  })
  pool.release(await acquire())
  await clock.advance(1_000)
  expect(log.written.filter((line) => line.startsWith('error'))).toHaveLength(1)
  expect(pool.size).toBe(0)
})

test('release of what is not lent is logged, and does nothing', async () => {
  const { pool, acquire, log } = poolWorld()
  const thing = await acquire()
  pool.release({ id: 1 })
  expect(pool.using).toBe(1)
  pool.release(thing)
  pool.release(thing)
  expect(pool.available).toBe(1)
  expect(log.written.filter((line) => line.startsWith('error'))).toHaveLength(2)
})

test('drain serves who waits, refuses who comes, and waits for what is lent', async () => {
  const { pool, acquire, clock, errorOf } = poolWorld({ max: 1 })
  const first = await acquire()
  const second = pool.acquire()
  const draining = pool.drain()
  expect((await errorOf(pool.acquire())).message).toBe('pool is draining and cannot accept work')
  pool.release(first)
  pool.release(await clock.until(second))
  await clock.until(draining)
  await clock.until(pool.destroyAllNow())
  expect([pool.size, pool.pool.closed]).toEqual([0, true])
})

test('drain ends although something is never given back', async () => {
  const { pool, acquire, clock, log } = poolWorld({ drainTimeoutMillis: 1_000 })
  await acquire()
  await clock.until(pool.drain())
  expect([clock.now(), log.destroyed]).toEqual([1_000, [1]])
})

test('destroyAllNow tells of all failures in one AggregateError', async () => {
  const { pool, clock, errorOf } = poolWorld({
    destroy: () => {
      throw new Error('destroy failed')
    },
  })
  for (const thing of await clock.until(Promise.all([pool.acquire(), pool.acquire()]))) pool.release(thing)
  const error = await errorOf(pool.destroyAllNow())
  expect(error).toBeInstanceOf(DestroyErrors)
  expect([error.name, (error as DestroyErrors).errors.length]).toEqual(['AggregateError', 2])
  expect(String(error)).toBe('AggregateError of:\n  Error: destroy failed\n  Error: destroy failed\n')
})

test('destroyAllNow leaves what is lent alone, and the pool goes on', async () => {
  const { pool, acquire, clock, log } = poolWorld()
  const [a, b] = [await acquire(), await acquire()]
  pool.release(a)
  await clock.until(pool.destroyAllNow())
  expect([log.destroyed, gauges(pool)]).toEqual([[1], { size: 1, available: 0, using: 1, waiting: 0 }])
  pool.release(b)
  expect(await acquire()).toBe(b)
})

test.each([
  [{ create: undefined }, 'create'],
  [{ destroy: undefined }, 'destroy'],
  [{ validate: undefined }, 'validate'],
  [{ min: -1 }, 'min'],
  [{ max: 0 }, 'max'],
  [{ min: 3, max: 2 }, 'min'],
  [{ maxUses: -1 }, 'maxUses'],
])('refuses %o', (wrong, option) => {
  const options = { create: () => ({}), destroy() {}, validate: () => true, min: 0, max: 1, ...wrong }
  expect(() => new Pool(options as never)).toThrow(InvalidOptionError)
  expect(() => new Pool(options as never)).toThrow(option)
})

test('around an existing pool, it lets go of it, and closes it only when it is said to own it', async () => {
  const made = () =>
    createResourcePool<Thing>({ name: 'things', connect: async () => ({ id: 1 }), close() {} }, {})
  const shared = made()
  const shape = sequelizePool(shared)
  const lent = await shape.acquire()
  shape.release(lent)
  await shape.drain()
  await shape.destroyAllNow()
  expect([shared.closed, shared.stats().idle]).toEqual([false, 1])
  await expect(shape.acquire()).rejects.toThrow('draining')
  await shared.close()
  const owned = made()
  const owner = sequelizePool(owned, { ownsPool: true })
  await owner.drain()
  await owner.destroyAllNow()
  expect(owned.closed).toBe(true)
})
