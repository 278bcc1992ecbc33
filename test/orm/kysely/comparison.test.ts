import { CompiledQuery, type Generated, Kysely, PostgresDialect, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import pgModule from 'pg'
import Cursor from 'pg-cursor'
import { describe, vi } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { type ConnectionHook, rockpoolDialect } from '../../../src/orm/kysely/index.ts'
import { type Comparison, compare } from '../../comparison/comparison.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf, onPoolOfItsOwn } from '../support.ts'

interface Database {
  person: { id: Generated<number>; name: string }
  pet: { owner_id: number }
}
type Db = Kysely<Database>

interface Limits {
  max?: number
  waitMs?: number
  onCreateConnection?: ConnectionHook
}

interface Open {
  readonly db: Db
  /** How many connections are lent, there are, and callers wait. */
  readonly state: () => { lent: number; total: number; waiting: number }
  /** It has been noticed that a connection has died. */
  readonly hasLost: () => boolean
  readonly isOpen: () => boolean
  readonly end: () => Promise<unknown>
}

type Subject = (limits?: Limits) => Open

const server = await startPostgres()
await ask(
  server,
  `create table person (id serial primary key, name text not null);
   create table pet (owner_id int not null references person deferrable initially deferred)`,
)

const theirs: Subject = ({ max = 3, waitMs, onCreateConnection } = {}) => {
  const pool = new pgModule.Pool({
    connectionString: server.url(),
    max,
    connectionTimeoutMillis: waitMs,
  })
  pool.on('error', () => undefined)
  let ended = 0
  // The exception goes past the client's own events.
  const notice = () => ended++
  process.on('uncaughtExceptionMonitor', notice)
  const hooks = onCreateConnection === undefined ? {} : { onCreateConnection }
  const db: Db = new Kysely({ dialect: new PostgresDialect({ pool, cursor: Cursor, ...hooks }) })
  return {
    db,
    state: () => ({
      lent: pool.totalCount - pool.idleCount,
      total: pool.totalCount,
      waiting: pool.waitingCount,
    }),
    hasLost: () => ended > 0,
    isOpen: () => !pool.ended,
    end: async () => {
      process.off('uncaughtExceptionMonitor', notice)
      // What is lost for ever is not waited for.
      if (!pool.ended) void pool.end()
      await ask(
        server,
        `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()`,
      )
    },
  }
}

const ours: Subject = ({ max = 3, waitMs, onCreateConnection } = {}) => {
  const times = waitMs === undefined ? {} : { acquireTimeoutMs: waitMs }
  const pool = createPool(pg(server.url(), { module: pgModule }), { max, ...times })
  const hooks = onCreateConnection === undefined ? {} : { onCreateConnection }
  const db: Db = new Kysely({ dialect: rockpoolDialect(pool, hooks) })
  return {
    db,
    state: () => {
      const { leased: lent, total, waiting } = pool.stats()
      return { lent, total, waiting }
    },
    hasLost: () => pool.stats().closed.lost > 0,
    isOpen: () => !pool.closed,
    end: () => pool.close({ drainTimeoutMs: 0 }),
  }
}

const on = onPoolOfItsOwn<Open, Limits>()

const pidOf = async (db: Db) =>
  (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid
const kill = (pid: unknown) => ask(server, 'select pg_terminate_backend($1)', [pid])
const until = (isSo: () => boolean) =>
  eventually(() => (isSo() ? true : Promise.reject(new Error('not yet'))))
const isRunning = async (text: string) =>
  (await ask(server, `select from pg_stat_activity where state = 'active' and query like $1`, [`%${text}%`]))
    .length > 0

const same = [
  on('values of a row', async ({ db }) => {
    const row = sql`select 1 as a, 2::int8 as b, '{"c":1}'::jsonb as c, null as d, array[1,2] as e, '2020-01-01'::timestamptz as f`
    return JSON.stringify((await row.execute(db)).rows[0])
  }),
  on('`insert ... returning`', async ({ db }) => {
    const { name } = await db
      .insertInto('person')
      .values({ name: 'Ada' })
      .returning('name')
      .executeTakeFirstOrThrow()
    return name
  }),
  on('`numUpdatedRows`', async ({ db }) => {
    const done = await db.updateTable('person').set({ name: 'x' }).where('id', '=', -1).executeTakeFirst()
    return `${typeof done.numUpdatedRows} ${done.numUpdatedRows}`
  }),
  on('`numAffectedRows` of a raw statement', async ({ db }) => {
    const { numAffectedRows: written } = await sql`insert into person (name) values ('a'), ('b')`.execute(db)
    const { numAffectedRows: read } = await sql`select 1`.execute(db)
    return `insert ${written}, select ${read}`
  }),
  on('an error of the server', async ({ db }) => {
    const error = await errorOf(sql`select * from nowhere`.execute(db))
    return `${error instanceof pgModule.DatabaseError ? 'DatabaseError' : error.name} ${error.code}`
  }),
  on('its stack names who asked', async ({ db }) => {
    async function whoAsks() {
      await sql`select 1/0`.execute(db)
    }
    return (await errorOf(whoAsks())).stack?.includes('whoAsks') === true ? 'yes' : 'no'
  }),
  on('20 transactions at once on 3 connections', async ({ db }) => {
    const one = () =>
      db.transaction().execute(async (trx) => {
        const seen = new Set<unknown>()
        for (let i = 0; i < 3; i++) seen.add(await pidOf(trx))
        return seen.size
      })
    const sizes = await Promise.all(Array.from({ length: 20 }, one))
    return `${sizes.filter((size) => size === 1).length} keep to one`
  }),
  on('the body of a transaction throws', async ({ db }) => {
    const { message } = await errorOf(
      db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ name: 'body' }).execute()
        throw new Error('its error')
      }),
    )
    const left = await db.selectFrom('person').select('id').where('name', '=', 'body').execute()
    return `${message}; ${left.length} rows`
  }),
  on('COMMIT after an error that was swallowed', async ({ db }) => {
    const { name } = await errorOf(
      db.transaction().execute((trx) => sql`select 1/0`.execute(trx).catch(() => undefined)),
    )
    return name
  }),
  on('COMMIT that fails: a deferred constraint', async ({ db, state }) => {
    const { code } = await errorOf(
      db.transaction().execute((trx) => trx.insertInto('pet').values({ owner_id: -1 }).execute()),
    )
    await until(() => state().lent === 0)
    return `${code}; ${state().lent} lent`
  }),
  on('savepoints of a controlled transaction', async ({ db }) => {
    const trx = await db.startTransaction().execute()
    const saved = await trx.savepoint('here').execute()
    await errorOf(sql`select 1/0`.execute(saved))
    await saved.rollbackToSavepoint('here').execute()
    const { rows } = await sql<{ n: number }>`select 1 as n`.execute(trx)
    await trx.commit().execute()
    return `${rows[0]?.n}`
  }),
  on('isolation level and access mode', async ({ db }) => {
    const { rows } = await db
      .transaction()
      .setIsolationLevel('serializable')
      .setAccessMode('read only')
      .execute((trx) =>
        sql`select current_setting('transaction_isolation') as i, current_setting('transaction_read_only') as r`.execute(
          trx,
        ),
      )
    return JSON.stringify(rows[0])
  }),
  on('a stream', async ({ db }) => {
    let sum = 0
    for await (const { n } of db.selectNoFrom(sql<number>`generate_series(1, 1000)`.as('n')).stream())
      sum += n
    return `sum ${sum}`
  }),
  on('a stream is left early', async ({ db, state }) => {
    for await (const _ of db.selectNoFrom(sql`generate_series(1, 100000)`.as('n')).stream()) break
    await until(() => state().lent === 0)
    return `${state().lent} lent`
  }),
  on('`db.connection()`', async ({ db }) => {
    return db.connection().execute(async (one) => {
      await sql`create temp table mine as select 7 as n`.execute(one)
      const { rows } = await sql<{ n: number }>`select n from mine`.execute(one)
      return `its temporary table: ${rows[0]?.n}`
    })
  }),
  on('two migrators at once', async ({ db }) => {
    let runs = 0
    const migration = { up: async () => void runs++ }
    const provider = { getMigrations: async () => ({ '1': migration }) }
    const migrate = () => new Migrator({ db, provider }).migrateToLatest()
    await Promise.all([migrate(), migrate()])
    await sql`drop table kysely_migration, kysely_migration_lock`.execute(db)
    return `${runs} run`
  }),
  on('a query after `db.destroy()`', async ({ db }) => {
    await pidOf(db)
    await db.destroy()
    return (await errorOf(pidOf(db))).message
  }),
  on("abort with 'cancel query'", async ({ db }) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { error, running } = await aborted(db, 'cancel query')
    printed.mockRestore()
    return `${error}; ${running ? 'runs on' : 'stopped in the server'}`
  }),
].map((behaviour) => ({ ...behaviour, verdict: 'same' as const }))

