import * as kyselyModule from 'kysely'
import { CompiledQuery, type ControlledTransaction, type Generated, Kysely, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import pgModule from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { AcquireTimeoutError, ConnectionLostError } from '../../../src/contract/errors.ts'
import type { PoolOptions } from '../../../src/contract/options.ts'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { type RockpoolDialectOptions, rockpoolDialect } from '../../../src/orm/kysely/index.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { nextLent } from '../support.ts'

interface Database {
  person: { id: Generated<number>; name: string; born: Date | null }
  pet: { id: Generated<number>; owner_id: number; name: string }
}

const server = await startPostgres()
await ask(
  server,
  `create table person (id serial primary key, name text not null unique, born timestamptz);
   create table pet (id serial primary key, name text, owner_id int not null references person deferrable initially deferred)`,
)

function open(options: PoolOptions<pgModule.Client> = {}, how: RockpoolDialectOptions = {}) {
  const pool = createPool(pg(server.url(), { module: pgModule }), { max: 3, ...options })
  const db = new Kysely<Database>({ dialect: rockpoolDialect(pool, how) })
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  const expectWhole = () =>
    eventually(() => {
      const { total, idle, leased, waiting } = pool.stats()
      expect({ idle, leased, waiting }).toEqual({ idle: total, leased: 0, waiting: 0 })
    })
  return { pool, db, expectWhole }
}

const errorOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    (value) => expect.unreachable(`gave ${JSON.stringify(value)}`),
    (error) => error,
  )

