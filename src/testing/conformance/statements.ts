import assert from 'node:assert/strict'
import { PoolError } from '../../contract/errors.ts'
import type { SqlDriver } from '../../contract/sql-driver.ts'
import type { Case } from './case.ts'
import { Table } from './table.ts'
import { rejection, value } from './trial.ts'

export const statements = [
  {
    name: 'a result has rows by column name, their number, and the fields in order',
    async run(t) {
      const pool = t.pool()
      const table = await t.table(pool)
      for (const id of [1, 2, 3]) await table.insert(pool, id, `note ${id}`)
      const result = await pool.query(`select note, id from ${table.name} order by id`)
      assert.deepEqual(
        result.rows.map((row) => ({ ...row, id: Number(row.id) })),
        [1, 2, 3].map((id) => ({ note: `note ${id}`, id })),
      )
      assert.equal(result.rowCount, 3)
      assert.deepEqual(
        result.fields.map(({ name }) => name),
        ['note', 'id'],
      )
      const none = await pool.query(`select id from ${table.name} where id > 3`)
      assert.deepEqual([none.rows, none.rowCount], [[], 0])
    },
  },
  {
    name: 'rowCount is the number of rows that a statement changed',
    async run(t) {
      const pool = t.pool()
      const table = await t.table(pool)
      for (const id of [1, 2, 3]) await table.insert(pool, id, 'before')
      assert.equal(await table.update(pool, { id: 1, note: 'one' }), 1)
      assert.equal(await table.updateAll(pool, 'all'), 3)
      assert.equal(await table.update(pool, { id: 9, note: 'none' }), 0)
    },
  },
  {
    name: 'insertId is the key that the server generated',
    async run(t) {
      const { create, insert } = t.sql('insertId')
      const pool = t.pool()
      const table = t.keep(new Table(`rockpool_key_${Date.now().toString(36)}`, (sql) => t.text(sql)))
      await pool.query(create(table.name))
      const [first, second] = [await pool.query(insert(table.name)), await pool.query(insert(table.name))]
      assert(first.insertId !== undefined, 'an insertId was expected')
      assert.equal(Number(second.insertId), Number(first.insertId) + 1)
    },
  },
  {
    name: "a statement's error is the driver's own object, and the connection goes on",
    async run(t) {
      let thrown: unknown
      const driver = intercepted(t.driver, async (query) => {
        try {
          return await query()
        } catch (error) {
          thrown = error
          throw error
        }
      })
      const pool = t.pool({ max: 1 }, driver)
      const error = await rejection(pool.query('select nothing from no_such_table_of_rockpool'))
      assert.equal(error, thrown)
      assert(error instanceof Error && !(error instanceof PoolError))
      assert.equal(t.driver.classify?.(error, 'statement') ?? 'statement', 'statement')
      await pool.query(t.one)
      assert.equal(pool.stats().created, 1)
    },
  },
  {
    name: 'statements sent at once on one lease run one after another',
    async run(t) {
      const echo = t.text(t.sql('echo').text)
      await t.pool().use(async (lease) => {
        const words = Array.from({ length: 20 }, (_, i) => `word ${i}`)
        const answers = await Promise.all(words.map((word) => lease.query(echo, [word])))
        assert.deepEqual(answers.map(value), words)
      })
    },
  },
  {
    name: 'a statement can be prepared, and survives a change of its table',
    async run(t) {
      const pool = t.pool({ max: 1 })
      const table = await t.table(pool)
      await table.insert(pool, 1, 'a')
      const sql = t.text(`select * from ${table.name} where id = ?`)
      const read = (id: number) => pool.query(sql, [id], { prepare: true })
      for (const id of [1, 2, 1]) assert.equal((await read(id)).rows.length, id === 1 ? 1 : 0)
      await pool.query(`alter table ${table.name} add extra integer`)
      assert.deepEqual(Object.keys((await read(1)).rows[0] ?? {}), ['id', 'note', 'extra'])
    },
  },
  {
    name: 'while a connection pipelines, every statement gets its own answer or error',
    async run(t) {
      const pipeline = t.capability('pipeline')
      const echo = t.text(t.sql('echo').text)
      await t.pool({ multiplex: 'off' }).use(async ({ connection }) => {
        pipeline.call(t.driver, connection, true)
        const outcomes = await Promise.allSettled(
          Array.from({ length: 30 }, (_, i) => {
            const sql = i % 7 === 3 ? 'select nothing from no_such_table_of_rockpool' : echo
            return t.driver.query(connection, sql, i % 7 === 3 ? [] : [`word ${i}`], {})
          }),
        )
        for (const [i, outcome] of outcomes.entries()) {
          assert.equal(outcome.status, i % 7 === 3 ? 'rejected' : 'fulfilled')
          if (outcome.status === 'fulfilled') assert.equal(value(outcome.value), `word ${i}`)
        }
        pipeline.call(t.driver, connection, false)
        assert.equal(t.driver.isDirty?.(connection) ?? false, false)
        assert.equal(value(await t.driver.query(connection, echo, ['alone'], {})), 'alone')
      })
    },
  },
  {
    name: 'statements that go together get their own answers, and are undone when one of them fails',
    async run(t) {
      const pipeline = t.capability('pipeline')
      const isUndone = t.capability('isUndone')
      const pool = t.pool({ multiplex: 'off' })
      const table = await t.table(pool)
      for (let id = 0; id < 3; id++) await table.insert(pool, id, id === 1 ? 'no number' : `${id}`)
      const sql = t.text(`select cast(note as integer) as n from ${table.name} where id = ?`)
      await pool.use(async ({ connection }) => {
        const read = (id: number, together: boolean) =>
          t.driver.query(connection, sql, [id], { name: 'rockpool_together', together })
        await read(0, false)
        pipeline.call(t.driver, connection, true)
        const sound = await Promise.all(Array.from({ length: 40 }, (_, i) => read(i % 2 === 0 ? 0 : 2, true)))
        assert.deepEqual(
          sound.map((result) => Number(value(result))),
          sound.map((_, i) => (i % 2 === 0 ? 0 : 2)),
        )
        const mixed = await Promise.allSettled(
          Array.from({ length: 40 }, (_, i) => read(i === 5 ? 1 : 2, true)),
        )
        for (const [i, outcome] of mixed.entries()) {
          if (outcome.status === 'fulfilled') assert.equal(Number(value(outcome.value)), 2)
          else assert.equal(isUndone.call(t.driver, outcome.reason), i !== 5)
        }
        assert.equal(mixed[5]?.status, 'rejected')
        pipeline.call(t.driver, connection, false)
        assert.equal(t.driver.isDirty?.(connection) ?? false, false)
        assert.equal(Number(value(await read(2, false))), 2)
      })
    },
  },
  {
    name: 'every answer says whether a transaction is open',
    async run(t) {
      const inTransaction = t.capability('inTransaction')
      await t.pool({ multiplex: 'off' }).use(async (lease) => {
        const seen: boolean[] = [inTransaction.call(t.driver, lease.connection)]
        for (const step of [() => lease.begin(), () => lease.query(t.one), () => lease.commit()]) {
          await step()
          seen.push(inTransaction.call(t.driver, lease.connection))
        }
        assert.deepEqual(seen, [false, true, true, false])
      })
    },
  },
  {
    name: 'a session borrows a connection for a unit of work and gives it back',
    async run(t) {
      const pool = t.pool({ max: 1 })
      const table = await t.table(pool)
      const session = pool.session()
      assert.equal(pool.stats().leased, 0)
      await session.begin()
      await table.insert(session, 1)
      assert.equal(pool.stats().leased, 1)
      await session.commit()
      assert.equal(pool.stats().leased, 0)
      await session.begin()
      await table.insert(session, 2)
      await session.close()
      assert.equal(await table.count(pool), 1, 'what was open at the end is rolled back')
    },
  },
] as const satisfies readonly Case[]

/** The driver, with something done around its `query`. */
function intercepted<C>(
  driver: SqlDriver<C>,
  around: <T>(query: () => Promise<T>) => Promise<T>,
): SqlDriver<C> {
  return new Proxy(driver, {
    get(target, name) {
      if (name === 'query') {
        return (...args: Parameters<SqlDriver<C>['query']>) => around(() => target.query(...args))
      }
      const member: unknown = Reflect.get(target, name)
      // Bound, because a driver may be an instance of a class with private members.
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
