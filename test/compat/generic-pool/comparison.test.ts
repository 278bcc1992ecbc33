import * as original from 'generic-pool'
import { createPool, type Factory, type Options, type Pool } from '../../../src/compat/generic-pool/index.ts'
import { type Comparison, compare } from '../../comparison/comparison.ts'
import { fateOf, pause, Things } from '../outcomes.ts'
import { inVirtualTime } from '../virtual-time.ts'

interface Thing {
  id: number
}

interface Subject {
  make(options?: Options, factory?: Partial<Factory<Thing>>): Pool<Thing>
}

const whole = (factory: Partial<Factory<Thing>> = {}): Factory<Thing> => {
  const { create, destroy } = new Things()
  return { create, destroy, ...factory }
}

const sides = {
  original: 'generic-pool 3.9',
  theirs: async (): Promise<Subject> => ({
    make: (options, factory) =>
      original.createPool<Thing>(whole(factory), { max: 2, ...options } as never) as unknown as Pool<Thing>,
  }),
  ours: async (): Promise<Subject> => ({
    make: (options, factory) => createPool<Thing>(whole(factory), { max: 2, ...options }),
  }),
}

const gauges = ({ size, available, borrowed, pending }: Pool<Thing>) =>
  [size, available, borrowed, pending].join('/')

