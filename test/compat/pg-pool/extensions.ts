import type { ConnectCallback } from '../../../src/compat/pg-pool/types.ts'
import { behaviours, failure, until, within } from './subject.ts'

/** What programs make of the class: subclasses, methods in the place of its own, options in their own words. */
export const extensions = behaviours([
  {
    name: 'a subclass with a `query` of its own',
    verdict: 'same',
    async run(subject) {
      class Counting extends subject.Pool {
        count = 0
        override query(...asked: unknown[]): never {
          this.count++
          return super.query(...(asked as [string])) as never
        }
      }
      const pool = subject.pool({}, Counting)
      const { rows } = (await pool.query('select 1 as a')) as { rows: unknown }
      return `${JSON.stringify(rows)} ${pool.count}`
    },
  },
  {
    name: '`query` put in its place on the prototype, as those do who trace',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      const { prototype } = subject.Pool
      const own = Object.getOwnPropertyDescriptor(prototype, 'query')
      const { query } = prototype
      let count = 0
      prototype.query = function traced(this: unknown, ...asked: unknown[]) {
        count++
        return Reflect.apply(query, this, asked)
      } as typeof query
      try {
        await pool.query('select 1')
      } finally {
        if (own === undefined) Reflect.deleteProperty(prototype, 'query')
        else Object.defineProperty(prototype, 'query', own)
      }
      return `${count}`
    },
  },
  {
    name: 'a subclass whose `connect` prepares the client: what `query` runs on',
    verdict: 'same',
    async run(subject) {
      class Preparing extends subject.Pool {
        override connect(...[callback]: unknown[]): never {
          return super.connect((error, client, release) => {
            const done = callback as ConnectCallback
            if (client === undefined) done(error, client, release)
            else client.query("set application_name = 'prepared'", () => done(undefined, client, release))
          }) as never
        }
      }
      const pool = subject.pool({}, Preparing)
      const { rows } = await pool.query('show application_name')
      const refused = await failure(pool.query('select nowhere'))
      return `${JSON.stringify(rows)}; ${refused}; ${await until(() => pool.idleCount === pool.totalCount)}`
    },
  },
  {
    name: 'a subclass whose `connect` gives a promise only: what `query` does',
    verdict: 'better',
    reason: 'it takes the promise',
    async run(subject) {
      class Promising extends subject.Pool {
        override async connect(): Promise<never> {
          const client = await super.connect()
          await client.query('set lock_timeout = 1234')
          return client as never
        }
      }
      const pool = subject.pool({}, Promising)
      return within(
        pool.query('show lock_timeout').then(({ rows }) => JSON.stringify(rows)),
        subject.patienceMs,
      )
    },
  },
  {
    name: 'the stack of a statement that the server refused shows who asked',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      async function whoAsked() {
        await pool.query('select nowhere')
      }
      const error: unknown = await whoAsked().catch((reason: unknown) => reason)
      return `${(error as Error).stack?.includes('whoAsked')}`
    },
  },
  {
    name: '`log` is told of connecting, statements and the end',
    verdict: 'same',
    async run(subject) {
      const told: unknown[] = []
      const pool = subject.pool({ log: (message) => told.push(message) })
      await pool.query('select 1')
      await pool.end()
      const expected = ['connecting new client', 'dispatching query', 'query dispatched', 'ending']
      return expected.filter((message) => told.includes(message)).join(', ')
    },
  },
  {
    name: 'numbers that are NaN or an empty text, as an environment without them gives',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ max: Number.NaN, min: '' as never, connectionTimeoutMillis: Number.NaN })
      return `${pool.options.max} ${pool.options.min}; ${await failure(pool.query('select 1'))}`
    },
  },
  {
    name: 'max: Infinity',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ max: Number.POSITIVE_INFINITY })
      const clients = await Promise.all(Array.from({ length: 12 }, () => pool.connect()))
      for (const client of clients) client.release()
      return `${clients.length} of ${pool.options.max}`
    },
  },
  {
    name: 'numbers below 0, a fraction of a connection, a min above max',
    verdict: 'better',
    reason: 'with a max of -1, pg-pool never gives a client: what cannot be meant is refused',
    async run(subject) {
      const wrong = [{ max: -1 }, { max: 2.5 }, { max: 2, min: 3 }]
      const seen = await Promise.all(
        wrong.map((options) => failure((async () => void subject.pool(options))())),
      )
      return seen.map((what) => (what === 'succeeds' ? 'taken' : 'refused')).join(' ')
    },
  },
  {
    name: 'what is for `pg.Client`, changed in `options`: the next connection has it',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      ;(await pool.connect()).release(true)
      pool.options.application_name = 'changed'
      return JSON.stringify((await pool.query('show application_name')).rows)
    },
  },
  {
    name: 'a max changed in `options`',
    verdict: 'differs',
    reason: '`pool.pool.resize({ max })` changes it; `options` show what the pool was made with',
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      const client = await pool.connect()
      pool.options.max = 2
      const second = pool.connect()
      const what = await within(failure(second), 500)
      client.release()
      ;(await second).release()
      return what
    },
  },
])
