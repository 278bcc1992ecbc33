import { expect, test } from 'vitest'
import {
  createPool,
  DefaultEvictor,
  Deque,
  type Factory,
  genericPool,
  type Options,
  Pool,
  PriorityQueue,
} from '../../../src/compat/generic-pool/index.ts'
import { AcquireTimeoutError, InvalidOptionError, QueueFullError } from '../../../src/contract/errors.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { failureOf } from '../failure.ts'

interface Thing {
  id: number
}

function poolWorld(options: Options = {}, factory: Partial<Factory<Thing>> = {}) {
  const clock = new VirtualClock()
  const log = { created: 0, destroyed: [] as number[], errors: [] as string[] }
  const whole: Factory<Thing> = {
    create: async () => ({ id: ++log.created }),
    destroy: async (thing) => void log.destroyed.push(thing.id),
    ...factory,
  }
  const pool = createPool<Thing>(whole, { max: 2, ...options, rockpool: { clock } })
  pool.on('factoryCreateError', (error) => log.errors.push(`create: ${error.message}`))
  pool.on('factoryDestroyError', (error) => log.errors.push(`destroy: ${error.message}`))
  const acquire = (priority?: number) => clock.until(pool.acquire(priority))
  const errorOf = (promise: Promise<unknown>) => failureOf(clock, promise)
  return { clock, log, pool, acquire, errorOf }
}

const gauges = <T>({ size, available, borrowed, pending }: Pool<T>) => ({
  size,
  available,
  borrowed,
  pending,
})

test('lends the resource that has been idle for longest, or with fifo: false the last one', async () => {
  for (const fifo of [true, false]) {
    const { pool, acquire, clock } = poolWorld({ fifo })
    const [a, b] = [await acquire(), await acquire()]
    pool.release(a)
    await clock.advance(5)
    pool.release(b)
    expect(await acquire()).toBe(fifo ? a : b)
  }
})

test('counts what is there', async () => {
  const { pool, acquire } = poolWorld()
  expect([pool.max, pool.min, pool.spareResourceCapacity]).toEqual([2, 0, 2])
  const a = await acquire()
  expect(pool.isBorrowedResource(a)).toBe(true)
  expect(gauges(pool)).toEqual({ size: 1, available: 0, borrowed: 1, pending: 0 })
  await pool.release(a)
  expect(pool.isBorrowedResource(a)).toBe(false)
  expect(gauges(pool)).toEqual({ size: 1, available: 1, borrowed: 0, pending: 0 })
})

test.each([
  [undefined, [1, 0]],
  [{ min: 5, max: 3 }, [3, 3]],
  [{ min: 'x', max: [] }, [1, 0]],
  [{ min: '1', max: '2' }, [2, 1]],
])('takes max and min as loosely as ever: %o', (options, expected) => {
  const pool = createPool({ create: async () => ({}), destroy: async () => {} }, options as Options)
  expect([pool.max, pool.min]).toEqual(expected)
  return pool.drain().then(() => pool.clear())
})

test('makes min at once, or with autostart: false when it is started or used', async () => {
  const eager = poolWorld({ min: 2 })
  await eager.clock.until(eager.pool.ready())
  expect(eager.pool.available).toBe(2)
  const lazy = poolWorld({ min: 2, autostart: false })
  await lazy.clock.advance(1_000)
  expect(lazy.log.created).toBe(0)
  lazy.pool.start()
  await lazy.clock.until(lazy.pool.ready())
  expect(lazy.pool.available).toBe(2)
})

test('serves lower numbers first, equal ones in order', async () => {
  const { pool, acquire, clock } = poolWorld({ max: 1, priorityRange: 3 })
  const first = await acquire()
  const served: string[] = []
  const ask = (name: string, priority?: number) => pool.use(async () => void served.push(name), priority)
  const all = [ask('2a', 2), ask('1a', 1), ask('0a'), ask('2b', 99), ask('0b', 0), ask('1b', 1)]
  pool.release(first)
  await clock.until(Promise.all(all))
  expect(served).toEqual(['0a', '0b', '1a', '1b', '2a', '2b'])
})

