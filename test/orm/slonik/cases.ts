import assert from 'node:assert/strict'
import type { Client } from 'pg'
import type { PoolOptions, SqlPool } from '../../../src/index.ts'
import { rockpoolDriverFactory } from '../../../src/orm/slonik/index.ts'
import {
  ask,
  errorOf,
  eventually,
  kill,
  PG_URL,
  pidOf,
  poolFor,
  type SlonikPool,
  slonik,
  slonikOn,
  sql,
  uncaught,
  whole,
} from './lab.ts'

type Limits = PoolOptions<Client> & { slonik?: object }
type Case = () => Promise<void>

/** A case with a Slonik and a pool of its own. */
function on(run: (db: SlonikPool, pool: SqlPool<Client>) => Promise<unknown>, limits: Limits = {}): Case {
  return async () => {
    const { slonik: options, ...poolOptions } = limits
    const pool = poolFor(poolOptions)
    const db = await slonikOn(pool, options)
    uncaught.length = 0
    try {
      await run(db, pool)
      await whole(pool)
      assert.deepEqual(uncaught, [])
    } finally {
      await db.end()
      await pool.close({ drainTimeoutMs: 0 })
    }
  }
}

const isA = (error: unknown, name: `${string}Error`) =>
  assert.ok(error instanceof (slonik[name] as never), `${error} is no ${name}`)

async function refused(pool: SqlPool<Client>, options: object, expected: object): Promise<void> {
  const error = await errorOf(
    slonik.createPool('postgres://', { driverFactory: rockpoolDriverFactory(pool), ...options }),
  )
  assert.deepEqual({ code: error.code, option: error.option }, expected)
}

