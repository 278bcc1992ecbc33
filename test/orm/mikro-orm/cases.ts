import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rockpoolMikroOrm } from '../../../src/orm/mikro-orm/index.ts'
import {
  Author,
  ask,
  Book,
  type EntityManager,
  errorOf,
  eventually,
  initOrm,
  kill,
  MYSQL_URL,
  mysqlPool,
  type Orm,
  ormOn,
  PG_URL,
  pgPool,
  pidOf,
  sqlitePool,
  uncaughtIn,
  whole,
} from './lab.ts'

type Limits = Parameters<typeof pgPool>[0]
type Pool = ReturnType<typeof pgPool>

/** A case with an ORM and a pool of its own. */
async function on(run: (orm: Orm, pool: Pool) => Promise<unknown>, limits: Limits = {}): Promise<void> {
  const pool = pgPool(limits)
  try {
    const orm = await ormOn(pool)
    await orm.schema.clear()
    await run(orm, pool)
    await whole(pool)
    await orm.close()
  } finally {
    await pool.close({ drainTimeoutMs: 0 })
  }
}

/** How many the server counts, but for the one that asks. */
async function sessions(): Promise<unknown> {
  const [row] = await ask(
    `select count(*)::int as n from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
  )
  return row?.n
}

async function writeAda(em: EntityManager): Promise<void> {
  const ada = em.create(Author, { name: 'Ada', born: new Date('1815-12-10T01:02:03.456Z') })
  em.create(Book, { title: 'Notes', author: ada })
  em.create(Book, { title: 'Letters', author: ada })
  await em.flush()
}

async function readsAda(em: EntityManager): Promise<void> {
  const [ada] = await em.find(Author, { name: 'Ada' }, { populate: ['books'] })
  assert.deepEqual([...(ada?.books ?? [])].map(({ title }) => title).sort(), ['Letters', 'Notes'])
  assert.match(JSON.stringify(ada), /"born":"1815-12-10T01:02:03/)
}

async function crowd(orm: Orm, count: number): Promise<number> {
  const one = (n: number) =>
    orm.em.fork().transactional(async (em) => {
      const [{ id } = {}] = await em.execute('select pg_backend_pid() as id')
      em.create(Author, { name: `n${n}` })
      await em.flush()
      if (n % 5 === 0) throw new Error(`no ${n}`)
      if (n % 7 === 0) await em.execute('select 1/0')
      const [again] = await em.execute('select pg_backend_pid() as id')
      assert.equal(again?.id, id)
    })
  const ends = await Promise.allSettled(Array.from({ length: count }, (_, n) => one(n)))
  return ends.filter(({ status }) => status === 'rejected').length
}

/** By what they show. They run one after another; the first makes the tables. */
export const cases: Record<string, () => Promise<unknown>> = {
  'PostgreSQL: the schema is made through the pool': async () => {
    const pool = pgPool()
    const orm = await ormOn(pool)
    await orm.schema.create()
    assert.equal(await orm.em.fork().count(Author), 0)
    await orm.close()
    await pool.close()
  },

  'PostgreSQL: relations are written and read': () =>
    on(async (orm) => {
      await writeAda(orm.em.fork())
      await readsAda(orm.em.fork())
    }),

  'PostgreSQL: 50 transactions at once, some of which fail, each on one connection': () =>
    on(async (orm) => {
      assert.equal(await crowd(orm, 50), 16)
      assert.equal(await orm.em.fork().count(Author), 34)
    }),

  'PostgreSQL: only connections of the pool are used': () =>
    on(async (orm, pool) => {
      await Promise.all(Array.from({ length: 10 }, () => orm.em.fork().count(Author)))
      // Some may be on their way yet, and those of the case before on theirs out.
      await eventually(async () => assert.equal(await sessions(), pool.stats().total))
    }),

  "PostgreSQL: raw values are as MikroORM reads them, others of the pool see pg's": () =>
    on(
      async (orm, pool) => {
        const text = `select '2020-01-02T03:04:05Z'::timestamptz as at, array['2020-01-02'::date] as days`
        const [mine] = await orm.em.fork().execute(text)
        assert.equal(typeof mine?.at, 'string')
        assert.deepEqual(mine?.days, ['2020-01-02'])
        const { rows } = await pool.query<{ at: unknown; days: unknown[] }>(text)
        assert.ok(rows[0]?.at instanceof Date)
        assert.ok(rows[0]?.days[0] instanceof Date)
      },
      { max: 1 },
    ),

  'PostgreSQL: nested transactions are savepoints': () =>
    on(async (orm) => {
      await orm.em.fork().transactional(async (em) => {
        em.create(Author, { name: 'outer' })
        await em.flush()
        await errorOf(
          em.transactional(async (inner) => {
            inner.create(Author, { name: 'inner' })
            await inner.flush()
            throw new Error('no')
          }),
        )
      })
      assert.equal(await orm.em.fork().count(Author), 1)
    }),

  'PostgreSQL: a stream is read to its end, and left early': () =>
    on(async (orm) => {
      await writeAda(orm.em.fork())
      let count = 0
      for await (const _ of orm.em.fork().createQueryBuilder(Book).stream()) count++
      assert.equal(count, 2)
      for await (const _ of orm.em.fork().createQueryBuilder(Book).stream()) break
    }),

  'PostgreSQL: errors of the server are those of MikroORM': () =>
    on(async (orm) => {
      await writeAda(orm.em.fork())
      const error = await errorOf(writeAda(orm.em.fork()))
      assert.equal(error.name, 'UniqueConstraintViolationException')
      assert.equal(error.code, '23505')
    }),

  'PostgreSQL: a COMMIT that fails is an error, and the pool is whole': () =>
    on(async (orm) => {
      await ask('alter table book alter constraint book_author_id_foreign deferrable initially deferred')
      const error = await errorOf(
        orm.em
          .fork()
          .transactional((em) => em.execute(`insert into book (title, author_id) values ('x', -1)`)),
      )
      assert.equal(error.code, '23503')
    }),

  'PostgreSQL: a connection that dies in a transaction ends it with an error, and its place is free': () =>
    on(
      async (orm, pool) => {
        const uncaught = await uncaughtIn(async () => {
          const error = await errorOf(
            orm.em.fork().transactional(async (em) => {
              await kill(await pidOf(em))
              await eventually(() => assert.equal(pool.stats().closed.lost, 1))
              await em.execute('select 1')
            }),
          )
          assert.equal(error.code, 'CONNECTION_LOST')
        })
        assert.deepEqual(uncaught, [])
        assert.equal(await orm.em.fork().count(Author), 0)
      },
      { max: 1 },
    ),

  'PostgreSQL: connections that died while idle are noticed before BEGIN': () =>
    on(async (orm) => {
      const pids = new Set<unknown>()
      const note = () => orm.em.fork().transactional(async (em) => pids.add(await pidOf(em)))
      await Promise.all([note(), note(), note()])
      for (const pid of pids) await kill(pid)
      await eventually(() => note())
    }),

  'PostgreSQL: when no connection is free, the error says what the pool looks like': () =>
    on(
      async (orm, pool) => {
        const lease = await pool.acquire()
        pool.resize({ acquireTimeoutMs: 100 })
        const em = () => orm.em.fork()
        for (const attempt of [() => em().count(Author), () => em().transactional(async () => 0)]) {
          const { message } = await errorOf(attempt())
          assert.match(message, /1 leased, 0 idle/)
        }
        pool.resize({ acquireTimeoutMs: 30_000 })
        lease.release()
        assert.equal(await orm.em.fork().count(Author), 0)
      },
      { max: 1 },
    ),

  'PostgreSQL: close lets go of the pool, and the ORM may come back': () =>
    on(async (orm, pool) => {
      await orm.em.fork().count(Author)
      await orm.close()
      assert.equal(pool.closed, false)
      await orm.connect()
      assert.equal(await orm.em.fork().count(Author), 0)
    }),

  'PostgreSQL: with ownsPool, close closes the pool': async () => {
    const pool = pgPool()
    const orm = await ormOn(pool, { ownsPool: true })
    await orm.em.fork().count(Author)
    await orm.close()
    assert.equal(pool.closed, true)
  },

  'PostgreSQL: one pool serves two': () =>
    on(async (orm, pool) => {
      const other = await ormOn(pool)
      await writeAda(other.em.fork())
      await other.close()
      await readsAda(orm.em.fork())
    }),

  'PostgreSQL: the hooks see connections': async () => {
    const pool = pgPool({ max: 1 })
    const seen: string[] = []
    const orm = await ormOn(pool, {
      onCreateConnection: async () => void seen.push('created'),
      onReserveConnection: async () => void seen.push('reserved'),
    })
    await orm.em.fork().count(Author)
    assert.deepEqual(seen.splice(0).slice(0, 2), ['created', 'reserved'])
    await orm.em.fork().count(Author)
    assert.deepEqual(seen, ['reserved'])
    await orm.close()
    await pool.close()
  },

  'PostgreSQL: a MikroORM that goes past the pool says so, and opens nothing': async () => {
    const pool = pgPool()
    const adapter = rockpoolMikroOrm(pool)
    const { Kysely, PostgresDialect } = await import('kysely')
    const foreign = new Kysely({ dialect: new PostgresDialect({ pool: async () => assert.fail('used') }) })
    // An instance from another copy looks so to MikroORM.
    Object.setPrototypeOf(foreign, {})
    const bypasses = [
      { ...adapter, driverOptions: { host: '127.0.0.1' } },
      { ...adapter, driverOptions: undefined },
      { ...adapter, driverOptions: () => foreign },
      { ...adapter, clientUrl: PG_URL, driverOptions: {} },
    ]
    for (const options of bypasses) {
      const error = await errorOf(initOrm('postgresql', options).then((orm) => orm.em.fork().count(Author)))
      assert.equal(error.code, 'POOL_BYPASSED', `${error}`)
      assert.match(error.message, /MikroORM.*"driverOptions"/)
    }
    assert.equal(pool.stats().acquired, 0)
    await eventually(async () => assert.equal(await sessions(), 0))
    await pool.close()
  },

  'PostgreSQL: a replica that goes past the pool says so': async () => {
    const pool = pgPool()
    const replicas = [{ driverOptions: { host: '127.0.0.1' } }]
    const orm = initOrm('postgresql', { ...rockpoolMikroOrm(pool), replicas })
    const error = await errorOf(orm.then(({ em }) => em.fork().find(Author, { name: 'x' })))
    assert.equal(error.code, 'POOL_BYPASSED', `${error}`)
    await pool.close()
  },

  'SQLite: relations and transactions': async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rockpool-mikro-orm-'))
    const pool = sqlitePool(join(folder, 'db'))
    const orm = await initOrm('sqlite', rockpoolMikroOrm(pool))
    await orm.schema.update()
    await writeAda(orm.em.fork())
    await readsAda(orm.em.fork())
    const one = (n: number) =>
      orm.em.fork().transactional(async (em) => {
        em.create(Author, { name: `n${n}` })
        await em.flush()
        if (n % 2 === 0) throw new Error('no')
      })
    await Promise.allSettled([1, 2, 3, 4].map(one))
    assert.equal(await orm.em.fork().count(Author), 3)
    await orm.close()
    await pool.close()
    rmSync(folder, { recursive: true })
  },
}

async function onMysql(run: (orm: Orm, pool: Awaited<ReturnType<typeof mysqlPool>>) => Promise<unknown>) {
  const pool = await mysqlPool()
  try {
    const orm = await initOrm('mariadb', { dbName: 'app', ...rockpoolMikroOrm(pool) })
    await orm.schema.update()
    await orm.schema.clear()
    await run(orm, pool)
    await whole(pool)
    await orm.close()
  } finally {
    await pool.close({ drainTimeoutMs: 0 })
  }
}

if (MYSQL_URL !== undefined)
  Object.assign(cases, {
    'MariaDB: relations are written and read': () =>
      onMysql(async (orm) => {
        await writeAda(orm.em.fork())
        await readsAda(orm.em.fork())
      }),

    'MariaDB: transactions keep to a connection, and roll back': () =>
      onMysql(async (orm) => {
        const one = (n: number) =>
          orm.em.fork().transactional(async (em) => {
            const [first] = await em.execute('select connection_id() as id')
            em.create(Author, { name: `n${n}` })
            await em.flush()
            const [second] = await em.execute('select connection_id() as id')
            assert.equal(second?.id, first?.id)
            if (n % 5 === 0) throw new Error('no')
          })
        await Promise.allSettled(Array.from({ length: 20 }, (_, n) => one(n)))
        assert.equal(await orm.em.fork().count(Author), 16)
      }),

    "MariaDB: raw values are as MikroORM reads them, others of the pool see mysql2's": () =>
      onMysql(async (orm, pool) => {
        const text = `select timestamp('2020-01-02 03:04:05') as at`
        assert.equal(typeof (await orm.em.fork().execute(text))[0]?.at, 'string')
        assert.ok((await pool.query<{ at: unknown }>(text)).rows[0]?.at instanceof Date)
      }),

    'MariaDB: a connection that dies in a transaction ends it with an error': () =>
      onMysql(async (orm, pool) => {
        const error = await errorOf(
          orm.em.fork().transactional(async (em) => {
            const [{ id } = {}] = await em.execute('select connection_id() as id')
            await pool.query(`kill ${id}`)
            await eventually(() => assert.equal(pool.stats().closed.lost, 1))
            await em.execute('select 1')
          }),
        )
        assert.equal(error.code, 'CONNECTION_LOST')
        assert.equal(await orm.em.fork().count(Author), 0)
      }),
  })
