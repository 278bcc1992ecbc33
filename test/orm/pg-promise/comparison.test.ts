import type { Socket } from 'node:net'
import pgPromise, { type IDatabase, type IInitOptions, type IMain } from 'pg-promise'
import { describe, vi } from 'vitest'
import type { PgPoolShape } from '../../../src/compat/pg-pool/pool-shape.ts'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { rockpoolPgPromise } from '../../../src/orm/pg-promise/index.ts'
import { type Comparison, compare } from '../../comparison/comparison.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf, onPoolOfItsOwn } from '../support.ts'

interface Limits {
  max?: number
  waitMs?: number
  init?: IInitOptions
}

interface Open {
  readonly db: IDatabase<unknown>
  readonly pgp: IMain
  /** How many connections are lent, and there are. */
  readonly state: () => { lent: number; total: number }
  /** It has been noticed that a connection has died. */
  readonly hasLost: () => boolean
  /** Makes another database of the same connection, and tells how many pools there are then. */
  readonly second: () => string
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

const theirs: Subject = ({ max = 3, waitMs = 0, init = {} } = {}) => {
  const pgp = pgPromise({ ...init })
  const db = pgp({ connectionString: server.url(), max, connectionTimeoutMillis: waitMs })
  const pool = db.$pool
  let ended = 0
  pool.on('connect', (client) => {
    const { stream } = (client as { connection: { stream: Socket } }).connection
    stream.once('close', () => ended++)
  })
  return {
    db,
    pgp,
    state: () => ({ lent: pool.totalCount - pool.idleCount, total: pool.totalCount }),
    hasLost: () => ended > 0,
    second: () => {
      const other = pgp({ connectionString: server.url(), max, connectionTimeoutMillis: waitMs }).$pool
      void other.end()
      return other === pool ? 'one pool' : 'a pool each'
    },
    isOpen: () => !pool.ended,
    end: async () => {
      if (!pool.ended) void pool.end()
      await ask(
        server,
        'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()',
      )
    },
  }
}

const ours: Subject = ({ max = 3, waitMs, init = {} } = {}) => {
  const pgp = pgPromise({ ...init })
  const times = waitMs === undefined ? {} : { acquireTimeoutMs: waitMs }
  const pool = createPool(pg(server.url(), { module: pgp.pg }), { max, ...times })
  pool.on('error', () => undefined)
  const db = rockpoolPgPromise(pgp, pool)
  return {
    db,
    pgp,
    state: () => {
      const { leased: lent, total } = pool.stats()
      return { lent, total }
    },
    hasLost: () => pool.stats().closed.lost > 0,
    second: () => {
      const other = rockpoolPgPromise(pgp, pool).$pool as unknown as PgPoolShape
      return other.pool === (db.$pool as unknown as PgPoolShape).pool ? 'one pool' : 'a pool each'
    },
    isOpen: () => !pool.closed,
    end: () => pool.close({ drainTimeoutMs: 0 }),
  }
}

const on = onPoolOfItsOwn<Open, Limits>()

const PID = 'select pg_backend_pid() as pid'
const kill = (pid: unknown) => ask(server, 'select pg_terminate_backend($1)', [pid])
const until = (isSo: () => boolean) =>
  eventually(() => (isSo() ? true : Promise.reject(new Error('not yet'))))

const same = [
  on('values of a row', async ({ db }) =>
    JSON.stringify(
      await db.one(
        `select 1 as a, 2::int8 as b, '{"c":1}'::jsonb as c, null as d, array[1,2] as e, '2020-01-01'::timestamptz as f`,
      ),
    ),
  ),
  on('a parser set in `pgp.pg.types`', async ({ db, pgp }) => {
    const { types } = pgp.pg
    const before = types.getTypeParser(20)
    types.setTypeParser(20, (text) => BigInt(text))
    const { n } = await db.one('select 7::int8 as n')
    types.setTypeParser(20, before)
    return typeof n
  }),
  on('an error of the server', async ({ db, pgp }) => {
    const error = await errorOf(db.any('select * from nowhere'))
    const { DatabaseError } = pgp.pg as unknown as { DatabaseError: typeof Error }
    return `${(error as unknown) instanceof DatabaseError ? 'DatabaseError' : error.name} ${error.code}`
  }),
  on('`one` without a row', async ({ db, pgp }) => {
    const error = await errorOf(db.one('select where false'))
    const isIt = (error as unknown) instanceof pgp.errors.QueryResultError
    return isIt ? `QueryResultError ${error.code}` : error.name
  }),
  on('20 transactions at once on 3 connections', async ({ db }) => {
    const one = () =>
      db.tx(async (t) => {
        const seen = new Set<unknown>()
        for (let i = 0; i < 3; i++) seen.add((await t.one(PID)).pid)
        return seen.size
      })
    const sizes = await Promise.all(Array.from({ length: 20 }, one))
    return `${sizes.filter((size) => size === 1).length} keep to one`
  }),
  on('the body of a transaction throws', async ({ db }) => {
    const { message } = await errorOf(
      db.tx(async (t) => {
        await t.none("insert into person (name) values ('body')")
        throw new Error('its error')
      }),
    )
    return `${message}; ${(await db.any("select from person where name = 'body'")).length} rows`
  }),
  on('a nested transaction fails, the outer goes on', async ({ db }) => {
    await db.tx(async (t) => {
      await t.none("insert into person (name) values ('outer')")
      await errorOf(t.tx((inner) => inner.one('select 1/0')))
    })
    const kept = await db.result("delete from person where name = 'outer'")
    return `${kept.rowCount} row`
  }),
  on('a mode of the transaction', async ({ db, pgp }) => {
    const { TransactionMode, isolationLevel } = pgp.txMode
    const mode = new TransactionMode({ tiLevel: isolationLevel.serializable, readOnly: true })
    return JSON.stringify(
      await db.tx({ mode }, (t) =>
        t.one(
          `select current_setting('transaction_isolation') as i, current_setting('transaction_read_only') as r`,
        ),
      ),
    )
  }),
  on('COMMIT that fails: a deferred constraint', async ({ db, state }) => {
    const { code } = await errorOf(db.tx((t) => t.none('insert into pet values (-1)')))
    await until(() => state().lent === 0)
    return `${code}; ${state().lent} lent`
  }),
  on(
    '`useCount` of three queries',
    async ({ db }) => {
      const counts: number[] = []
      for (let i = 0; i < 3; i++) await db.task((t) => void counts.push(t.ctx.useCount))
      return counts.join(', ')
    },
    { max: 1 },
  ),
  on('`schema`', async ({ db }) => (await db.one('show search_path')).search_path, {
    init: { schema: 'shop' },
  }),
  on('a shared connection', async ({ db }) => {
    const sco = await db.connect()
    await sco.none('create temp table mine as select 7 as n')
    const { n } = await sco.one('select n from mine')
    sco.done()
    return `its temporary table: ${n}`
  }),
  on('a shared connection is done twice', async ({ db }) => {
    const sco = await db.connect()
    sco.done()
    try {
      sco.done()
      return 'nothing'
    } catch (error) {
      return (error as Error).message
    }
  }),
  on('LISTEN on a shared connection', async ({ db }) => {
    const sco = await db.connect()
    const heard = new Promise<string>((resolve) =>
      sco.client.on('notification', ({ payload }) => resolve(payload)),
    )
    await sco.none('listen news')
    await db.none("notify news, 'hello'")
    const payload = await heard
    await sco.none('unlisten *')
    sco.done()
    return payload
  }),
  on('`onLost` of a shared connection', async ({ db }) => {
    let lost = ''
    const sco = await db.connect({
      onLost: (error) => {
        lost = error.message
      },
    })
    await kill((await sco.one(PID)).pid)
    await until(() => lost !== '')
    return lost
  }),
  on('a query after `db.$pool.end()`', async ({ db }) => {
    await db.one(PID)
    await db.$pool.end()
    return (await errorOf(db.one(PID))).message
  }),
].map((behaviour) => ({ ...behaviour, verdict: 'same' as const }))

const better: Comparison<Subject>[] = [
  {
    ...on(
      'the backend dies while a task holds it',
      async ({ db, state, hasLost }) =>
        db.task(async (t) => {
          await kill((await t.one(PID)).pid)
          await until(hasLost)
          return `its place is ${state().lent === 0 ? 'free' : 'taken'}`
        }),
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'the next in the queue gets it at once, not when the task has ended',
  },
  {
    ...on(
      'no connection is free',
      async ({ db }) => {
        const sco = await db.connect()
        const { message } = await errorOf(db.one(PID))
        sco.done()
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
        await db.task((t) => t.none('begin'))
        await db.none("insert into person (name) values ('lost')")
        const seen = await ask(server, `select from person where name = 'lost'`)
        return seen.length > 0 ? 'rolled back; the next write is committed' : 'the next write is in it'
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'what is given back is looked at, without a round trip',
  },
  {
    ...on('the `client` of a shared connection, after `done()`', async ({ db }) => {
      const sco = await db.connect()
      const { client } = sco
      sco.done()
      return client.query('select 1').then(
        () => 'runs on a connection that was given back',
        (error: { code: string }) => error.code,
      )
    }),
    verdict: 'better',
    reason: 'the connection may serve somebody else by then',
  },
]

const different: Comparison<Subject>[] = [
  {
    ...on('`db.$pool.end()`', async ({ db, isOpen }) => {
      await db.one(PID)
      await db.$pool.end()
      return isOpen() ? 'lets go of the pool' : 'ends the pool'
    }),
    verdict: 'differs',
    reason: 'one pool may serve two; `ownsPool: true` closes it',
  },
  {
    ...on('`db.$pool.end()` twice', async ({ db }) => {
      await db.$pool.end()
      return db.$pool.end().then(
        () => 'nothing more',
        (error) => error.message,
      )
    }),
    verdict: 'differs',
    reason: 'to let go of what one has let go of harms nobody',
  },
  {
    ...on('`db.connect({ direct: true })`', async ({ db }) => {
      return db.connect({ direct: true }).then(
        async (sco) => {
          await sco.done()
          return 'connects'
        },
        (error) => error.code,
      )
    }),
    verdict: 'differs',
    reason: 'the pool gives its credentials to nobody: say where to by the option `direct`',
  },
  {
    ...on('two databases, one connection string', async (open) => {
      const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined)
      const pools = open.second()
      const lines = printed.mock.calls.length
      printed.mockRestore()
      return `${pools} ${lines > 0 ? 'and a warning' : ''}`.trim()
    }),
    verdict: 'differs',
    reason: 'they share it',
  },
]

describe('pg-promise on its own pool and on rockpool', () => {
  const sides = {
    original: 'pg-promise 12 on pg.Pool',
    theirs: async () => theirs,
    ours: async () => ours,
  }
  compare('docs/orm/pg-promise.md', sides, [...same, ...better, ...different])
})