test('a caller that waits too long gets a TimeoutError that says what the pool looked like', async () => {
  const { pool, acquire, errorOf } = poolWorld({ max: 1, acquireTimeoutMillis: 50 })
  await acquire()
  const error = await errorOf(pool.acquire())
  expect(error.name).toBe('TimeoutError')
  expect(error.message).toMatch(/^ResourceRequest timed out: .*1 leased/)
  expect(error.cause).toBeInstanceOf(AcquireTimeoutError)
})

test('refuses callers beyond maxWaitingClients', async () => {
  const { pool, acquire, errorOf } = poolWorld({ max: 1, maxWaitingClients: 1 })
  await acquire()
  pool.acquire().catch(() => {})
  const error = await errorOf(pool.acquire())
  expect(error.message).toBe('max waitingClients count exceeded')
  expect(error.cause).toBeInstanceOf(QueueFullError)
})

test('failed creates are told of, and tried again after a pause', async () => {
  const at: number[] = []
  const world = poolWorld(
    { max: 1 },
    {
      create: async () => {
        at.push(world.clock.now())
        if (at.length < 4) throw new Error('no server')
        return { id: 1 }
      },
    },
  )
  expect(await world.acquire()).toEqual({ id: 1 })
  expect(world.log.errors).toEqual(['create: no server', 'create: no server', 'create: no server'])
  expect(at.at(-1)).toBeGreaterThan(0)
})

test('testOnBorrow destroys what is invalid; a validation that fails is a no and ends nothing else', async () => {
  let calls = 0
  const { acquire, log } = poolWorld(
    { testOnBorrow: true },
    {
      validate: async () => {
        if (++calls === 1) throw new Error('cannot say')
        return calls > 2
      },
    },
  )
  expect(await acquire()).toEqual({ id: 3 })
  expect(log.destroyed).toEqual([1, 2])
})

test('testOnReturn destroys what comes back invalid', async () => {
  const { pool, acquire, clock, log } = poolWorld(
    { testOnReturn: true },
    { validate: async (thing) => thing.id !== 1 },
  )
  const [a, b] = [await acquire(), await acquire()]
  await pool.release(a)
  await pool.release(b)
  await clock.advance(10)
  expect([log.destroyed, pool.available]).toEqual([[1], 1])
})

test('release and destroy of what is not lent reject, and crash nobody who does not look', async () => {
  const { pool, acquire } = poolWorld()
  const a = await acquire()
  pool.release({ id: 1 })
  pool.destroy({ id: 1 })
  await expect(pool.release({ id: 1 })).rejects.toThrow('Resource not currently part of this pool')
  await pool.release(a)
  await expect(pool.release(a)).rejects.toThrow('Resource not currently part of this pool')
  expect(gauges(pool)).toEqual({ size: 1, available: 1, borrowed: 0, pending: 0 })
})

test('destroy makes room for the next caller', async () => {
  const { pool, acquire, clock, log } = poolWorld({ max: 1 })
  const a = await acquire()
  const next = pool.acquire()
  await pool.destroy(a)
  expect(await clock.until(next)).toEqual({ id: 2 })
  expect(log.destroyed).toEqual([1])
})

test('a destroy that fails or hangs is told of, and its place is free again', async () => {
  const failing = poolWorld(
    { max: 1 },
    {
      destroy: async () => {
        throw new Error('cannot close')
      },
    },
  )
  await failing.pool.destroy(await failing.acquire())
  await failing.acquire()
  expect(failing.log.errors).toEqual(['destroy: cannot close'])
  const hanging = poolWorld({ max: 1, destroyTimeoutMillis: 100 }, { destroy: () => new Promise(() => {}) })
  await hanging.pool.destroy(await hanging.acquire())
  await hanging.acquire()
  await hanging.clock.advance(1)
  expect(hanging.log.errors).toEqual(['destroy: destroy timed out'])
})

