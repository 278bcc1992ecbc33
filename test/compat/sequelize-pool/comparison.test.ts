import * as original from 'sequelize-pool'
import { type FactoryOptions, Pool, TimeoutError } from '../../../src/compat/sequelize-pool/index.ts'
import { type Comparison, compare } from '../../comparison/comparison.ts'
import { fateOf, pause, Things, told } from '../outcomes.ts'
import { inVirtualTime } from '../virtual-time.ts'

interface Thing {
  id: number
}
type Options = Partial<FactoryOptions<Thing>>

interface Subject {
  TimeoutError: new () => Error
  /** `ours` are options that only we have. */
  make(options?: Options, ours?: Options): Pool<Thing>
}

const whole = (options: Options = {}) => {
  const { create, destroy } = new Things()
  return { create, destroy, validate: () => true, min: 0, max: 2, acquireTimeoutMillis: 400, ...options }
}

const sides = {
  original: 'sequelize-pool 8',
  theirs: async (): Promise<Subject> => ({
    TimeoutError: original.TimeoutError,
    make: (options) => new original.Pool<Thing>(whole(options)) as unknown as Pool<Thing>,
  }),
  ours: async (): Promise<Subject> => ({
    TimeoutError,
    make: (options, ours) => new Pool<Thing>({ ...whole(options), ...ours }),
  }),
}

const gauges = ({ size, available, using, waiting }: Pool<Thing>) =>
  [size, available, using, waiting].join('/')

