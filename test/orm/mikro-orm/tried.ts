import type { Pool } from 'pg'
import { rockpoolMikroOrm } from '../../../src/orm/mikro-orm/index.ts'
import { type Behaviour, behaviours } from './behaviours.ts'
import {
  Author,
  ask,
  Book,
  type EntityManager,
  errorOf,
  eventually,
  inContextOf,
  initOrm,
  kill,
  type Orm,
  openSockets,
  PG_URL,
  pgPool,
  pidOf,
  uncaughtIn,
} from './lab.ts'

/** One behaviour on both sides. */
export interface Seen {
  readonly name: Behaviour
  readonly theirs: string
  readonly ours: string
}

interface Limits {
  max?: number
  waitMs?: number
  options?: object
}

interface Open {
  readonly orm: Orm
  readonly em: EntityManager
  readonly lent: () => number
  readonly hasLost: () => boolean
  readonly isOpen: () => boolean
  /** A statement of somebody else on the same pool. */
  readonly beside: (sql: string) => Promise<Record<string, unknown>[]>
  readonly end: () => Promise<unknown>
}

async function theirs({ max = 3, waitMs, options }: Limits): Promise<Open> {
  let pool: Pool | undefined
  let ended = 0
  const orm = await initOrm('postgresql', {
    clientUrl: PG_URL,
    pool: { min: 0, max },
    ...options,
    driverOptions: {
      connectionTimeoutMillis: waitMs,
      onPoolCreated: (made: Pool) => {
        pool = made
        made.on('connect', (client) => client.once('end', () => ended++))
      },
    },
  })
  await orm.em.fork().count(Author)
  return {
    orm,
    em: orm.em.fork(),
    lent: () => (pool?.totalCount ?? 0) - (pool?.idleCount ?? 0),
    hasLost: () => ended > 0,
    isOpen: () => pool?.ended === false,
    beside: async (sql) => (await pool?.query(sql))?.rows ?? [],
    end: () => endAll(orm),
  }
}

async function ours({ max = 3, waitMs, options }: Limits): Promise<Open> {
  const pool = pgPool({ max, ...(waitMs === undefined ? {} : { acquireTimeoutMs: waitMs }) })
  const orm = await initOrm('postgresql', { ...options, ...rockpoolMikroOrm(pool) })
  await orm.em.fork().count(Author)
  return {
    orm,
    em: orm.em.fork(),
    lent: () => pool.stats().leased,
    hasLost: () => pool.stats().closed.lost > 0,
    isOpen: () => !pool.closed,
    beside: async (sql) => (await pool.query(sql)).rows as Record<string, unknown>[],
    end: () => pool.close({ drainTimeoutMs: 0 }),
  }
}

/** What is lost for ever is not waited for. */
async function endAll(orm: Orm): Promise<void> {
  void orm.close(true).catch(() => undefined)
  await ask('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()')
}

const until = (isSo: () => boolean) =>
  eventually(() => {
    if (!isSo()) throw new Error('not yet')
  })

async function dies({ em, hasLost }: Open, then: (em: EntityManager) => Promise<unknown>) {
  return errorOf(
    em.transactional(async (inner) => {
      await kill(await pidOf(inner))
      await until(hasLost)
      await then(inner)
    }),
  )
}

