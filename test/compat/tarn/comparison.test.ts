import * as tarn from 'tarn'
import { Pool, type PoolOptions, TimeoutError } from '../../../src/compat/tarn/index.ts'
import { type Comparison, compare } from '../../comparison/comparison.ts'
import { fateOf, pause, Things, told } from '../outcomes.ts'
import { inVirtualTime } from '../virtual-time.ts'

interface Thing {
  id: number
}
type Options = Partial<PoolOptions<Thing>>

interface Subject {
  TimeoutError: new () => Error
  /** `ours` are options that only we have. */
  make(options?: Options, ours?: Options): Pool<Thing>
}

const whole = (options: Options = {}) => {
  const things = new Things()
  return {
    create: things.create,
    destroy: things.destroy,
    min: 0,
    max: 2,
    acquireTimeoutMillis: 400,
    ...options,
  }
}

const sides = {
  original: 'tarn 3.1',
  theirs: async (): Promise<Subject> => ({
    TimeoutError: tarn.TimeoutError,
    make: (options) => new tarn.Pool<Thing>(whole(options) as never) as unknown as Pool<Thing>,
  }),
  ours: async (): Promise<Subject> => ({
    TimeoutError,
    make: (options, ours) => new Pool<Thing>({ ...whole(options), ...ours }),
  }),
}

