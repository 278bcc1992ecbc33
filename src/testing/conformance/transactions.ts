import assert from 'node:assert/strict'
import type { SqlLease, SqlPool } from '../../contract/sql.ts'
import type { Case } from './case.ts'
import type { Table } from './table.ts'
import { assertCode, pause, rejection, type Trial, value, within } from './trial.ts'

export const transactions = [
  {
    name: 'a transaction whose work resolves has committed',
    async run(t) {
      const pool = t.pool({ max: 2 })
      const table = await t.table(pool)
      const result = await pool.transaction(async (tx) => {
        await table.insert(tx, 1)
        return 'done'
      })
      assert.deepEqual([result, await table.count(pool)], ['done', 1])
    },
  },
  {
    name: 'a transaction whose work rejects is rolled back, and rejects with that error',
    async run(t) {
      const pool = t.pool({ max: 1 })
      const table = await t.table(pool)
      const mine = new Error('mine')
      const work = pool.transaction(async (tx) => {
        await table.insert(tx, 1)
        throw mine
      })
      assert.equal(await rejection(work), mine)
      assert.equal(await table.count(pool), 0)
    },
  },
  {
    name: 'a nested transaction is undone alone',
    async run(t) {
      const pool = t.pool({ max: 1 })
      const table = await t.table(pool)
      await pool.transaction(async (tx) => {
        await table.insert(tx, 1)
        await rejection(
          tx.transaction(async (inner) => {
            await table.insert(inner, 2)
            await inner.transaction((innermost) => table.insert(innermost, 3))
            throw new Error('undo')
          }),
        )
        await tx.transaction((inner) => table.insert(inner, 4))
      })
      assert.deepEqual(
        (await pool.query(`select id from ${table.name} order by id`)).rows.map((row) => Number(row.id)),
        [1, 4],
      )
    },
  },
  {
    name: 'a nested transaction in which a statement failed leaves the outer one whole',
    async run(t) {
      const pool = t.pool({ max: 1 })
      const table = await t.table(pool)
      await pool.transaction(async (tx) => {
        await table.insert(tx, 1)
        await rejection(tx.transaction((inner) => table.insert(inner, 1)))
        await table.insert(tx, 2)
      })
      assert.equal(await table.count(pool), 2)
    },
  },
  {
    name: 'a swallowed error never makes a transaction seem committed that was not',
    async run(t) {
      const pool = t.pool({ max: 1 })
      const table = await t.table(pool)
      const work = pool.transaction(async (tx) => {
        await table.insert(tx, 1)
        await rejection(table.insert(tx, 1))
      })
      if (t.abortsTransactions) assertCode(await rejection(work), 'TRANSACTION_ABORTED')
      else await work
      assert.equal(await table.count(pool), t.abortsTransactions ? 0 : 1)
    },
  },
  {
    name: 'a transaction has the isolation that was asked for',
    async run(t) {
      const { level, read, gives } = t.sql('isolation')
      const found = await t
        .pool()
        .transaction(async (tx) => value(await tx.query(read)), { isolation: level })
      assert.deepEqual(found, gives)
    },
  },
  {
    name: 'a read-only transaction refuses to write, and that says nothing about the server',
    async run(t) {
      const pool = t.pool({ max: 1 })
      const table = await t.table(pool)
      await rejection(pool.transaction((tx) => table.insert(tx, 1), { readOnly: true }))
      assert.equal(await table.count(pool), 0)
      await table.insert(pool, 2)
      assert.equal(pool.stats().created, 1, 'the connection was not taken for a stale one')
    },
  },
  {
    name: 'a collision of two transactions is a conflict',
    async run(t) {
      const classify = t.capability('classify')
      const pool = t.pool({ max: 2 })
      const collide = t.optional('collide') ?? ((on: SqlPool<unknown>) => readThenWrite(t, on as typeof pool))
      const error = await within(collide(pool as never), 'the collision is over')
      assert.equal(classify.call(t.driver, error, 'statement'), 'conflict', String(error))
    },
  },
  {
    name: 'a deadlock is a conflict',
    async run(t) {
      const classify = t.capability('classify')
      const pool = t.pool({ max: 2 })
      const table = await t.table(pool)
      for (const id of [1, 2]) await table.insert(pool, id, 'free')
      const error = await within(deadlock(pool, table), 'the deadlock is found')
      assert.equal(classify.call(t.driver, error, 'statement'), 'conflict', String(error))
    },
  },
  {
    name: 'after a conflict the whole work is run again, where that was asked for',
    async run(t) {
      const pool = t.pool({ max: 4 })
      const table = await t.table(pool)
      await table.insert(pool, 1, '0')
      const add = () =>
        pool.transaction(
          async (tx) => {
            const before = Number(await table.note(tx, 1))
            await pause(5)
            await table.update(tx, { id: 1, note: String(before + 1) })
          },
          { isolation: 'serializable', retries: 50 },
        )
      await within(Promise.all([add(), add(), add(), add()]), 'all have committed')
      assert.equal(await table.note(pool, 1), '4')
    },
  },
] as const satisfies readonly Case[]

/** Two serializable transactions that each read what the other is about to change. */
async function readThenWrite<C>(t: Trial<C>, pool: SqlPool<C>): Promise<unknown> {
  const table = await t.table(pool)
  const [a, b] = await Promise.all([pool.acquire(), pool.acquire()])
  for (const lease of [a, b]) {
    await lease.begin({ isolation: 'serializable' })
    await table.count(lease)
  }
  const finish = async (lease: SqlLease<C>, id: number) => {
    await table.insert(lease, id)
    await lease.commit()
  }
  const first = finish(a, 1)
  // Where readers lock, the first one waits for the second; elsewhere the second one must come after its commit.
  await Promise.race([first.catch(() => {}), pause(1_000)])
  return loser([first, finish(b, 2)], [a, b])
}

async function deadlock<C>(pool: SqlPool<C>, table: Table): Promise<unknown> {
  const [a, b] = await Promise.all([pool.acquire(), pool.acquire()])
  await a.begin()
  await b.begin()
  await table.update(a, { id: 1, note: 'a' })
  await table.update(b, { id: 2, note: 'b' })
  // Each goes on as soon as it can; the loser's rollback lets the winner through.
  const cross = async (lease: SqlLease<C>, id: number) => {
    try {
      await table.update(lease, { id, note: 'both' })
    } finally {
      await lease.rollback()
    }
  }
  return loser([cross(a, 2), cross(b, 1)], [a, b])
}

async function loser<C>(work: readonly Promise<void>[], leases: readonly SqlLease<C>[]): Promise<unknown> {
  const outcomes = await Promise.allSettled(work)
  for (const lease of leases) lease.release()
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  assert(failed !== undefined, 'one of the two should have failed')
  return failed.reason
}