const comparisons: Comparison<Subject>[] = [
  {
    name: 'lends the one that has been idle for longest; with `fifo: false` the other',
    verdict: 'same',
    async run({ make }) {
      const firsts: string[] = []
      for (const fifo of [true, false]) {
        const pool = make({ fifo })
        const [a, b] = [await pool.acquire(), await pool.acquire()]
        await pool.release(a)
        await pause(5)
        await pool.release(b)
        firsts.push((await pool.acquire()) === a ? 'first' : 'last')
      }
      return firsts.join(', ')
    },
  },
  {
    name: '`max` and `min` by default',
    verdict: 'same',
    async run({ make }) {
      const { max, min } = make({ max: undefined } as never)
      return `${max}, ${min}`
    },
  },
  {
    name: 'size/available/borrowed/pending with one lent, one idle',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      const [a] = [await pool.acquire(), await pool.acquire()]
      await pool.release(a)
      return gauges(pool)
    },
  },
  {
    name: '`min: 2` at the start; with `autostart: false`',
    verdict: 'same',
    async run({ make }) {
      const [eager, lazy] = [make({ min: 2 }), make({ min: 2, autostart: false })]
      await pause(30)
      return `${eager.available}, ${lazy.available}`
    },
  },
  {
    name: '`ready()`',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ min: 2 })
      await pool.ready()
      return String(pool.available)
    },
  },
  {
    name: 'order by priority',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ max: 1, priorityRange: 3 })
      const first = await pool.acquire()
      const served: string[] = []
      const ask = (name: string, priority?: number) => pool.use(async () => void served.push(name), priority)
      const all = [ask('2a', 2), ask('1a', 1), ask('0a'), ask('2b', 9), ask('0b', 0)]
      await pool.release(first)
      await Promise.all(all)
      return served.join(' ')
    },
  } as Comparison<Subject>,
  {
    name: '`release` and `destroy` of what is not lent',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      return `${await fateOf(pool.release({ id: 1 }))}; ${await fateOf(pool.destroy({ id: 1 }))}`
    },
  },
  {
    name: '`destroy` with a caller waiting',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ max: 1 })
      const first = await pool.acquire()
      const next = fateOf(pool.acquire())
      await pool.destroy(first)
      return next
    },
  },
  {
    name: '`use` whose work succeeds, and rejects',
    verdict: 'same',
    async run({ make }) {
      const pool = make()
      const good = await fateOf(pool.use(async (thing) => thing.id))
      const bad = await fateOf(pool.use(() => Promise.reject(new Error('failed'))))
      return `${good}; ${bad}; ${gauges(pool)}`
    },
  },
  {
    name: '`use` whose work throws at once',
    verdict: 'better',
    reason: 'the resource is not lost',
    async run({ make }) {
      const pool = make()
      const work = () => {
        throw new Error('failed')
      }
      return `${await fateOf(pool.use(work))}; ${pool.borrowed} lent`
    },
  },
  {
    name: '`use` whose work gives no promise',
    verdict: 'better',
    reason: 'as its types promise',
    async run({ make }) {
      const pool = make()
      const fate = await fateOf(pool.use((thing) => thing.id))
      return `${/^\d$/.test(fate) ? fate : 'fails'}; ${pool.borrowed} lent`
    },
  },
  {
    name: 'a caller who waits for too long',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ max: 1, acquireTimeoutMillis: 30 })
      await pool.acquire()
      return pool.acquire().then(
        () => 'served',
        (error) => error.name as string,
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
      return [message.slice(0, 25), /: .*(1 leased, 0 idle)/.exec(message)?.[1] ?? 'no more'].join(': ')
    },
  },
  {
    name: 'more callers than `maxWaitingClients: 1`',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ max: 1, maxWaitingClients: 1 })
      await pool.acquire()
      void pool.acquire()
      return fateOf(pool.acquire())
    },
  },
  {
    name: 'the time for 50 creates that fail',
    verdict: 'better',
    reason: 'pauses that grow, in place of a loop without one: a server that comes back is not stormed',
    async run({ make }) {
      let [attempts, told] = [0, 0]
      const create = async () => {
        if (++attempts > 50) return { id: 1 }
        throw new Error('no server')
      }
      const pool = make({ max: 1 }, { create })
      pool.on('factoryCreateError', () => told++)
      const since = performance.now()
      await pool.acquire()
      return `${performance.now() - since > 500 ? 'more than half a second' : 'none'}, ${told} told of`
    },
  },
  {
    name: 'a destroy that fails',
    verdict: 'same',
    async run({ make }) {
      const told: string[] = []
      const pool = make({}, { destroy: () => Promise.reject(new Error('cannot close')) })
      pool.on('factoryDestroyError', (error) => told.push(error.message))
      await pool.destroy(await pool.acquire())
      await pause(10)
      return `${told.join(', ')}; ${gauges(pool)}`
    },
  },
  {
    name: 'most resources at a time with `max: 2`, when destroys are slow',
    verdict: 'better',
    reason: 'one that is being destroyed still is a connection of the server',
    async run({ make }) {
      const things = new Things()
      const pool = make({}, { create: things.create, destroy: things.slowDestroy })
      for (const thing of await Promise.all([pool.acquire(), pool.acquire()])) void pool.destroy(thing)
      await Promise.all([pool.acquire(), pool.acquire()])
      return things.most > 2 ? 'more than 2' : String(things.most)
    },
  },
  {
    name: '`testOnBorrow` with an invalid resource',
    verdict: 'same',
    run: ({ make }) => fateOf(make({ testOnBorrow: true }, { validate: async ({ id }) => id > 1 }).acquire()),
  },
  {
    name: '`testOnReturn` with an invalid resource',
    verdict: 'better',
    reason: 'the option does what it says',
    async run({ make }) {
      const pool = make({ testOnReturn: true }, { validate: async () => false })
      await pool.release(await pool.acquire())
      await pause(20)
      return `${pool.available} available`
    },
  },
  {
    name: 'the evictor',
    verdict: 'same',
    async run({ make }) {
      const pool = make({ evictionRunIntervalMillis: 10, idleTimeoutMillis: 20 })
      await pool.release(await pool.acquire())
      for (let n = 0; n < 100 && pool.available > 0; n++) await pause(10)
      return gauges(pool)
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
      await pool.release(first)
      await pool.release(await second)
      return `served; ${await fateOf(draining)}; ${gauges(pool)}`
    },
  },
  {
    name: 'size/available/borrowed/pending after `drain` and `clear`',
    verdict: 'better',
    reason: 'what was destroyed is no longer counted as available',
    async run({ make }) {
      const pool = make()
      await pool.release(await pool.acquire())
      await pool.drain()
      await pool.clear()
      return gauges(pool)
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
    name: 'a limit below 0',
    verdict: 'better',
    reason: 'it would turn away every caller who has to wait; here it is refused',
    async run({ make }) {
      try {
        const pool = make({ max: 1, maxWaitingClients: -1 })
        await pool.acquire()
        return await fateOf(pool.acquire())
      } catch (error) {
        return String(error)
      }
    },
  },
  {
    name: '`drain` while a resource is never given back',
    verdict: 'better',
    reason: 'after `drainTimeoutMillis`, 30 000 by default, it is destroyed',
    async run({ make }) {
      const pool = make({ drainTimeoutMillis: 50 })
      await pool.acquire()
      return fateOf(pool.drain(), 500)
    },
  },
]

compare('docs/compat/generic-pool.md', sides, inVirtualTime(comparisons))