const tries: Record<Behaviour, (open: Open) => Promise<string>> = {
  async 'relations, written and read'({ orm, em }) {
    const ada = em.create(Author, { name: 'Ada' })
    for (const title of ['one', 'two']) em.create(Book, { title, author: ada })
    await em.flush()
    const [found] = await orm.em.fork().find(Author, { name: 'Ada' }, { populate: ['books'] })
    return [...(found?.books ?? [])].map(({ title }) => title).join(', ')
  },
  async 'raw values'({ em }) {
    const [row] = await em.execute(
      `select 1 as a, 2::int8 as b, '2020-01-01T00:00:00Z'::timestamptz at time zone 'UTC' as c, '{"d":1}'::jsonb as d,
       array['2020-01-02'::date] as e, '1 day'::interval as f`,
    )
    return JSON.stringify(row)
  },
  async 'a date of an entity'({ orm, em }) {
    em.create(Author, { name: 'Ada', born: new Date('1815-12-10T01:02:03Z') })
    await em.flush()
    const [ada] = await orm.em.fork().find(Author, { name: 'Ada' })
    return ada?.born instanceof Date ? ada.born.toISOString() : String(ada?.born)
  },
  async 'a unique value twice'({ em }) {
    em.create(Author, { name: 'Ada' })
    em.create(Author, { name: 'Ada' })
    const { name, code } = await errorOf(em.flush())
    return `${name} ${code}`
  },
  async 'affected rows'({ em }) {
    await em.execute(`insert into author (name) values ('a'), ('b')`)
    const run = em as unknown as { getConnection(): { execute(...args: unknown[]): Promise<unknown> } }
    return JSON.stringify(
      await run.getConnection().execute(`update author set name = name || '!'`, [], 'run'),
    )
  },
  async '20 transactions at once on 3 connections'({ orm }) {
    const one = () =>
      orm.em.fork().transactional(async (em) => {
        const seen = new Set<unknown>()
        for (let i = 0; i < 3; i++) seen.add(await pidOf(em))
        return seen.size
      })
    const sizes = await Promise.all(Array.from({ length: 20 }, one))
    return `${sizes.filter((size) => size === 1).length} keep to one`
  },
  async 'the body of a transaction throws'({ orm, em }) {
    const { message } = await errorOf(
      em.transactional(async (inner) => {
        inner.create(Author, { name: 'body' })
        await inner.flush()
        throw new Error('its error')
      }),
    )
    return `${message}; ${await orm.em.fork().count(Author)} rows`
  },
  async 'a nested transaction throws'({ orm, em }) {
    await em.transactional(async (outer) => {
      outer.create(Author, { name: 'outer' })
      await outer.flush()
      await errorOf(
        outer.transactional(async (inner) => {
          inner.create(Author, { name: 'inner' })
          await inner.flush()
          throw new Error('no')
        }),
      )
    })
    return `${await orm.em.fork().count(Author)} of 2 rows`
  },
  async 'COMMIT that fails: a deferred constraint'({ em, lent }) {
    const { code } = await errorOf(
      em.transactional(async (inner) => {
        await inner.execute('set constraints all deferred')
        await inner.execute(`insert into book (title, author_id) values ('x', -1)`)
      }),
    )
    await until(() => lent() === 0)
    return `${code}; ${lent()} lent`
  },
  async 'isolation level, read only'({ em }) {
    const [row] = await em.transactional(
      (inner) =>
        inner.execute(
          `select current_setting('transaction_isolation') as i, current_setting('transaction_read_only') as r`,
        ),
      { isolationLevel: 'serializable', readOnly: true },
    )
    return JSON.stringify(row)
  },
  async 'a stream is left early'({ em, lent }) {
    await em.execute(`insert into author (name) select 'n' || n from generate_series(1, 500) n`)
    for await (const _ of em.createQueryBuilder(Author).stream()) break
    await until(() => lent() === 0)
    return `${lent()} lent`
  },
  async 'the backend dies while a transaction holds it'(open) {
    let during = -1
    await dies(open, async () => {
      during = open.lent()
    })
    return `its place is ${during === 0 ? 'free' : 'taken'}`
  },
  async 'then the body of the transaction throws'(open) {
    const { message } = await dies(open, () => Promise.reject(new Error('the error of the body')))
    return message
  },
  async 'no connection is free'({ orm, em }) {
    return em.transactional(async () => {
      const { message } = await errorOf(orm.em.fork().count(Author))
      return message.includes('1 leased')
        ? 'says how many are leased and wait'
        : (message.split('\n')[0] ?? '')
    })
  },
  async 'a transaction begun by hand is forgotten'({ em }) {
    await em.execute('begin')
    await em.execute(`insert into author (name) values ('lost')`)
    const seen = await ask(`select from author where name = 'lost'`)
    return seen.length > 0 ? 'rolled back; the next write is committed' : 'the next write is in it'
  },
  async "other users of the same pool read dates as pg's users do"({ em, beside }) {
    await em.execute('select 1')
    const [row] = await beside('select now() as at')
    return row?.at instanceof Date ? 'yes' : 'no'
  },
  async '`orm.close()`'({ orm, isOpen }) {
    await orm.close()
    return isOpen() ? 'lets go of the pool' : 'ends the pool'
  },
  async "`sessionContext: 'connection'`"({ em }) {
    const [row] = await inContextOf(em, { variables: { 'app.tenant': '7' } }, () =>
      em.execute(`select current_setting('app.tenant', true) as tenant`),
    )
    return row?.tenant === '7' ? 'applied' : 'not applied'
  },
}

const LIMITS: Partial<Record<Behaviour, Limits>> = {
  'no connection is free': { max: 1, waitMs: 2_500 },
  'a transaction begun by hand is forgotten': { max: 1 },
  "`sessionContext: 'connection'`": { options: { sessionContext: 'connection' } },
}

async function tried(name: Behaviour, open: (limits: Limits) => Promise<Open>): Promise<string> {
  await ask('truncate author, book')
  const sockets = openSockets()
  const side = await open(LIMITS[name] ?? {})
  try {
    let told = ''
    const uncaught = await uncaughtIn(async () => {
      told = await tries[name](side)
    })
    return uncaught.length > 0 ? `uncaughtException; ${told}` : told
  } finally {
    // What a pool has leaked dies at its end, and not before the next behaviour is tried.
    await uncaughtIn(async () => {
      await side.end()
      await until(() => openSockets() <= sockets)
    })
  }
}

const first = await initOrm('postgresql', { clientUrl: PG_URL })
await first.schema.create()
await first.close()
await ask('alter table book alter constraint book_author_id_foreign deferrable initially immediate')

for (const { name } of behaviours) {
  const seen: Seen = { name, theirs: await tried(name, theirs), ours: await tried(name, ours) }
  process.stdout.write(`${JSON.stringify(seen)}\n`)
}
