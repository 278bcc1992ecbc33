import assert from 'node:assert/strict'
import type { Case } from './case.ts'
import { eventually, pause, rejection, type Trial, value, within } from './trial.ts'

export const resetting = [
  {
    name: 'an open transaction is seen and rolled back on return',
    async run(t) {
      const isDirty = t.capability('isDirty')
      const pool = t.pool({ max: 1 })
      const table = await t.table(pool)
      await pool.use(async (lease) => {
        await lease.begin()
        await table.insert(lease, 1)
        assert.equal(isDirty.call(t.driver, lease.connection), true)
      })
      await pool.use(async (lease) => {
        assert.equal(isDirty.call(t.driver, lease.connection), false)
        assert.equal(await table.count(lease), 0)
      })
      assert.equal(pool.stats().created, 1, 'a rollback costs no connection')
    },
  },
  {
    name: 'a transaction begun past the pool is seen and rolled back as well',
    async run(t) {
      const pool = t.pool({ max: 1 })
      const table = await t.table(pool)
      await pool.use(async ({ connection }) => {
        await t.driver.begin(connection, {})
        await t.driver.query(connection, `insert into ${table.name} (id) values (1)`, [], {})
      })
      assert.equal(await table.count(pool), 0)
    },
  },
  {
    name: 'a transaction in which a statement failed is rolled back',
    async run(t) {
      const pool = t.pool({ max: 1 })
      const table = await t.table(pool)
      await pool.use(async (lease) => {
        await lease.begin()
        await table.insert(lease, 1)
        await rejection(table.insert(lease, 1))
      })
      assert.equal(await table.count(pool), 0)
    },
  },
  {
    name: 'a full reset ends an open transaction',
    async run(t) {
      const pool = t.pool({ max: 1, reset: 'full' })
      const table = await t.table(pool)
      await pool.use(async (lease) => {
        await lease.begin()
        await table.insert(lease, 1)
      })
      assert.equal(await table.count(pool), 0)
    },
  },
  {
    name: 'a full reset drops temporary tables',
    async run(t) {
      const { create, read } = t.sql('temporaryTable')
      const pool = await fullyReset(t, async (lease) => {
        await lease.query(create)
        await lease.query(read)
      })
      await rejection(pool.query(read))
    },
  },
  {
    name: 'a full reset undoes settings',
    async run(t) {
      const { set, read } = t.sql('setting')
      const before = value(await t.pool().query(read))
      const pool = await fullyReset(t, async (lease) => {
        await lease.query(set)
        assert.notDeepEqual(value(await lease.query(read)), before, 'the setting was made')
      })
      assert.deepEqual(value(await pool.query(read)), before)
    },
  },
  {
    name: 'a full reset gives up locks',
    async run(t) {
      const { take, isFree } = t.sql('lock')
      const free = async () => [true, 1, 1n, '1', 't'].includes(value(await other.query(isFree)) as never)
      const other = t.pool({ reset: 'full' })
      await fullyReset(t, async (lease) => {
        await lease.query(take)
        assert.equal(await free(), false, 'the lock was taken')
      })
      await eventually(free, 'the lock is free')
    },
  },
  {
    name: 'a full reset forgets statements that were prepared in SQL',
    async run(t) {
      const { make, use } = t.sql('prepared')
      const pool = await fullyReset(t, async (lease) => {
        await lease.query(make)
        await lease.query(use)
      })
      await rejection(pool.query(use))
    },
  },
  {
    name: 'after a full reset the driver prepares its own statements again',
    async run(t) {
      const { text } = t.sql('echo')
      const echo = t.text(text)
      const pool = t.pool({ max: 1, reset: 'full' })
      for (let round = 0; round < 3; round++) {
        await pool.use(async (lease) => {
          for (const word of ['a', 'b']) {
            assert.equal(value(await lease.query(echo, [word], { prepare: true })), word)
          }
        })
      }
      assert.equal(pool.stats().created, 1, 'a full reset costs no connection')
    },
  },
  {
    name: 'a statement in flight at release holds the connection back, and its answer reaches its caller',
    async run(t) {
      const isDirty = t.capability('isDirty')
      const sleep = t.sql('sleep')
      const pool = t.pool({ max: 1 })
      const lease = await pool.acquire()
      const late = t.driver.query(lease.connection, sleep(200), [], {})
      assert.equal(isDirty.call(t.driver, lease.connection), true)
      let answered = false
      const answer = late.then(() => {
        answered = true
      })
      lease.release()
      await pool.use((next) => {
        assert.equal(answered, true, 'the connection was lent while its last statement ran')
        assert.equal(isDirty.call(t.driver, next.connection), false)
      })
      await answer
      assert.equal(pool.stats().created, 1)
    },
  },
  {
    name: 'a transaction with a statement in flight at release is rolled back after it',
    async run(t) {
      const sleep = t.sql('sleep')
      const pool = t.pool({ max: 1 })
      const table = await t.table(pool)
      const lease = await pool.acquire()
      await lease.begin()
      await table.insert(lease, 1)
      const late = t.driver.query(lease.connection, sleep(100), [], {})
      lease.release()
      assert.equal(await table.count(pool), 0)
      await late
    },
  },
  {
    name: 'a statement that outlives the reset costs the connection, and its caller is told',
    async run(t) {
      const sleep = t.sql('sleep')
      const pool = t.pool({ max: 1, resetTimeoutMs: 100, closeTimeoutMs: 500 })
      pool.on('error', () => {})
      const lease = await pool.acquire()
      const first = lease.connection
      const late = rejection(t.driver.query(first, sleep(3_000), [], {}))
      await pause(20)
      lease.release()
      await within(
        pool.use((next) => assert.notEqual(next.connection, first)),
        'another connection is lent',
      )
      assert.equal(pool.stats().closed.dirty, 1)
      await within(late, 'the late caller is told')
    },
  },
] as const satisfies readonly Case[]

/** Runs `work` on a pool's only connection, gives it back, and sees that it is the same one that comes next. */
async function fullyReset<C>(
  t: Trial<C>,
  work: (lease: Awaited<ReturnType<ReturnType<Trial<C>['pool']>['acquire']>>) => Promise<void>,
): Promise<ReturnType<Trial<C>['pool']>> {
  const pool = t.pool({ max: 1, reset: 'full' })
  let used: C | undefined
  await pool.use(async (lease) => {
    used = lease.connection
    await work(lease)
  })
  await pool.use((lease) => assert.equal(lease.connection, used, 'a full reset costs no connection'))
  return pool
}