let people = 0
const someone = () => `person ${++people}`
const pidOf = async (db: Kysely<Database>) =>
  (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid
const kill = (pid: number | undefined) => ask(server, 'select pg_terminate_backend($1)', [pid])

describe('statements', () => {
  test('run on the pool, with results as Kysely gives them', async () => {
    const { pool, db, expectWhole } = open()
    const name = someone()
    const { id } = await db.insertInto('person').values({ name }).returning('id').executeTakeFirstOrThrow()
    const found = await db.selectFrom('person').selectAll().where('id', '=', id).execute()
    expect(found).toEqual([{ id, name, born: null }])
    const born = new Date(0)
    const updated = await db.updateTable('person').set({ born }).where('id', '=', id).executeTakeFirst()
    expect(updated.numUpdatedRows).toBe(1n)
    const deleted = await db.deleteFrom('person').where('id', '=', id).executeTakeFirst()
    expect(deleted.numDeletedRows).toBe(1n)
    const raw = await sql`insert into person (name) values (${someone()}), (${someone()})`.execute(db)
    expect(raw.numAffectedRows).toBe(2n)
    expect((await sql`select 1 as n`.execute(db)).numAffectedRows).toBeUndefined()
    expect(pool.stats().total).toBe(1)
    await expectWhole()
  })

  test('relations are joined and nested', async () => {
    const { db } = open()
    const name = someone()
    const { id } = await db.insertInto('person').values({ name }).returning('id').executeTakeFirstOrThrow()
    await db.insertInto('pet').values({ owner_id: id, name: 'Rex' }).execute()
    const { jsonArrayFrom } = await import('kysely/helpers/postgres')
    const owners = await db
      .selectFrom('person')
      .select((eb) => [
        'name',
        jsonArrayFrom(eb.selectFrom('pet').select('pet.name').whereRef('pet.owner_id', '=', 'person.id')).as(
          'pets',
        ),
      ])
      .where('id', '=', id)
      .execute()
    expect(owners).toEqual([{ name, pets: [{ name: 'Rex' }] }])
  })

  test('single reads share connections: a crowd of them opens few', async () => {
    // No time goes by: on a busy machine reads may look too slow to share.
    const { pool, db } = open({ max: 10, clock: new VirtualClock() })
    const read = () => db.selectFrom('person').selectAll().where('id', '=', 1).execute()
    for (let i = 0; i < 10; i++) await read()
    await Promise.all(Array.from({ length: 100 }, read))
    expect(pool.stats().total).toBeLessThan(10)
  })

  test('an error is the one of pg, and its stack tells who has asked', async () => {
    const { db, expectWhole } = open()
    async function whoAsks() {
      await sql`select * from nowhere`.execute(db)
    }
    const error = await errorOf(whoAsks())
    expect(error).toBeInstanceOf(pgModule.DatabaseError)
    expect(error).toMatchObject({ code: '42P01', message: 'relation "nowhere" does not exist' })
    expect(error.stack).toContain('whoAsks')
    await expectWhole()
  })

  test('type parsers are those of the pool’s clients', async () => {
    const types = new pgModule.TypeOverrides()
    types.setTypeParser(20, (text) => BigInt(text))
    const { hostname: host, port, username: user } = new URL(server.url())
    const config = { host, port: Number(port), user, database: 'postgres', types }
    const pool = createPool(pg(config as never, { module: pgModule }), { max: 1 })
    onTestFinished(async () => void (await pool.close()))
    const db = new Kysely<Database>({ dialect: rockpoolDialect(pool) })
    const count = db
      .selectFrom('person')
      .select((eb) => eb.fn.countAll().as('n'))
      .where('id', '=', 0)
    expect(await count.execute()).toEqual([{ n: 0n }])
    expect((await sql`select 1::int8 as n`.execute(db)).rows).toEqual([{ n: 1n }])
  })

  test('connection() keeps everything on one connection, and gives it back', async () => {
    const { db, expectWhole } = open()
    const seen = await db.connection().execute(async (one) => {
      await sql`create temp table mine (n int)`.execute(one)
      const first = await one.selectNoFrom(sql<number>`pg_backend_pid()`.as('pid')).execute()
      const pids = await Promise.all([1, 2, 3, 4].map(() => pidOf(one)))
      await sql`drop table mine`.execute(one)
      return new Set([first[0]?.pid, ...pids])
    })
    expect(seen.size).toBe(1)
    await expectWhole()
  })

  test('who takes a connection without a word gets one of his own from his second statement on', async () => {
    const { pool, db, expectWhole } = open()
    const held: number[] = []
    const pids = (of: Kysely<Database>) =>
      of.getExecutor().provideConnection(async (connection) => {
        held.push(pool.stats().leased)
        const seen: unknown[] = []
        for (let i = 0; i < 3; i++) {
          const { rows } = await connection.executeQuery<{ pid: number }>(
            of.selectNoFrom(sql<number>`pg_backend_pid()`.as('pid')).compile(),
          )
          seen.push(rows[0]?.pid)
        }
        return seen
      })
    await Promise.all([pids(db), pids(db)])
    const [one, other] = await Promise.all([pids(db), pids(db)])
    expect([new Set(one).size, new Set(other).size]).toEqual([1, 1])
    // The first two held none before their first statement; the last two were given theirs at once.
    expect(held[0]).toBe(0)
    expect(held[2]).toBeGreaterThan(0)
    await expectWhole()
  })

  test('the schema is built, and read', async () => {
    const { db, expectWhole } = open()
    await db.schema.createTable('thing').addColumn('id', 'serial').addColumn('label', 'text').execute()
    const tables = await db.introspection.getTables()
    const thing = tables.find(({ name }) => name === 'thing')
    expect(thing?.columns.map(({ name }) => name)).toEqual(['id', 'label'])
    await db.schema.dropTable('thing').execute()
    await expectWhole()
  })

  test('two migrators at once run each migration once', async () => {
    const { db, expectWhole } = open()
    const runs: string[] = []
    const provider = {
      getMigrations: async () => ({
        '1_fruit': {
          up: async (on: Kysely<never>) => {
            runs.push('up')
            await on.schema.createTable('fruit').addColumn('name', 'text').execute()
          },
        },
      }),
    }
    const migrate = () => new Migrator({ db, provider }).migrateToLatest()
    const results = await Promise.all([migrate(), migrate()])
    expect(results.map(({ error }) => error)).toEqual([undefined, undefined])
    expect(runs).toEqual(['up'])
    await expectWhole()
  })

  test('a stream reads on as it is consumed, and gives the connection back when it is left', async () => {
    const { pool, db, expectWhole } = open({ max: 1 })
    const numbers = (to: number) =>
      db.selectNoFrom(sql<number>`generate_series(1, ${sql.lit(to)})`.as('n')).stream(100)
    let sum = 0
    for await (const { n } of numbers(1000)) sum += n
    expect(sum).toBe(500_500)
    await expectWhole()
    for await (const { n } of numbers(1_000_000)) if (n === 150) break
    await expectWhole()
    const failing = async () => {
      const broken = db.selectNoFrom(sql`1/(5 - generate_series(1, 10))`.as('n')).stream()
      for await (const _ of broken);
    }
    await expect(failing()).rejects.toThrow('division by zero')
    await expectWhole()
    expect(pool.stats().total).toBe(1)
  })
})

describe('transactions', () => {
  test('20 at once keep each to one of 3 connections', async () => {
    const { db, expectWhole } = open()
    const one = () =>
      db.transaction().execute(async (trx) => {
        const seen = new Set<string>()
        await trx.insertInto('person').values({ name: someone() }).execute()
        for (let i = 0; i < 3; i++) {
          const at = sql<string>`pg_backend_pid() || '/' || txid_current_if_assigned()`.as('at')
          const nap = sql`pg_sleep(0.001)`.as('nap')
          const { at: place } = await trx.selectNoFrom([at, nap]).executeTakeFirstOrThrow()
          seen.add(place)
        }
        return [...seen]
      })
    const seen = await Promise.all(Array.from({ length: 20 }, one))
    expect(seen.map((places) => places.length)).toEqual(Array(20).fill(1))
    expect(new Set(seen.flat()).size).toBe(20)
    await expectWhole()
  })

  test('have the isolation level and the access mode that was asked for', async () => {
    const { db, expectWhole } = open()
    const level = await db
      .transaction()
      .setIsolationLevel('serializable')
      .execute((trx) => sql`show transaction_isolation`.execute(trx))
    expect(level.rows).toEqual([{ transaction_isolation: 'serializable' }])
    const write = db
      .transaction()
      .setAccessMode('read only')
      .execute((trx) => trx.insertInto('person').values({ name: someone() }).execute())
    expect(await errorOf(write)).toMatchObject({ code: '25006' })
    await expectWhole()
  })

  test('controlled ones have savepoints, also with strange names', async () => {
    const { db, expectWhole } = open()
    const [outer, inner] = [someone(), someone()]
    const trx = await db.startTransaction().execute()
    await trx.insertInto('person').values({ name: outer }).execute()
    const saved = await trx.savepoint('it"s').execute()
    await saved.insertInto('person').values({ name: inner }).execute()
    await saved.rollbackToSavepoint('it"s').execute()
    await saved.releaseSavepoint('it"s').execute()
    await trx.commit().execute()
    const found = await db.selectFrom('person').select('name').where('name', 'in', [outer, inner]).execute()
    expect(found).toEqual([{ name: outer }])
    await expectWhole()
  })

  test('leave the pool whole, whatever fails: BEGIN, body, statement, COMMIT, ROLLBACK', async () => {
    const { pool, db, expectWhole } = open({ max: 1 })
    const failing = (work: (trx: Kysely<Database>) => Promise<unknown>) =>
      errorOf(db.transaction().execute(work))

    expect(await failing(() => Promise.reject(new Error('body')))).toMatchObject({ message: 'body' })
    await expectWhole()
    expect(await failing((trx) => sql`select 1/0`.execute(trx))).toMatchObject({ code: '22012' })
    await expectWhole()
    const stray = { name: 'stray', owner_id: -1 }
    const orphan = await failing((trx) => trx.insertInto('pet').values(stray).execute())
    expect(orphan).toMatchObject({ code: '23503' })
    await expectWhole()
    const swallowed = await failing((trx) => sql`select 1/0`.execute(trx).catch(() => undefined))
    expect(swallowed).toBeInstanceOf(kyselyModule.AbortedTransactionError)
    await expectWhole()
    const killed = await failing(async (trx) => {
      await kill(await pidOf(trx))
      throw new Error('the first error')
    })
    expect(killed).toMatchObject({ message: 'the first error' })
    await expectWhole()
    const isolation = 'chaos' as 'serializable'
    await errorOf(db.transaction().execute((trx) => sql`select ${isolation}::int`.execute(trx)))
    await expectWhole()
    expect(await db.transaction().execute(pidOf)).toBeTypeOf('number')
    expect(pool.stats().total).toBe(1)
  })

  describe('send BEGIN with what comes first:', () => {
    const stateOf = async (pid: number | undefined) => {
      const [row] = await ask<{ state: string }>(
        server,
        'select state from pg_stat_activity where pid = $1',
        [pid],
      )
      return row?.state
    }
    const select = (trx: Kysely<Database>) => trx.selectFrom('person').selectAll()

    test.each<[string, (trx: ControlledTransaction<Database>) => Promise<unknown>]>([
      ['a statement', (trx) => select(trx).execute()],
      ['one that may be aborted', (trx) => select(trx).execute({ signal: new AbortController().signal })],
      ['a savepoint', (trx) => trx.savepoint('here').execute()],
      [
        'a stream',
        async (trx) => {
          for await (const _ of select(trx).stream()) break
        },
      ],
    ])('%s', async (_, first) => {
      const { db, expectWhole } = open({ max: 1 })
      const pid = await pidOf(db)
      const trx = await db.startTransaction().execute()
      expect(await stateOf(pid)).toBe('idle')
      await first(trx)
      await eventually(async () => expect(await stateOf(pid)).toBe('idle in transaction'))
      await trx.rollback().execute()
      await expectWhole()
    })

    test('nothing, then nothing is sent', async () => {
      const { db, expectWhole } = open({ max: 1 })
      const pid = await pidOf(db)
      const begins = `select query from pg_stat_activity where pid = ${pid}`
      const before = await ask(server, begins)
      await db.transaction().execute(async () => undefined)
      await (await db.startTransaction().execute()).rollback().execute()
      expect(await ask(server, begins)).toEqual(before)
      await expectWhole()
    })
  })

  test('whose BEGIN is refused have not begun, and lose no place', async () => {
    const { pool, db, expectWhole } = open({ max: 1 })
    const acquire = pool.acquire.bind(pool)
    // The backend dies when the connection has been lent, before its BEGIN.
    pool.acquire = async (options) => {
      const lease = await acquire(options)
      await kill((lease.connection as unknown as { processID: number }).processID)
      await eventually(() => expect(pool.stats().leased).toBe(0))
      return lease
    }
    const work = vi.fn(async () => undefined)
    expect(await errorOf(db.transaction().execute(work))).toBeInstanceOf(ConnectionLostError)
    expect(await errorOf(db.startTransaction().execute())).toBeInstanceOf(Error)
    expect(work).not.toHaveBeenCalled()
    pool.acquire = acquire
    await expectWhole()
    expect(await db.transaction().execute(pidOf)).toBeTypeOf('number')
  })

  test('whose connection is lost at COMMIT say that nobody knows', async () => {
    const { db, expectWhole } = open({ max: 1 })
    await sql`create function die() returns trigger language plpgsql as
      'begin perform pg_terminate_backend(pg_backend_pid()); return null; end'`.execute(db)
    await sql`create table mortal (n int)`.execute(db)
    await sql`create constraint trigger dies after insert on mortal deferrable initially deferred
      for each row execute function die()`.execute(db)
    const error = await errorOf(
      db.transaction().execute((trx) => sql`insert into mortal values (1)`.execute(trx)),
    )
    expect(error).toMatchObject({ code: 'COMMIT_UNKNOWN' })
    await expectWhole()
  })

  test('left open by the program are rolled back before the connection is lent again', async () => {
    const { db, expectWhole } = open({ max: 1 })
    const name = someone()
    await db.connection().execute(async (one) => {
      await one.executeQuery(CompiledQuery.raw('begin'))
      await one.insertInto('person').values({ name }).execute()
    })
    expect(await db.selectFrom('person').selectAll().where('name', '=', name).execute()).toEqual([])
    await expectWhole()
  })

  test('do not break when a table changes under a prepared statement', async () => {
    const { db } = open({ max: 1 })
    await sql`create table changing (id int, a int)`.execute(db)
    const read = (on: Kysely<Database>) =>
      on
        .withTables<{ changing: { id: number } }>()
        .selectFrom('changing')
        .selectAll()
        .where('id', '=', 1)
        .execute()
    for (let i = 0; i < 8; i++) await read(db)
    await sql`alter table changing add column b int`.execute(db)
    expect(await db.transaction().execute(read)).toEqual([])
  })
})

describe('abort', () => {
  const spied = () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    onTestFinished(() => printed.mockRestore())
    return printed
  }
  const running = (text: string) =>
    ask(server, `select from pg_stat_activity where state = 'active' and query like $1`, [`%${text}%`])

  test('gives up waiting for a connection, and the place in the queue', async () => {
    const printed = spied()
    const { pool, db, expectWhole } = open({ max: 1 })
    const trx = await db.startTransaction().execute()
    const controller = new AbortController()
    const waiting = errorOf(db.selectFrom('person').selectAll().execute({ signal: controller.signal }))
    await eventually(() => expect(pool.stats().waiting).toBe(1))
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await waiting).toBe(reason)
    await eventually(() => expect(pool.stats().waiting).toBe(0))
    await trx.rollback().execute()
    await expectWhole()
    expect(printed).not.toHaveBeenCalled()
  })

  test("with 'cancel query' stops the statement in the server and keeps the connection", async () => {
    const printed = spied()
    const { pool, db, expectWhole } = open({ max: 1 })
    const controller = new AbortController()
    const slow = errorOf(
      sql`select pg_sleep(30), 'cancelled'`.execute(db, {
        signal: controller.signal,
        inflightQueryAbortStrategy: 'cancel query',
      }),
    )
    await eventually(async () => expect(await running("'cancelled'")).toHaveLength(1))
    controller.abort()
    expect(await slow).toMatchObject({ name: 'AbortError' })
    await expectWhole()
    expect(await running("'cancelled'")).toEqual([])
    expect(pool.stats().total).toBe(1)
    expect(printed).not.toHaveBeenCalled()
  })

  test("with 'kill session' ends the session, and its place is free", async () => {
    const printed = spied()
    const { db, expectWhole } = open({ max: 1 })
    const before = await pidOf(db)
    const controller = new AbortController()
    const slow = errorOf(
      sql`select pg_sleep(30), 'killed'`.execute(db, {
        signal: controller.signal,
        inflightQueryAbortStrategy: 'kill session',
      }),
    )
    await eventually(async () => expect(await running("'killed'")).toHaveLength(1))
    controller.abort()
    expect(await slow).toMatchObject({ name: 'AbortError' })
    expect(await pidOf(db)).not.toBe(before)
    await expectWhole()
    await eventually(async () => expect(await running("'killed'")).toEqual([]))
    expect(printed).not.toHaveBeenCalled()
  })

  test('of a stream stops it in the server at once', async () => {
    const printed = spied()
    const { pool, db, expectWhole } = open({ max: 1 })
    const controller = new AbortController()
    const rows: unknown[] = []
    const reading = errorOf(
      (async () => {
        const nap = sql`pg_sleep(case when n = 3 then 30 else 0 end)`.as('nap')
        const stream = db
          .selectFrom(sql<{ n: number }>`generate_series(1, 5)`.as<'s'>(sql`s(n)`))
          .select([nap])
          .stream({ chunkSize: 1, signal: controller.signal })
        for await (const row of stream) rows.push(row)
      })(),
    )
    await eventually(() => expect(rows).toHaveLength(2))
    controller.abort()
    expect(await reading).toMatchObject({ name: 'AbortError' })
    await expectWhole()
    expect(pool.stats().total).toBe(1)
    expect(printed).not.toHaveBeenCalled()
  })
})