test('use gives back after success, and destroys after failure, also one that is thrown at once', async () => {
  const { pool, clock, log, errorOf } = poolWorld()
  expect(await clock.until(pool.use(async (thing) => thing.id))).toBe(1)
  expect(await clock.until(pool.use((thing) => thing.id))).toBe(1)
  const thrown = () => {
    throw new Error('thrown at once')
  }
  expect((await errorOf(pool.use(thrown))).message).toBe('thrown at once')
  expect((await errorOf(pool.use(() => Promise.reject(new Error('rejected'))))).message).toBe('rejected')
  expect([log.destroyed, gauges(pool)]).toEqual([[1, 2], { size: 0, available: 0, borrowed: 0, pending: 0 }])
})

test('the evictor ends what is idle, and by default nothing is evicted', async () => {
  const realNow = Date.now
  const { pool, acquire, clock, log } = poolWorld({ evictionRunIntervalMillis: 10, idleTimeoutMillis: 50 })
  Date.now = () => clock.now()
  try {
    await pool.release(await acquire())
    await clock.advance(40)
    expect(log.destroyed).toEqual([])
    await clock.advance(40)
    expect(log.destroyed).toEqual([1])
  } finally {
    Date.now = realNow
  }
  const without = poolWorld({ idleTimeoutMillis: 50 })
  await without.pool.release(await without.acquire())
  await without.clock.advance(3_600_000)
  expect(without.log.destroyed).toEqual([])
})

test('an evictor of its own decides about a few at a time, in turn', async () => {
  const clock = new VirtualClock()
  const seen: number[][] = []
  let run: number[] = []
  class Watcher {
    constructor() {
      run = []
    }
    evict(_: unknown, resource: { obj: Thing }): boolean {
      run.push(resource.obj.id)
      return false
    }
  }
  let id = 0
  const factory = { create: async () => ({ id: ++id }), destroy: async () => {} }
  const options = {
    min: 3,
    max: 3,
    evictionRunIntervalMillis: 10,
    numTestsPerEvictionRun: 2,
    rockpool: { clock },
  }
  const pool = new Pool<Thing>(Watcher, Deque, PriorityQueue, factory, options)
  await clock.until(pool.ready())
  for (let n = 0; n < 3; n++) {
    run = []
    await clock.advance(10)
    seen.push(run)
  }
  expect(seen).toEqual([
    [1, 2],
    [3, 1],
    [2, 3],
  ])
})

test('DefaultEvictor spares min from the soft limit, and nobody from the hard one', () => {
  const evictor = new DefaultEvictor()
  const idleFor = (ms: number) => ({ lastIdleTime: Date.now() - ms })
  const config = { softIdleTimeoutMillis: 100, idleTimeoutMillis: 1_000_000, min: 1 }
  expect(evictor.evict(config, idleFor(5_000), 2)).toBe(true)
  expect(evictor.evict(config, idleFor(5_000), 1)).toBe(false)
  expect(evictor.evict({ ...config, idleTimeoutMillis: 1_000 }, idleFor(5_000), 1)).toBe(true)
})

test('drain serves who waits, refuses who comes, and clear ends it', async () => {
  const { pool, acquire, clock, errorOf, log } = poolWorld({ max: 1, min: 1 })
  const first = await acquire()
  const second = pool.acquire()
  const draining = pool.drain()
  expect((await errorOf(pool.acquire())).message).toBe('pool is draining and cannot accept work')
  pool.release(first)
  pool.release(await clock.until(second))
  await clock.until(draining)
  await clock.until(pool.clear())
  expect([log.destroyed, pool.size, pool.pool.closed]).toEqual([[1], 0, true])
})

test('drain waits for all who wait, whatever their priority', async () => {
  const { pool, acquire, clock } = poolWorld({ max: 1, priorityRange: 2 })
  const first = await acquire()
  const served: string[] = []
  pool.use(async () => void served.push('low'), 1)
  pool.use(async () => void served.push('high'), 0)
  const draining = pool.drain()
  pool.release(first)
  await clock.until(draining)
  expect(served).toEqual(['high', 'low'])
})