async function aborted(db: Db, inflightQueryAbortStrategy: 'cancel query' | 'ignore query') {
  const controller = new AbortController()
  const { signal } = controller
  const slow = errorOf(sql`select pg_sleep(60), 'slow'`.execute(db, { signal, inflightQueryAbortStrategy }))
  await eventually(async () => (await isRunning("'slow'")) || Promise.reject(new Error('not yet')))
  controller.abort()
  const { name: error } = await slow
  const stopped = eventually(async () => !(await isRunning("'slow'")) || Promise.reject(new Error('runs on')))
  const running = await stopped.then(
    () => false,
    () => true,
  )
  return { error, running }
}

const better: Comparison<Subject>[] = [
  {
    ...on('the backend dies while a transaction holds it', async ({ db, state, hasLost }) => {
      const trx = await db.startTransaction().execute()
      await kill(await pidOf(trx))
      await until(hasLost)
      const { lent } = state()
      await trx
        .rollback()
        .execute()
        .catch(() => undefined)
      return `its place is ${lent === 0 ? 'free' : 'taken'}`
    }),
    verdict: 'better',
    reason: 'a lent connection always has a listener, and its place is given to the next at once',
  },
  {
    ...on('then the body of a transaction throws', async ({ db, hasLost }) => {
      const error = await errorOf(
        db.transaction().execute(async (trx) => {
          await kill(await pidOf(trx))
          await until(hasLost)
          throw new Error('the error of the body')
        }),
      )
      return error.message
    }),
    verdict: 'better',
    reason: 'with its connection the transaction is rolled back; the first error counts',
  },
  {
    ...on(
      '`onCreateConnection` fails',
      async ({ db, state }) => {
        await errorOf(pidOf(db))
        return `${state().lent} of 1 lent for ever`
      },
      { max: 1, onCreateConnection: () => Promise.reject(new Error('no')) },
    ),
    verdict: 'better',
    reason: 'the connection is closed and its place is free',
  },
  {
    ...on(
      'no connection is free',
      async ({ db }) => {
        const trx = await db.startTransaction().execute()
        const { message } = await errorOf(pidOf(db))
        await trx.rollback().execute()
        return message.includes('1 leased') ? 'says how many are leased and wait' : message
      },
      { max: 1, waitMs: 2_500 },
    ),
    verdict: 'better',
    reason: 'the error has the numbers, and by default nobody waits for ever',
  },
  {
    ...on(
      'a transaction begun by hand is forgotten',
      async ({ db }) => {
        await db.connection().execute((one) => one.executeQuery(CompiledQuery.raw('begin')))
        await sql`insert into person (name) values ('lost')`.execute(db)
        const seen = await ask(server, `select from person where name = 'lost'`)
        return seen.length > 0 ? 'rolled back; the next write is committed' : 'the next write is in it'
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'what is given back is looked at, without a round trip',
  },
  {
    ...on(
      'abort while waiting for a connection',
      async ({ db, state }) => {
        const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
        const trx = await db.startTransaction().execute()
        const controller = new AbortController()
        const { signal } = controller
        const waiting = errorOf(db.selectFrom('person').selectAll().execute({ signal }))
        await until(() => state().waiting === 1)
        controller.abort()
        await waiting
        const left = state().waiting
        await trx.rollback().execute()
        printed.mockRestore()
        return left === 0 ? 'leaves the queue' : 'stays in the queue'
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'nobody is served who has gone',
  },
  {
    ...on(
      "what 'cancel query' prints",
      async ({ db }) => {
        const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
        await aborted(db, 'cancel query')
        // Lent again, its connection has nothing more to tell.
        await pidOf(db)
        const lines = printed.mock.calls.length
        printed.mockRestore()
        return lines === 0 ? 'nothing' : 'that the query failed'
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'it was asked for',
  },
  {
    ...on(
      'a read that is repeated',
      async ({ db }) => {
        const read = (id: number) => db.selectFrom('person').selectAll().where('id', '=', id).execute()
        for (let id = 0; id < 10; id++) await read(id)
        const { rows } = await sql`select statement from pg_prepared_statements`.execute(db)
        return rows.length === 0 ? 'is planned each time' : 'is prepared'
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'and several share a connection where they are fast',
  },
]

const different: Comparison<Subject>[] = [
  {
    ...on(
      'a statement on a connection that has died',
      async ({ db }) => {
        const pid = await pidOf(db)
        const slow = errorOf(sql`select pg_sleep(60)`.execute(db))
        await eventually(
          async () => (await isRunning('pg_sleep(60)')) || Promise.reject(new Error('not yet')),
        )
        await kill(pid)
        const { name, code } = await slow
        return `${name} ${code}`
      },
      { max: 1 },
    ),
    verdict: 'differs',
    reason: "pg's own error is its `cause`; `executed` tells whether the statement may have run",
  },
  {
    ...on("isolation level 'snapshot'", async ({ db }) => {
      try {
        const { rows } = await db
          .transaction()
          .setIsolationLevel('snapshot')
          .execute((trx) =>
            sql<{ i: string }>`select current_setting('transaction_isolation') as i`.execute(trx),
          )
        return rows[0]?.i ?? ''
      } catch (error) {
        return `error ${(error as { code?: string }).code}`
      }
    }),
    verdict: 'differs',
    reason: 'that is what snapshot isolation is called in PostgreSQL',
  },
  {
    ...on('`db.destroy()`', async ({ db, isOpen }) => {
      await pidOf(db)
      await db.destroy()
      return isOpen() ? 'lets go of the pool' : 'ends the pool'
    }),
    verdict: 'differs',
    reason: 'one pool may serve two; `ownsPool: true` closes it',
  },
]

describe('Kysely on pg.Pool and on rockpool', () => {
  const sides = {
    original: 'Kysely 0.29 on pg.Pool',
    theirs: async () => theirs,
    ours: async () => ours,
  }
  compare('docs/orm/kysely.md', sides, [...same, ...better, ...different])
})