describe('trouble', () => {
  test('a killed backend ends its transaction and nothing else, and its place is free', async () => {
    const uncaught = vi.fn()
    process.on('uncaughtException', uncaught)
    onTestFinished(() => void process.off('uncaughtException', uncaught))
    const { pool, db, expectWhole } = open()
    const trx = await db.startTransaction().execute()
    await kill(await pidOf(trx))
    await eventually(() => expect(pool.stats().leased).toBe(0))
    const name = someone()
    expect(await errorOf(trx.insertInto('person').values({ name }).execute())).toBeInstanceOf(
      ConnectionLostError,
    )
    await trx.rollback().execute()
    expect(await Promise.all([1, 2, 3].map(() => pidOf(db)))).toHaveLength(3)
    await expectWhole()
    expect(uncaught).not.toHaveBeenCalled()
  })

  test('a backend that is killed under a statement, or under a stream, is told to who waits', async () => {
    const { db, expectWhole } = open({ max: 1 })
    const pid = await pidOf(db)
    const slow = errorOf(sql`select pg_sleep(30)`.execute(db))
    const killed = `select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and state = 'active'`
    await eventually(async () => expect(await ask(server, killed, [pid])).toHaveLength(1))
    expect(await slow).toBeInstanceOf(ConnectionLostError)
    await expectWhole()
    const stream = async () => {
      const numbers = db.selectNoFrom(sql<number>`generate_series(1, 1000000)`.as('n')).stream(10)
      let died = false
      for await (const _ of numbers) {
        if (died) continue
        died = true
        const [row] = await ask<{ pid: number }>(
          server,
          `select pid from pg_stat_activity where query like '%generate_series(1, 1000000)%' and application_name <> 'admin'`,
        )
        await kill(row?.pid)
      }
    }
    expect(await errorOf(stream())).toBeInstanceOf(ConnectionLostError)
    await expectWhole()
  })

  test('exhaustion is told by its error, with what the pool looks like', async () => {
    const { pool, db, expectWhole } = open({ max: 1 })
    const trx = await db.startTransaction().execute()
    pool.resize({ acquireTimeoutMs: 100 })
    const attempts = [
      () => db.selectFrom('person').selectAll().execute(),
      () => db.insertInto('person').values({ name: someone() }).execute(),
      () => db.transaction().execute(async () => undefined),
      () => db.startTransaction().execute(),
      () => db.connection().execute(async () => undefined),
    ]
    for (const attempt of attempts) {
      const error = await errorOf(attempt())
      expect(error).toBeInstanceOf(AcquireTimeoutError)
      expect(error.message).toContain('1 leased')
    }
    await trx.rollback().execute()
    await expectWhole()
  })
})