const comparisons: Comparison<Subject>[] = [
  {
    name: 'lends the one that came back last',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      const [a, b] = [await pool.acquire(), await pool.acquire()]
      pool.release(a)
      pool.release(b)
      return String((await pool.acquire()) === b)
    },
  },
  {
    name: 'size/available/using/waiting with one lent and one idle',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      const [a] = [await pool.acquire(), await pool.acquire()]
      pool.release(a)
      return gauges(pool)
    },
  },
  {
    name: 'resources made before the first `acquire`, with `min: 2`',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ min: 2 })
      await pause(30)
      return String(pool.size)
    },
  },
  {
    name: 'resources there after the first `acquire`, with `min: 2`',
    verdict: 'better',
    reason: 'what is kept is also made: the next callers do not wait for a login',
    async run({ make }) {
      const pool = make({ min: 2 })
      pool.release(await pool.acquire())
      await pause(30)
      return String(pool.size)
    },
  },
  {
    name: 'a caller who waits for too long',
    verdict: 'same',
    async run({ make, TimeoutError: Late }) {
      const pool = make({ max: 1, acquireTimeoutMillis: 30 })
      await pool.acquire()
      return pool.acquire().then(
        () => 'served',
        (error) => (error instanceof Late ? 'TimeoutError' : told(error)),
      )
    },
  },
  {
    name: 'its message',
    verdict: 'better',
    reason: 'it also says who holds what; its `cause` has it as data',
    async run({ make }) {
      const pool = make({ max: 1, acquireTimeoutMillis: 30 })
      await pool.acquire()
      const message = await fateOf(pool.acquire())
      return [message.slice(0, 30), /: .*(1 leased, 0 idle)/.exec(message)?.[1] ?? 'no more'].join(': ')
    },
  },
  {
    name: 'two callers whose creates fail',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ create: () => Promise.reject(new Error('no server')) })
      return (await Promise.all([fateOf(pool.acquire()), fateOf(pool.acquire())])).join(', ')
    },
  },
  {
    name: 'a new resource for which `validate` says no',
    verdict: 'same',
    run: ({ make }) => fateOf(make({ validate: () => false }).acquire()),
  },
  {
    name: 'a used resource for which `validate` says no',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ validate: (thing) => thing.id > 1 })
      pool.release(await pool.acquire())
      return fateOf(pool.acquire())
    },
  },
  {
    name: 'a `validate` that throws, with a caller waiting',
    verdict: 'better',
    reason: "it is a no; it does not come out of somebody's `release`, and the caller is served",
    async run({ make }) {
      const pool = make({
        max: 1,
        validate: () => {
          throw new Error('cannot say')
        },
      })
      const lent = await pool.acquire()
      const next = fateOf(pool.acquire())
      let release = 'is quiet'
      try {
        pool.release(lent)
      } catch {
        release = 'throws'
      }
      return `release ${release}; the caller: ${(await next).startsWith('{') ? 'served' : 'not served'}`
    },
  },
  {
    name: '`maxUses: 2`',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ max: 1, maxUses: 2 })
      const ids: number[] = []
      for (let n = 0; n < 3; n++) {
        const thing = await pool.acquire()
        ids.push(thing.id)
        pool.release(thing)
      }
      return ids.join(', ')
    },
  },
  {
    name: '`destroy` of what is lent, idle, and neither',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      const [a, b] = [await pool.acquire(), await pool.acquire()]
      pool.release(b)
      await pool.destroy(a)
      await pool.destroy(b)
      await pool.destroy(b)
      return gauges(pool)
    },
  },
  {
    name: 'a `destroy` that fails',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ destroy: () => Promise.reject(new Error('cannot close')) })
      const thing = await pool.acquire()
      return `${await fateOf(pool.destroy(thing))}; ${gauges(pool)}`
    },
  },
  {
    name: '`release` of what is not lent, and a second one',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      const thing = await pool.acquire()
      pool.release({ id: 1 })
      pool.release(thing)
      pool.release(thing)
      return gauges(pool)
    },
  },
  {
    name: 'most resources at a time with `max: 2`, when destroys are slow',
    verdict: 'better',
    reason: 'one that is being destroyed still is a connection of the server',
    async run({ make }) {
      const things = new Things()
      const pool = make({ create: things.create, destroy: things.slowDestroy, acquireTimeoutMillis: 3_000 })
      for (const thing of await Promise.all([pool.acquire(), pool.acquire()])) void pool.destroy(thing)
      await Promise.all([pool.acquire(), pool.acquire()])
      return things.most > 2 ? 'more than 2' : String(things.most)
    },
  },
  {
    name: 'who waits when `drain` is called',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ max: 1 })
      const first = await pool.acquire()
      const second = pool.acquire()
      const draining = pool.drain()
      pool.release(first)
      pool.release(await second)
      return `served; drain ${await fateOf(draining)}; size ${pool.size}`
    },
  },
  {
    name: '`acquire` after `drain`',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      await pool.drain()
      return fateOf(pool.acquire())
    },
  },
  {
    name: '`drain` while a resource is never given back',
    verdict: 'better',
    reason: 'after `drainTimeoutMillis`, 30 000 by default, it is destroyed',
    async run({ make }) {
      const pool = make({}, { drainTimeoutMillis: 50 })
      await pool.acquire()
      return fateOf(pool.drain(), 500)
    },
  },
  {
    name: '`max: Infinity`',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ max: Number.POSITIVE_INFINITY })
      const things = await Promise.all(Array.from({ length: 12 }, () => pool.acquire()))
      return `${things.length} of ${pool.maxSize}`
    },
  },
  {
    name: 'an option that cannot be meant',
    verdict: 'better',
    reason: 'it also says what was given',
    async run({ make }) {
      try {
        make({ maxUses: -1 })
        return 'taken'
      } catch (error) {
        return String(error)
      }
    },
  },
  {
    name: '`destroyAllNow` when destroys fail',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ destroy: () => Promise.reject(new Error('cannot close')) })
      for (const thing of await Promise.all([pool.acquire(), pool.acquire()])) pool.release(thing)
      return pool
        .destroyAllNow()
        .catch((error) => `${error.name} of ${error.errors.length}`) as Promise<string>
    },
  },
  {
    name: '`destroyAllNow` while one is lent',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      const [a] = [await pool.acquire(), await pool.acquire()]
      pool.release(a)
      await pool.destroyAllNow()
      return gauges(pool)
    },
  },
]

compare('docs/compat/sequelize-pool.md', sides, inVirtualTime(comparisons))
