import assert from 'node:assert/strict'
import type { Client } from 'pg'
import type { PoolOptions, SqlPool } from '../../../src/index.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import {
  ask,
  errorOf,
  eventually,
  pidOf,
  poolFor,
  type SlonikPool,
  slonik,
  slonikOn,
  sql,
  whole,
} from './lab.ts'

type Run = (db: SlonikPool, pool: SqlPool<Client>) => Promise<unknown>

// Slonik's own limits, so that there is nothing to set for each borrowing.
const driver = { statement_timeout: 60_000, idle_in_transaction_session_timeout: 60_000 }

/** No time goes by: on a busy machine reads may look too slow to share. */
function on(run: Run, { slonik: options, ...given }: PoolOptions<Client> & { slonik?: object } = {}) {
  return async () => {
    const pool = poolFor({ max: 10, clock: new VirtualClock(), ...given }, driver)
    const db = await slonikOn(pool, options)
    try {
      await run(db, pool)
      await whole(pool)
    } finally {
      await db.end()
      await pool.close({ drainTimeoutMs: 0 })
    }
  }
}

const read = (db: SlonikPool, n: number) =>
  db.one(sql`select ${n}::int8 as n, array[1, null]::int8[] as many`)

/** Reads on connections of their own, until Slonik keeps places and the text is known to be fast. */
async function warm(db: SlonikPool): Promise<void> {
  for (let n = 0; n < 10; n++) await read(db, n)
}

/** Single reads, which borrow nothing. */
export const sharing: Record<string, () => Promise<void>> = {
  "single reads share connections: a crowd of them opens few, and each has its own rows by Slonik's parsers":
    on(async (db, pool) => {
      await warm(db)
      const { created } = pool.stats()
      for (let round = 0; round < 2; round++) {
        const rows = await Promise.all([1, 2, 3, 4, 5].map((n) => read(db, n)))
        assert.deepEqual(
          rows,
          [1n, 2n, 3n, 4n, 5n].map((n) => ({ n, many: [1n, null] })),
        )
      }
      // Slonik's own places are made with a connection each.
      assert.ok(pool.stats().created <= created + 4)
      const acquired = pool.stats().acquired
      await Promise.all([1, 2, 3, 4, 5].map((n) => read(db, n)))
      assert.ok(pool.stats().acquired < acquired + 5, 'each has borrowed')
    }),

  'a single read is not followed by a reset: it has left nothing behind': async () => {
    const pool = poolFor({ clock: new VirtualClock() }, driver)
    let resets = 0
    const db = await slonikOn(pool, { resetConnection: async () => void resets++ })
    // By the connection that its place was made with.
    await read(db, 1)
    await eventually(() => assert.equal(resets, 1))
    for (let n = 0; n < 5; n++) await read(db, n)
    await whole(pool)
    assert.equal(resets, 1)
    await db.end()
    await pool.close()
  },

  'a second statement has a connection, and the next ones have the same': on(async (db) => {
    await warm(db)
    await db.connect(async (c) => {
      await c.one(sql`select 1 as n`)
      const first = await pidOf(c)
      await c.query(sql`set application_name = 'kept'`)
      assert.equal(await pidOf(c), first)
      const name = 'application_name'
      assert.equal(await c.oneFirst(sql`select current_setting(${name})`), 'kept')
    })
  }),

  'whoever asks for its connection has one from then on': on(async (db) => {
    await warm(db)
    const pids = await db.connect(async (c) => [await pidOf(c), await pidOf(c)])
    assert.equal(pids[0], pids[1])
  }),

  'a lock that a read takes is of a connection of its own': on(async (db, pool) => {
    await warm(db)
    await db.connect(async (c) => {
      await c.query(sql`select pg_advisory_lock(7)`)
      assert.equal(pool.stats().leased, 1)
      await c.query(sql`select pg_advisory_unlock(7)`)
    })
  }),

  'a transaction after reads is on one connection': on(async (db) => {
    await warm(db)
    const pids = await db.transaction(async (t) => {
      const rows = await Promise.all([pidOf(t), pidOf(t)])
      return new Set([...rows, await pidOf(t)])
    })
    assert.equal(pids.size, 1)
  }),

  'a read that fails, fails by the classes of Slonik': on(async (db) => {
    await warm(db)
    const invalid = await errorOf(db.one(sql`select ${'x'}::int as n`))
    assert.ok(invalid instanceof (slonik.InvalidInputError as never))
    const missing = await errorOf(db.one(sql`select 1 as n from nowhere`))
    assert.equal(missing.code, '42P01')
    assert.deepEqual(await read(db, 1), { n: 1n, many: [1n, null] })
  }),

  'a read whose backend dies fails by the classes of Slonik': on(
    async (db, pool) => {
      await warm(db)
      // It waits for a lock, though it only reads.
      await ask('create table if not exists locked (n int)')
      const slow = pool.transaction(async (t) => {
        await t.query('lock table locked')
        const waiting = errorOf(db.any(sql`select n from locked`))
        const killed = `select pg_terminate_backend(pid) from pg_stat_activity
        where wait_event_type = 'Lock' and query like '%from locked'`
        await eventually(async () => assert.equal((await ask(killed)).length, 1))
        return waiting
      })
      assert.ok((await slow) instanceof (slonik.BackendTerminatedError as never))
      assert.deepEqual(await read(db, 1), { n: 1n, many: [1n, null] })
    },
    { clock: undefined },
  ),

  'a connection that cannot be had is told as Slonik tells it, to a read as well': on(
    async (db, pool) => {
      await warm(db)
      const lease = await pool.acquire()
      pool.resize({ acquireTimeoutMs: 0 })
      const error = await errorOf(read(db, 1))
      assert.ok(error instanceof (slonik.ConnectionError as never))
      assert.equal((error.cause as { code?: string }).code, 'ACQUIRE_TIMEOUT')
      pool.resize({ acquireTimeoutMs: 30_000 })
      lease.release()
    },
    { max: 1 },
  ),

  'timeouts that the pool does not have hold for single reads as well': async () => {
    const pool = poolFor({ max: 1 })
    const db = await slonikOn(pool, { statementTimeout: 1_234 })
    for (let use = 0; use < 10; use++)
      assert.equal(
        await db.oneFirst(sql`select setting from pg_settings where name = 'statement_timeout'`),
        '1234',
      )
    await db.end()
    await pool.close()
  },
}