describe('hooks', () => {
  test('onCreateConnection sees each connection once, onReserveConnection each time', async () => {
    const [created, reserved] = [vi.fn(), vi.fn()]
    const { db, expectWhole } = open(
      { max: 1 },
      {
        async onCreateConnection(connection) {
          created()
          await connection.executeQuery(CompiledQuery.raw(`set application_name to 'made'`))
        },
        async onReserveConnection(connection) {
          reserved()
          await connection.executeQuery(CompiledQuery.raw('select 1'))
        },
      },
    )
    for (let i = 0; i < 3; i++) await db.selectFrom('person').selectAll().where('id', '=', 0).execute()
    await db.transaction().execute(pidOf)
    const { rows } = await sql`show application_name`.execute(db)
    expect(rows).toEqual([{ application_name: 'made' }])
    expect(created).toHaveBeenCalledTimes(1)
    expect(reserved).toHaveBeenCalledTimes(5)
    await expectWhole()
  })

  test('that fail cost the connection and lose no place', async () => {
    let calls = 0
    const onCreateConnection = async () => {
      if (++calls < 3) throw new Error('no')
    }
    const { db, expectWhole } = open({ max: 1 }, { onCreateConnection })
    await expect(pidOf(db)).rejects.toThrow('no')
    await expect(pidOf(db)).rejects.toThrow('no')
    expect(await pidOf(db)).toBeTypeOf('number')
    await expectWhole()
  })

  test('the log of Kysely sees every statement, those that share a connection too', async () => {
    const { pool } = open()
    const log: string[] = []
    const db = new Kysely<Database>({
      dialect: rockpoolDialect(pool),
      log: ({ level, query }) => void log.push(`${level} ${query.sql}`),
    })
    await db.selectFrom('person').select('id').where('id', '=', 0).execute()
    await errorOf(sql`select * from nowhere`.execute(db))
    expect(log).toEqual(['query select "id" from "person" where "id" = $1', 'error select * from nowhere'])
  })
})