export const cases: Record<string, Case> = {
  'queries go through the pool, and what Slonik keeps has no connection': on(async (db, pool) => {
    const numbers = await Promise.all([1, 2, 3, 4, 5].map((n) => db.oneFirst(sql`select ${n}::int`)))
    assert.deepEqual(numbers, [1, 2, 3, 4, 5])
    // Some may be on their way yet.
    await eventually(async () => {
      const { leased, idle, total } = pool.stats()
      assert.deepEqual({ leased, idle }, { leased: 0, idle: total })
      const [row] = await ask(`select count(*)::int as n from pg_stat_activity
        where backend_type = 'client backend' and application_name <> 'admin'`)
      assert.equal(row?.n, pool.stats().total)
    })
  }),

  "values are read by Slonik's parsers, and arrays of them": on(async (db) => {
    const row =
      await db.one(sql`select 7::int8 as big, '2020-01-01 00:00:00+00'::timestamptz as at, 1.5::numeric as n,
      array[1, null, 3]::int8[] as many, array[array[1, 2]]::int8[] as nested, '{"a":1}'::jsonb as doc, 'x'::text as t`)
    assert.deepEqual(row, {
      big: 7n,
      at: Date.UTC(2020, 0, 1),
      n: 1.5,
      many: [1n, null, 3n],
      nested: [[1n, 2n]],
      doc: { a: 1 },
      t: 'x',
    })
  }),

  'others on the same pool read by their own': on(async (db, pool) => {
    assert.equal(await db.oneFirst(sql`select 7::int8 as n`), 7n)
    assert.deepEqual((await pool.query('select 7::int8 as n')).rows, [{ n: '7' }])
  }),

  "a parser of the user's own": on(
    async (db) => assert.equal(await db.oneFirst(sql`select 'a'::text`), 'read a'),
    { slonik: { typeParsers: [{ name: 'text', parse: (value: string) => `read ${value}` }] } },
  ),

  'a parser for a type that is not there': async () => {
    const pool = poolFor()
    const typeParsers = [{ name: 'nowhere', parse: String }]
    const error = await errorOf(slonikOn(pool, { typeParsers }))
    await pool.close()
    assert.equal(error.message, 'Database type "nowhere" not found.')
  },

  'errors are of the classes that Slonik gives': on(async (db) => {
    const of = (query: object) => errorOf(db.query(query))
    isA(await of(sql`insert into person (name) values (null)`), 'NotNullIntegrityConstraintViolationError')
    isA(await of(sql`insert into pet (owner_id) values (-1)`), 'ForeignKeyIntegrityConstraintViolationError')
    isA(
      await of(sql`insert into person (id, name) values (1, 'x'), (1, 'x')`),
      'UniqueIntegrityConstraintViolationError',
    )
    isA(await of(sql`insert into person (name) values ('')`), 'CheckIntegrityConstraintViolationError')
    isA(await of(sql`selec 1`), 'InputSyntaxError')
    isA(await of(sql`select ${'x'}::int`), 'InvalidInputError')
    isA(await of(sql`insert into person (name) values ('two'); select 2`), 'InvalidInputError')
    assert.deepEqual(await db.any(sql`select from person where name = 'two'`), [])
    isA(await errorOf(db.one(sql`select where false`)), 'NotFoundError')
    assert.equal((await of(sql`select * from nowhere`)).code, '42P01')
  }),

  'an error costs no connection': on(
    async (db, pool) => {
      const pid = await pidOf(db)
      await errorOf(db.query(sql`select 1/0`))
      await errorOf(db.transaction((t) => t.query(sql`select 1/0`)))
      assert.equal(await pidOf(db), pid)
      assert.equal(pool.stats().created, 1)
    },
    { max: 1 },
  ),

  '50 transactions, some of which fail, keep to one connection each': on(async (db, pool) => {
    const one = (n: number) =>
      db.transaction(async (t) => {
        const first = await pidOf(t)
        await t.query(sql`insert into person (name) values (${`crowd ${n}`})`)
        assert.equal(await pidOf(t), first)
        if (n % 5 === 0) throw new Error('on purpose')
      })
    const ends = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => one(n)))
    assert.equal(ends.filter(({ status }) => status === 'rejected').length, 10)
    assert.equal((await db.any(sql`select from person where name like 'crowd %'`)).length, 40)
    assert.ok(pool.stats().total <= 3)
  }),

  'nested transactions are savepoints': on(async (db) => {
    await db.transaction(async (t) => {
      await t.query(sql`insert into person (name) values ('outer')`)
      await errorOf(
        t.transaction(async (inner) => {
          await inner.query(sql`insert into person (name) values ('inner')`)
          throw new Error('on purpose')
        }),
      )
    })
    assert.deepEqual(await db.any(sql`select name from person where name in ('outer', 'inner')`), [
      { name: 'outer' },
    ])
  }),

  'a transaction is tried again after a serialization failure': on(async (db) => {
    let runs = 0
    const done = await db.transaction(async (t) => {
      runs++
      if (runs < 3) await t.query(sql`do $$ begin raise exception 'again' using errcode = '40001'; end $$`)
      return t.oneFirst(sql`select 'done'`)
    })
    assert.deepEqual({ done, runs }, { done: 'done', runs: 3 })
  }),

  'COMMIT that fails leaves the pool whole': on(
    async (db) => {
      for (let i = 0; i < 3; i++) {
        const error = await errorOf(
          db.transaction((t) => t.query(sql`insert into late_pet (owner_id) values (-1)`)),
        )
        isA(error, 'ForeignKeyIntegrityConstraintViolationError')
      }
      assert.equal(await db.oneFirst(sql`select 1`), 1)
    },
    { max: 1 },
  ),

  'a killed backend frees its place, and is told in the words of Slonik': on(
    async (db, pool) => {
      const error = await errorOf(
        db.connect(async (c) => {
          await kill(await pidOf(c))
          await eventually(() => assert.equal(pool.stats().closed.lost, 1))
          return c.query(sql`select 1`)
        }),
      )
      isA(error, 'BackendTerminatedError')
      assert.equal(await db.oneFirst(sql`select 1`), 1)
    },
    { max: 1 },
  ),

  'a backend killed in a transaction': on(
    async (db) => {
      const error = await errorOf(
        db.transaction(async (t) => {
          const slow = t.query(sql`select pg_sleep(60)`)
          slow.catch(() => undefined)
          const pid = await eventually(async () => {
            const [row] = await ask(
              `select pid from pg_stat_activity where state = 'active' and query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`,
            )
            assert.ok(row)
            return row.pid
          })
          await kill(pid)
          await slow
        }),
      )
      assert.match(error.constructor.name, /^BackendTerminated/)
      assert.equal(await db.oneFirst(sql`select 1`), 1)
    },
    { max: 1 },
  ),

  'nobody waits without end, nor three times': on(
    async (db, pool) => {
      await db.connect(async () => {
        pool.resize({ acquireTimeoutMs: 100 })
        const error = await errorOf(db.one(sql`select 1`))
        isA(error, 'ConnectionError')
        assert.equal((error.cause as { code?: string }).code, 'ACQUIRE_TIMEOUT')
        assert.match(error.message, /1 leased/)
        assert.equal(pool.stats().timedOut, 1)
      })
    },
    { max: 1 },
  ),

  'what has been used before tells the same of a connection that cannot be had': on(
    async (db, pool) => {
      await Promise.all([pidOf(db), pidOf(db)])
      await whole(pool)
      await eventually(() => assert.equal(db.state().idleConnections, 2))
      const leases = await Promise.all([pool.acquire(), pool.acquire()])
      pool.resize({ acquireTimeoutMs: 100 })
      const one = sql`select 1`
      const attempts = [
        () => db.one(one),
        () => db.transaction((t) => t.one(one)),
        () => db.connect((c) => c.one(one)),
        () => db.stream(one, (stream) => void stream.destroy),
      ]
      for (const attempt of attempts) {
        const error = await errorOf(attempt())
        isA(error, 'ConnectionError')
        assert.equal((error.cause as { code?: string }).code, 'ACQUIRE_TIMEOUT')
      }
      pool.resize({ acquireTimeoutMs: 30_000 })
      for (const lease of leases) lease.release()
      assert.equal(await db.oneFirst(sql`select 1`), 1)
      await whole(pool)
      await pool.close()
      const error = await errorOf(db.one(one))
      isA(error, 'ConnectionError')
      assert.equal((error.cause as { code?: string }).code, 'POOL_CLOSED')
    },
    { max: 2 },
  ),

  'one that waits is served when a connection comes back, also a stream': on(
    async (db, pool) => {
      await pidOf(db)
      await whole(pool)
      const lease = await pool.acquire()
      let sum = 0
      const one = db.oneFirst(sql`select 1`)
      const stream = db.stream(sql`select n::int from generate_series(1, 10) n`, (rows) => {
        void (async () => {
          for await (const { data } of rows) sum += Number(data.n)
        })()
      })
      await eventually(() => assert.equal(pool.stats().waiting, 2))
      lease.release()
      assert.equal(await one, 1)
      await stream
      await eventually(() => assert.equal(sum, 55))
    },
    { max: 1 },
  ),

  'a connection that nobody asks anything of goes back unused': on(
    async (db, pool) => {
      await pidOf(db)
      await whole(pool)
      const lease = await pool.acquire()
      assert.equal(await db.connect(async () => 'nothing asked'), 'nothing asked')
      lease.release()
      await whole(pool)
      assert.equal(await db.oneFirst(sql`select 1`), 1)
    },
    { max: 1 },
  ),

  'a crowd leaves no more than the pool has': on(async (db, pool) => {
    for (let i = 0; i < 2; i++) await Promise.all(Array.from({ length: 50 }, () => pidOf(db)))
    await whole(pool)
    await eventually(() => assert.equal(db.state().acquiredConnections, 0))
    assert.ok(db.state().idleConnections <= 3)
  }),

  'what is kept of a connection, or of a transaction, does not meet the next': on(
    async (db, pool) => {
      const connection = await db.connect(async (c) => c)
      await whole(pool)
      const transaction = await db.transaction(async (t) => t)
      await whole(pool)
      const insert = sql`insert into person (name) values ('stale')`
      const attempts = async () => {
        await errorOf(Promise.resolve().then(() => connection.query(insert)))
        await errorOf(Promise.resolve().then(() => transaction.query(insert)))
      }
      await db.connect(async (c) => {
        await pidOf(c)
        await attempts()
      })
      // As from elsewhere: within a transaction Slonik itself would know.
      let go = () => {}
      const isAsked = new Promise<void>((resolve) => {
        go = resolve
      })
      const tried = isAsked.then(attempts)
      await db.transaction(async (t) => {
        await pidOf(t)
        go()
        await tried
      })
      assert.deepEqual(await db.any(sql`select from person where name = 'stale'`), [])
    },
    { max: 1 },
  ),

  'a statement that nobody waits for costs its connection nothing but time': on(
    async (db, pool) => {
      const late = db.connect(async (c) => {
        c.query(sql`select pg_sleep(0.05)`).catch(() => undefined)
      })
      await late
      assert.equal(await db.oneFirst(sql`select 1`), 1)
      assert.equal(pool.stats().created, 1)
    },
    { max: 1 },
  ),

  streams: on(async (db) => {
    let sum = 0
    await db.stream(sql`select n::int8 from generate_series(1, 1000) n`, (stream) => {
      void (async () => {
        for await (const { data } of stream) sum += Number(data.n)
      })()
    })
    await eventually(() => assert.equal(sum, 500_500))
  }),

  'a stream that is left early': on(
    async (db) => {
      const error = await errorOf(
        db.stream(sql`select n from generate_series(1, 1000000) n`, (stream) => {
          void (async () => {
            for await (const _ of stream) break
          })()
        }),
      )
      assert.notEqual(error.message, '')
      assert.equal(await db.oneFirst(sql`select 1`), 1)
    },
    { max: 1 },
  ),

  'a stream whose statement is wrong': on(
    async (db) => {
      const error = await errorOf(
        db.stream(sql`selec 1`, (stream) => {
          void (async () => {
            for await (const _ of stream);
          })().catch(() => undefined)
        }),
      )
      isA(error, 'InputSyntaxError')
      assert.equal(await db.oneFirst(sql`select 1`), 1)
    },
    { max: 1 },
  ),

  notices: on(async (db) => {
    const { notices } = await db.query(sql`do $$ begin raise notice 'hello'; end $$`)
    assert.deepEqual(notices, [{ message: 'hello' }])
  }),

  "what a session leaves is gone: Slonik's `DISCARD ALL`": on(
    async (db) => {
      await db.connect(async (c) => {
        await c.query(sql`create temp table mine as select 1 as n`)
        await c.query(sql`set time zone 'Asia/Tokyo'`)
      })
      assert.equal((await errorOf(db.query(sql`insert into mine values (1)`))).code, '42P01')
      assert.notEqual(await db.oneFirst(sql`show time zone`), 'Asia/Tokyo')
    },
    { max: 1 },
  ),

  'named statements, which `DISCARD ALL` drops': on(
    async (db) => {
      const named = () => ({ ...sql`select 1 as n`, name: 'one' })
      for (let i = 0; i < 3; i++) assert.deepEqual(await db.one(named()), { n: 1 })
    },
    { max: 1 },
  ),

  "the user's own `resetConnection`": (() => {
    const told: string[] = []
    const resetConnection = async ({ query }: { query: (text: string) => Promise<void> }) => {
      told.push('reset')
      await query('reset all')
    }
    return on(
      async (db) => {
        await db.connect((c) => c.query(sql`set time zone 'Asia/Tokyo'`))
        assert.notEqual(await db.oneFirst(sql`show time zone`), 'Asia/Tokyo')
        await eventually(() => assert.equal(told.length, 2))
      },
      { max: 1, slonik: { resetConnection } },
    )
  })(),

  'a `resetConnection` that fails costs the connection and nothing else': on(
    async (db, pool) => {
      const first = await pidOf(db)
      assert.notEqual(await pidOf(db), first)
      await eventually(() => assert.ok(pool.stats().closed.destroyed >= 1))
    },
    { max: 1, slonik: { resetConnection: () => Promise.reject(new Error('no')) } },
  ),

  "Slonik's timeouts hold, and only for Slonik": on(
    async (db, pool) => {
      assert.equal(await db.oneFirst(sql`show idle_in_transaction_session_timeout`), '7s')
      isA(await errorOf(db.query(sql`select pg_sleep(60)`)), 'StatementTimeoutError')
      await whole(pool)
      const { rows } = await pool.query('show statement_timeout', [], { multiplex: false })
      assert.deepEqual(rows, [{ statement_timeout: '0' }])
    },
    { max: 1, slonik: { statementTimeout: 1_000, idleInTransactionSessionTimeout: 7_000 } },
  ),

  'timeouts that the pool has anyway cost nothing': async () => {
    const url = `${PG_URL}${PG_URL.includes('?') ? '&' : '?'}options=-c%20statement_timeout%3D60000%20-c%20idle_in_transaction_session_timeout%3D60000`
    const { createPool } = await import('../../../src/create-pool.ts')
    const { pg } = await import('../../../src/drivers/pg/index.ts')
    const { default: module } = await import('pg')
    const pool = createPool(pg(url, { module }), { max: 1 }) as SqlPool<Client>
    const texts: unknown[] = []
    const db = await slonikOn(pool)
    const lease = await pool.acquire()
    const client = lease.connection
    const { query } = client
    Object.assign(client, {
      query(...given: [{ text?: string }]) {
        texts.push(given[0]?.text ?? given[0])
        return Reflect.apply(query, client, given)
      },
    })
    lease.release()
    assert.equal(await db.oneFirst(sql`show statement_timeout`), '1min')
    await whole(pool)
    await db.end()
    await pool.close()
    assert.deepEqual(texts, ['show statement_timeout', 'DISCARD ALL'])
  },

  'interceptors see connections and may refuse them': (() => {
    const told: string[] = []
    const interceptor = {
      name: 'watcher',
      beforePoolConnection: async () => void told.push('before'),
      afterPoolConnection: async () => {
        told.push('after')
        if (told.length > 4) throw new Error('refused')
      },
      beforePoolConnectionRelease: async () => void told.push('release'),
    }
    return on(
      async (db, pool) => {
        assert.equal(await db.oneFirst(sql`select 1`), 1)
        await whole(pool)
        assert.deepEqual(told, ['before', 'after', 'release'])
        assert.equal((await errorOf(db.one(sql`select 1`))).message, 'refused')
      },
      { max: 1, slonik: { interceptors: [interceptor] } },
    )
  })(),

  '`end` lets go: another Slonik on the same pool goes on': on(async (db, pool) => {
    const other = await slonikOn(pool)
    await other.oneFirst(sql`select 1`)
    await other.end()
    assert.ok(await errorOf(other.one(sql`select 1`)))
    assert.equal(pool.closed, false)
    assert.equal(await db.oneFirst(sql`select 1`), 1)
  }),

  'a pool that is closed': async () => {
    const pool = poolFor()
    const db = await slonikOn(pool)
    await pool.close()
    const error = await errorOf(db.one(sql`select 1`))
    isA(error, 'ConnectionError')
    assert.equal((error.cause as { code?: string }).code, 'POOL_CLOSED')
    await db.end()
  },

  'what contradicts the pool is refused': async () => {
    const pool = poolFor()
    const code = 'INVALID_OPTION'
    await refused(pool, { maxPoolSize: 50 }, { code, option: 'maxPoolSize' })
    await refused(pool, { password: 'swordfish' }, { code, option: 'password' })
    const other = slonik.createPool('postgres://localhost/elsewhere', {
      driverFactory: rockpoolDriverFactory(pool),
    })
    const error = await errorOf(other)
    assert.match(error.message, /"elsewhere"/)
    assert.equal(error.option, 'connectionUri')
    assert.throws(() => rockpoolDriverFactory({} as never), /createPool/)
    assert.throws(() => rockpoolDriverFactory(pool, { slonick: 1 } as never), /slonick/)
    await pool.close()
  },
}
