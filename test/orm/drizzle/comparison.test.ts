import { count, eq, relations, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core'
import pgModule from 'pg'
import { describe, expect } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { rockpoolDrizzle } from '../../../src/orm/drizzle/index.ts'
import { type Comparison, compare } from '../../comparison/comparison.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf, onPoolOfItsOwn, PATIENCE_MS, settlesWithin } from '../support.ts'

const person = pgTable('person', { id: serial().primaryKey(), name: text().notNull() })
const pet = pgTable('pet', { id: serial().primaryKey(), ownerId: integer('owner_id').notNull() })
const owners = relations(pet, ({ one }) => ({
  owner: one(person, { fields: [pet.ownerId], references: [person.id] }),
}))
const pets = relations(person, ({ many }) => ({ pets: many(pet) }))
const schema = { person, pet, owners, pets }

const server = await startPostgres()
await ask(
  server,
  `create table person (id serial primary key, name text not null);
   create table pet (id serial primary key, owner_id int not null references person deferrable initially deferred)`,
)

interface Limits {
  max?: number
  waitMs?: number
  Client?: typeof pgModule.Client
}

function theirs({ max = 3, waitMs, Client }: Limits = {}) {
  const pool = new pgModule.Pool({
    connectionString: server.url(),
    max,
    connectionTimeoutMillis: waitMs,
    ...(Client === undefined ? {} : { Client }),
  })
  pool.on('error', () => undefined)
  const clients: pgModule.PoolClient[] = []
  pool.on('connect', (client) => clients.push(client))
  const db = drizzle(pool as pgModule.Pool, { schema })
  return {
    db,
    patienceMs: PATIENCE_MS.theirs,
    lent: () => pool.totalCount - pool.idleCount,
    isOpen: () => !pool.ended,
    end: async () => {
      if (!pool.ended) void pool.end()
      // What it has leaked dies below, perhaps not before the next behaviour is tried.
      for (const client of clients) client.on('error', () => undefined)
      await ask(
        server,
        'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()',
      )
    },
  }
}

type Open = Omit<ReturnType<typeof theirs>, 'db'> & {
  db: Omit<ReturnType<typeof theirs>['db'], '$client'> & { $client: Pick<pgModule.Pool, 'end'> }
}
type Subject = (limits?: Limits) => Open

const ours: Subject = ({ max = 3, waitMs, Client } = {}) => {
  const times = waitMs === undefined ? {} : { acquireTimeoutMs: waitMs }
  const module = Client === undefined ? pgModule : { Client }
  const pool = createPool(pg(server.url(), { module }), { max, ...times })
  return {
    db: drizzle(rockpoolDrizzle(pool), { schema }),
    patienceMs: PATIENCE_MS.ours,
    lent: () => pool.stats().leased,
    isOpen: () => !pool.closed,
    end: () => pool.close({ drainTimeoutMs: 0 }).then(() => undefined),
  }
}

const on = onPoolOfItsOwn<Open, Limits>()

type Db = Pick<Open['db'], 'execute'>
const pidOf = async (db: Db) =>
  (await db.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)).rows[0]?.pid
const kill = (pid: unknown) => ask(server, 'select pg_terminate_backend($1)', [pid])
const gone = (pid: unknown) =>
  eventually(async () => {
    const left = await ask(server, 'select from pg_stat_activity where pid = $1', [pid])
    if (left.length > 0) throw new Error('still there')
  })
const causeOf = (error: Error) => (error.cause ?? error) as Error & { code?: string }
const impossible = { isolationLevel: 'imaginary' as 'serializable' }

/** Its ROLLBACK fails, and the connection lives on. */
class NoRollback extends pgModule.Client {
  constructor(config?: string | pgModule.ClientConfig) {
    super(config)
    const query = this.query.bind(this) as (...args: unknown[]) => unknown
    let refusals = 1
    this.query = ((asked: { text?: string }, ...rest: unknown[]) =>
      asked.text === 'rollback' && refusals-- > 0
        ? Promise.reject(new Error('no rollback today'))
        : query(asked, ...rest)) as typeof this.query
  }
}