describe('ownership and options', () => {
  test('destroy lets go of the pool, which others may use', async () => {
    const { pool, db } = open()
    const other = new Kysely<Database>({ dialect: rockpoolDialect(pool) })
    await pidOf(db)
    await db.destroy()
    await expect(pidOf(db)).rejects.toThrow('driver has already been destroyed')
    expect(await pidOf(other)).toBeTypeOf('number')
    expect(pool.closed).toBe(false)
  })

  test('with ownsPool destroy closes it, once what runs has ended', async () => {
    const { pool, db } = open({}, { ownsPool: true })
    const lent = nextLent(pool)
    const running = sql`select pg_sleep(0.1)`.execute(db).then(({ rows }) => rows.length)
    await lent
    await db.destroy()
    expect(await running).toBe(1)
    expect(pool.closed).toBe(true)
  })

  test('what is no pool, and options that do not exist, are refused', () => {
    const pool = createPool(pg(server.url()))
    expect(() => rockpoolDialect({} as never)).toThrow(/made by createPool/)
    expect(() => rockpoolDialect(new pgModule.Pool() as never)).toThrow(/made by createPool/)
    expect(() => rockpoolDialect(pool, { ownPool: true } as never)).toThrow(/ownPool/)
    expect(() => rockpoolDialect(pool, { ownsPool: 1 as never })).toThrow(/ownsPool/)
    expect(() => rockpoolDialect(pool, { onCreateConnection: {} as never })).toThrow(/onCreateConnection/)
    expect(() => rockpoolDialect(pool, { kysely: {} as never })).toThrow(/"kysely" is an object/)
  })

  test("the user's own copy of Kysely may be passed, however it was imported", async () => {
    for (const kysely of [kyselyModule, { default: kyselyModule } as never]) {
      const { db } = open({}, { kysely })
      expect(await db.selectNoFrom(sql<number>`1`.as('n')).execute()).toEqual([{ n: 1 }])
    }
  })
})