const refused = () => Promise.reject(Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' }))

const comparisons: Comparison<Subject>[] = [
  {
    name: 'lends the one that came back last',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      const [a, b] = [await pool.acquire().promise, await pool.acquire().promise]
      pool.release(a)
      pool.release(b)
      return String((await pool.acquire().promise) === b)
    },
  },
  {
    name: 'resources made before the first `acquire`, with `min: 2`',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ min: 2 })
      await pause(30)
      return String(pool.numFree())
    },
  },
  {
    name: 'resources there after the first `acquire`, with `min: 2`',
    verdict: 'better',
    reason: 'what is kept is also made: the next callers do not wait for a login',
    async run({ make }) {
      const pool = make({ min: 2 })
      pool.release(await pool.acquire().promise)
      await pause(30)
      return String(pool.numFree())
    },
  },
  {
    name: '`release` of what is not lent',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      const a = await pool.acquire().promise
      return [pool.release({ id: 1 }), pool.release(a), pool.release(a)].join(', ')
    },
  },
  {
    name: 'equal resources',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ create: () => 7 as never })
      const lent = [await pool.acquire().promise, await pool.acquire().promise]
      return [...lent.map((thing) => pool.release(thing)), pool.numFree()].join(', ')
    },
  },
  {
    name: 'a caller who waits for too long',
    verdict: 'same',
    async run({ make, TimeoutError: Late }) {
      const pool = make({ max: 1, acquireTimeoutMillis: 30 })
      await pool.acquire().promise
      return pool.acquire().promise.then(
        () => 'served',
        (error) => (error instanceof Late ? 'TimeoutError' : told(error)),
      )
    },
  },
  {
    name: 'its message',
    verdict: 'better',
    reason: 'it says who holds what; its `cause` has it as data',
    async run({ make }) {
      const pool = make({ max: 1, acquireTimeoutMillis: 30 })
      await pool.acquire().promise
      const message = await fateOf(pool.acquire().promise)
      return /1 leased, 0 idle/.exec(message)?.[0] ?? message
    },
  },
  {
    name: 'its message, when creates fail',
    verdict: 'same',
    run: ({ make }) => fateOf(make({ create: refused, acquireTimeoutMillis: 30 }).acquire().promise),
  },
  {
    name: 'the code of the failed create',
    verdict: 'better',
    reason: 'the error itself is at the end of the `cause`s',
    run: async ({ make }) => {
      const error = await make({ create: refused, acquireTimeoutMillis: 30 })
        .acquire()
        .promise.catch((e) => e)
      return error.cause?.cause?.code ?? 'lost'
    },
  },
  {
    name: '`propagateCreateError` with three callers',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ create: refused, propagateCreateError: true, max: 3 })
      const fates = [pool.acquire(), pool.acquire(), pool.acquire()].map(({ promise }) => fateOf(promise))
      return (await Promise.all(fates)).join(', ')
    },
  },
  {
    name: '`abort()` while waiting',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ max: 1 })
      await pool.acquire().promise
      const pending = pool.acquire()
      const fate = fateOf(pending.promise)
      pending.abort()
      return `${await fate}, ${pool.numPendingAcquires()} wait`
    },
  },
  {
    name: 'a resource that fails `validate`',
    verdict: 'same',
    run: ({ make }) => fateOf(make({ validate: (thing) => thing.id > 1 }).acquire().promise),
  },
  {
    name: 'a `validate` that throws',
    verdict: 'same',
    async run({ make }) {
      const logged: string[] = []
      const validate = (thing: Thing) => {
        if (thing.id === 1) throw new Error('cannot say')
        return true
      }
      const pool = make({ validate, log: (message) => logged.push(message) })
      return `${await fateOf(pool.acquire().promise)}, ${logged.length} logged`
    },
  },
  {
    name: 'a healthy resource whose `validate` is slower than `acquireTimeoutMillis`',
    verdict: 'same',
    async run({ make }) {
      const things = new Things()
      const pool = make({
        create: things.create,
        destroy: things.destroy,
        acquireTimeoutMillis: 30,
        validate: () => pause(300).then(() => true),
      })
      await fateOf(pool.acquire().promise)
      await pause(50)
      return `${things.destroyed.length} destroyed`
    },
  },
  {
    name: 'most resources at a time with `max: 2`, when destroys are slow',
    verdict: 'better',
    reason: 'one that is being destroyed still is a connection of the server',
    async run({ make }) {
      const things = new Things()
      let calls = 0
      const validate = () => ++calls > 8
      const pool = make({
        create: things.create,
        destroy: things.slowDestroy,
        validate,
        acquireTimeoutMillis: 3_000,
      })
      await Promise.all([pool.acquire().promise, pool.acquire().promise])
      return things.most > 2 ? 'more than 2' : String(things.most)
    },
  },
  {
    name: 'most creates at a time with `max: 1`, when they exceed `createTimeoutMillis`',
    verdict: 'better',
    reason: 'an attempt that is given up counts until it has ended: no storm of logins on a slow server',
    async run({ make }) {
      let [under, most] = [0, 0]
      const create = async () => {
        most = Math.max(most, ++under)
        await pause(300)
        under--
        return { id: 1 }
      }
      const pool = make({ create, max: 1, createTimeoutMillis: 20, createRetryIntervalMillis: 5 })
      await fateOf(pool.acquire().promise)
      await pause(400)
      return most > 1 ? 'more than 1' : '1'
    },
  },
  {
    name: '`destroy` while a resource is lent',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      const lent = await pool.acquire().promise
      let isDone = false
      const done = pool.destroy().then(() => {
        isDone = true
      })
      await pause(30)
      const before = isDone
      pool.release(lent)
      return `${before ? 'done' : 'waits'}, then ${await fateOf(done)}`
    },
  },
  {
    name: '`destroy` while a resource is never given back',
    verdict: 'better',
    reason: 'after `drainTimeoutMillis`, 30 000 by default, it is destroyed',
    async run({ make }) {
      const pool = make({}, { drainTimeoutMillis: 50 })
      await pool.acquire().promise
      return fateOf(pool.destroy().then(() => undefined))
    },
  },
  {
    name: 'who waits when `destroy` is called',
    verdict: 'better',
    reason: 'nobody is served any more: who waits is told at once, not after those who work',
    async run({ make }) {
      const pool = make({ max: 1, acquireTimeoutMillis: 5_000 })
      await pool.acquire().promise
      const waiting = fateOf(pool.acquire().promise, 300)
      void pool.destroy()
      return waiting
    },
  },
  {
    name: '`acquire` after `destroy`',
    verdict: 'better',
    reason: 'at once, and not after the whole timeout',
    async run({ make }) {
      const pool = make()
      await pool.destroy()
      return fateOf(pool.acquire().promise, 200)
    },
  },
  {
    name: 'a `destroy` of a resource that fails',
    verdict: 'same',
    async run({ make }) {
      const failed: string[] = []
      const pool = make({ destroy: () => Promise.reject(new Error('cannot close')) })
      pool.on('destroyFail', (_, __, error) => failed.push(error.message))
      pool.release(await pool.acquire().promise)
      await pool.destroy()
      return failed.join(', ')
    },
  },
  {
    name: 'the order of events',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      const told: string[] = []
      for (const event of ['acquireRequest', 'createRequest', 'createSuccess', 'acquireSuccess'] as const) {
        pool.on(event, () => told.push(event))
      }
      pool.on('release', () => told.push('release'))
      pool.on('destroySuccess', () => told.push('destroySuccess'))
      pool.on('poolDestroySuccess', () => told.push('poolDestroySuccess'))
      pool.release(await pool.acquire().promise)
      await pool.destroy()
      return told.join(', ')
    },
  },
  {
    name: 'a listener that throws',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      let told = 0
      pool.on('acquireRequest', () => {
        throw new Error('broken')
      })
      pool.on('acquireRequest', () => told++)
      await pool.acquire().promise
      return `the other one was told ${told} times`
    },
  },
  {
    name: 'reaping starts with the first loan, and stops with the last resource',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ idleTimeoutMillis: 50, reapIntervalMillis: 20 })
      const told: string[] = []
      pool.on('startReaping', () => told.push('start'))
      pool.on('stopReaping', () => told.push('stop'))
      const things = [await pool.acquire().promise, await pool.acquire().promise]
      for (const thing of things) pool.release(thing)
      await pause(200)
      return `${told}; ${pool.isEmpty()}`
    },
  },
  {
    name: '`max: Infinity`',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ max: Number.POSITIVE_INFINITY })
      const things = await Promise.all(Array.from({ length: 12 }, () => pool.acquire().promise))
      return `${things.length} of ${(pool as { max?: number }).max}`
    },
  },
  {
    name: 'an option that cannot be meant',
    verdict: 'better',
    reason: 'it also says what was given',
    async run({ make }) {
      try {
        make({ max: 0 })
        return 'taken'
      } catch (error) {
        return String(error)
      }
    },
  },
  {
    name: 'an option that does not exist',
    verdict: 'same',
    async run({ make }) {
      try {
        make({ acquireTimeout: 1 } as Options)
        return 'taken'
      } catch {
        return 'refused'
      }
    },
  },
  {
    name: 'a resource that dies while it is lent',
    verdict: 'better',
    reason: 'with `onLost` its place is free at once',
    async run({ make }) {
      const dead: (() => void)[] = []
      const onLost = (_: Thing, lost: (error: unknown) => void) => dead.push(() => lost(new Error('gone')))
      const pool = make({ max: 1, acquireTimeoutMillis: 100 }, { onLost })
      await pool.acquire().promise
      for (const die of dead) die()
      const fate = await fateOf(pool.acquire().promise)
      return fate.startsWith('{') ? 'the next caller is served' : 'its place is lost'
    },
  },
]

compare('docs/compat/tarn.md', sides, inVirtualTime(comparisons))