test('drain ends although something is never given back', async () => {
  const { pool, acquire, clock, log } = poolWorld({ drainTimeoutMillis: 1_000 })
  await acquire()
  await clock.until(pool.drain())
  await clock.until(pool.clear())
  expect([clock.now(), log.destroyed, pool.pool.closed]).toEqual([1_000, [1], true])
})

test('clear while it runs destroys what is not lent, and min is made again', async () => {
  const { pool, clock, log } = poolWorld({ min: 1 })
  await clock.until(pool.ready())
  await clock.until(pool.clear())
  await clock.until(pool.ready())
  expect([log.destroyed, pool.available]).toEqual([[1], 1])
})

test('gives promises of the kind that was asked for', async () => {
  class Counted<T> extends Promise<T> {}
  const { pool, acquire } = poolWorld({ Promise: Counted })
  expect(pool.acquire()).toBeInstanceOf(Counted)
  expect(pool.release(await acquire())).toBeInstanceOf(Counted)
})

test('promises of another kind, too, crash nobody who does not look at a release of what is not lent', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  class Counted<T> extends Promise<T> {}
  const { pool, acquire } = poolWorld({ Promise: Counted })
  const thing = await acquire()
  pool.release(thing)
  pool.release(thing)
  pool.destroy(thing)
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

test.each([
  [{ drainTimeoutMillis: Number.NaN }, 'drainTimeoutMillis'],
  [{ drainTimeoutMillis: 'soon' as never }, 'drainTimeoutMillis'],
])('%o is refused by its own name', (options, name) => {
  const create = () => poolWorld(options).pool
  expect(create).toThrow(InvalidOptionError)
  expect(create).toThrow(`"${name}"`)
})

test.each([
  [{ create: 1 }, {}, 'create'],
  [{ destroy: undefined }, {}, 'destroy'],
  [{ validate: 1 }, {}, 'validate'],
  [{}, { testOnBorrow: true }, 'validate'],
])('refuses the factory %o with %o', (wrong, options, name) => {
  const factory = { create: async () => ({}), destroy: async () => {}, ...wrong }
  expect(() => createPool(factory as never, options)).toThrow(InvalidOptionError)
  expect(() => createPool(factory as never, options)).toThrow(name)
})

test('around an existing pool, it lets go of it, and closes it only when it is said to own it', async () => {
  const made = () =>
    createResourcePool<Thing>({ name: 'things', connect: async () => ({ id: 1 }), close() {} }, {})
  const shared = made()
  const shape = genericPool(shared)
  expect(await shape.use((thing) => thing.id)).toBe(1)
  await shape.drain()
  await shape.clear()
  expect([shared.closed, shared.stats().idle]).toEqual([false, 1])
  await expect(shape.acquire()).rejects.toThrow('draining')
  await shared.close()
  const owned = made()
  const owner = genericPool(owned, { ownsPool: true })
  await owner.drain()
  await owner.clear()
  expect(owned.closed).toBe(true)
})

test('the queues that are exported do what queues do', () => {
  const deque = new Deque<number>()
  deque.push(2)
  deque.push(3)
  deque.unshift(1)
  expect([deque.head, deque.tail, deque.length, [...deque], [...deque.reverseIterator()]]).toEqual([
    1,
    3,
    3,
    [1, 2, 3],
    [3, 2, 1],
  ])
  expect([deque.shift(), deque.pop(), deque.length]).toEqual([1, 3, 1])
  const queue = new PriorityQueue<string>(2)
  queue.enqueue('low', 1)
  queue.enqueue('high')
  queue.enqueue('beyond', 7)
  expect([queue.length, queue.head, queue.tail]).toEqual([3, 'high', 'beyond'])
  expect([queue.dequeue(), queue.dequeue(), queue.dequeue(), queue.dequeue()]).toEqual([
    'high',
    'low',
    'beyond',
    undefined,
  ])
})