const same = [
  on('values of a row', async ({ db }) => {
    const { rows } = await db.execute(
      sql`select 1 as a, 2::int8 as b, '{"c":1}'::jsonb as c, null as d, array[1,2] as e, '2020-01-01'::timestamptz as f`,
    )
    return JSON.stringify(rows[0])
  }),
  on('`insert ... returning`', async ({ db }) => {
    const [row] = await db.insert(person).values({ name: 'Ada' }).returning({ name: person.name })
    return row?.name ?? ''
  }),
  on('a relational query', async ({ db }) => {
    const [owner] = await db.insert(person).values({ name: 'Grace' }).returning()
    await db.insert(pet).values({ ownerId: owner?.id ?? 0 })
    const found = await db.query.person.findFirst({
      where: eq(person.id, owner?.id ?? 0),
      with: { pets: true },
    })
    return `${found?.name} and ${found?.pets.length} pet`
  }),
  on('a prepared statement', async ({ db }) => {
    const prepared = db
      .select({ n: count() })
      .from(person)
      .where(eq(person.id, sql.placeholder('id')))
      .prepare('of')
    await prepared.execute({ id: -1 })
    return JSON.stringify(await prepared.execute({ id: -2 }))
  }),
  on('a type parser of pg', async ({ db }) => {
    const before = pgModule.types.getTypeParser(20)
    pgModule.types.setTypeParser(20, (text) => BigInt(text))
    const { rows } = await db.execute(sql`select 2::int8 as b`)
    pgModule.types.setTypeParser(20, before)
    return typeof rows[0]?.b
  }),
  on('an error of the server', async ({ db }) => {
    const error = await errorOf(db.execute(sql`select * from nowhere`))
    const cause = causeOf(error)
    return `${error.constructor.name} ${cause instanceof pgModule.DatabaseError ? 'DatabaseError' : ''} ${cause.code}`
  }),
  on('20 transactions at once on 3 connections', async ({ db }) => {
    const one = () =>
      db.transaction(async (tx) => {
        const seen = new Set<unknown>()
        for (let i = 0; i < 3; i++) seen.add(await pidOf(tx))
        return seen.size
      })
    const sizes = await Promise.all(Array.from({ length: 20 }, one))
    return `${sizes.filter((size) => size === 1).length} keep to one`
  }),
  on('the body of a transaction throws', async ({ db, lent }) => {
    const { message } = await errorOf(
      db.transaction(async (tx) => {
        await tx.insert(person).values({ name: 'body' })
        throw new Error('its error')
      }),
    )
    const left = await db.select().from(person).where(eq(person.name, 'body'))
    return `${message}; ${left.length} rows; ${lent()} lent`
  }),
  on(
    '`tx.rollback()`',
    async ({ db }) => (await errorOf(db.transaction(async (tx) => tx.rollback()))).constructor.name,
  ),
  on('a nested transaction fails', async ({ db }) => {
    const n = await db.transaction(async (tx) => {
      await errorOf(tx.transaction(async (inner) => inner.execute(sql`select 1/0`)))
      return (await tx.execute<{ n: number }>(sql`select 1 as n`)).rows[0]?.n
    })
    return `the outer one goes on: ${n}`
  }),
  on('COMMIT that fails: a deferred constraint', async ({ db, lent }) => {
    const error = await errorOf(
      db.transaction(async (tx) => void (await tx.insert(pet).values({ ownerId: -1 }))),
    )
    return `${causeOf(error).code}; ${lent()} lent`
  }),
  on('isolation level and access mode', async ({ db }) => {
    const { rows } = await db.transaction(
      (tx) =>
        tx.execute(
          sql`select current_setting('transaction_isolation') as i, current_setting('transaction_read_only') as r`,
        ),
      { isolationLevel: 'serializable', accessMode: 'read only' },
    )
    return JSON.stringify(rows[0])
  }),
].map((behaviour): Comparison<Subject> => ({ ...behaviour, verdict: 'same' }))

const better: Comparison<Subject>[] = [
  {
    ...on(
      'BEGIN fails twice on 2 connections',
      async ({ db, lent, patienceMs }) => {
        for (let i = 0; i < 2; i++) await errorOf(db.transaction(async () => undefined, impossible))
        const served = await settlesWithin(patienceMs, pidOf(db))
        return `${lent()} lent for ever; the next query ${served ? 'runs' : 'waits'}`
      },
      { max: 2 },
    ),
    verdict: 'better',
    reason:
      'Drizzle begins before the block that gives the connection back; here it is given back where BEGIN fails',
  },
  {
    ...on(
      'ROLLBACK fails, and the connection lives',
      async ({ db }) => {
        await errorOf(
          db.transaction(async (tx) => {
            await tx.insert(person).values({ name: 'first' })
            throw new Error('its error')
          }),
        )
        await db.insert(person).values({ name: 'second' })
        const seen = await ask(server, `select from person where name = 'second'`)
        await ask(server, `delete from person where name = 'second'`)
        return seen.length > 0 ? 'the next write is committed' : 'the next write is in the old transaction'
      },
      { max: 1, Client: NoRollback },
    ),
    verdict: 'better',
    reason: 'what is given back is looked at, without a round trip',
  },
  {
    ...on(
      'the backend dies while a transaction holds it',
      async ({ db, lent, patienceMs }) => {
        let place = ''
        await errorOf(
          db.transaction(async (tx) => {
            const pid = await pidOf(tx)
            await kill(pid)
            await gone(pid)
            const freed = eventually(() => expect(lent()).toBe(0), patienceMs)
            place = await freed.then(
              () => 'free',
              () => 'taken',
            )
            await pidOf(tx)
          }),
        )
        return `its place is ${place}; afterwards ${(await settlesWithin(patienceMs, pidOf(db))) ? 'all runs' : 'all waits'}`
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'a lent connection always has a listener, and its place is given to the next at once',
  },
  {
    ...on('`db.execute(sql`begin`)`', async ({ db }) => {
      const error = await db.execute(sql`begin`).then(
        () => undefined,
        (problem) => causeOf(problem),
      )
      return error === undefined ? 'begins on whichever connection is free' : `${error.name}`
    }),
    verdict: 'better',
    reason: 'the statements that follow would be spread over several connections',
  },
  {
    ...on(
      'no connection is free',
      async ({ db }) => {
        let told = ''
        await db.transaction(async () => {
          told = causeOf(await errorOf(pidOf(db))).message
        })
        return told.includes('1 leased') ? 'says how many are leased and wait' : told
      },
      { max: 1, waitMs: 2_500 },
    ),
    verdict: 'better',
    reason: 'the error has the numbers, and by default nobody waits for ever',
  },
]

const different: Comparison<Subject>[] = [
  {
    ...on('`db.$client.end()`', async ({ db, isOpen }) => {
      await pidOf(db)
      await db.$client.end()
      return isOpen() ? 'lets go of the pool' : 'ends the pool'
    }),
    verdict: 'differs',
    reason: 'one pool may serve two; `ownsPool: true` closes it',
  },
]

describe('Drizzle on pg.Pool and on rockpool', () => {
  const sides = {
    original: 'Drizzle 0.45 on pg.Pool',
    theirs: async () => theirs as Subject,
    ours: async () => ours,
  }
  compare('docs/orm/drizzle.md', sides, [...same, ...better, ...different])
})
