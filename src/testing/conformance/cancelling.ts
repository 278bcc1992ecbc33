import assert from 'node:assert/strict'
import type { Case } from './case.ts'
import { assertCode, pause, rejection, type Trial, within } from './trial.ts'

const LONG_MS = 60_000

export const cancelling = [
  {
    name: 'an aborted statement rejects at once, and the server stops it',
    async run(t) {
      await stops(
        t,
        () => ({ signal: AbortSignal.timeout(50) }),
        (error) => {
          assert.equal((error as Error).name, 'TimeoutError', "the signal's reason is what the caller gets")
        },
      )
    },
  },
  {
    name: 'a statement past its time rejects at once, and the server stops it',
    async run(t) {
      await stops(
        t,
        () => ({ timeoutMs: 50 }),
        (error) => assertCode(error, 'QUERY_TIMEOUT'),
      )
    },
  },
  {
    name: 'a lease goes on after one of its statements was cancelled',
    async run(t) {
      t.capability('cancel')
      const sleep = t.sql('sleep')
      await t.pool({ max: 1 }).use(async (lease) => {
        await rejection(lease.query(sleep(LONG_MS), [], { signal: AbortSignal.timeout(30) }))
        assert.equal((await within(lease.query(t.one), 'the next statement is answered')).rows.length, 1)
      })
    },
  },
  {
    name: 'a statement whose signal is aborted beforehand is not sent',
    async run(t) {
      const pool = t.pool({ max: 1 })
      const table = await t.table(pool)
      const sql = `insert into ${table.name} (id) values (1)`
      const error = await rejection(
        pool.query(sql, [], { signal: AbortSignal.abort(new Error('beforehand')) }),
      )
      assert.equal((error as Error).message, 'beforehand')
      assert.equal(await table.count(pool), 0)
    },
  },
  {
    name: 'a cancel that comes late hits nobody else',
    async run(t) {
      t.capability('cancel')
      const sleep = t.sql('sleep')
      const pool = t.pool({ max: 1 })
      let cancelled = 0
      for (let round = 0; round < 40; round++) {
        const controller = new AbortController()
        const statement = pool.query(sleep(4), [], { signal: controller.signal }).catch(() => cancelled++)
        const next = pool.query(sleep(4))
        await pause(round % 8)
        controller.abort(new Error('late'))
        await statement
        await within(next, 'the neighbour is served')
      }
      assert(cancelled > 0, 'some statements were cancelled')
    },
  },
] as const satisfies readonly Case[]

async function stops<C>(
  t: Trial<C>,
  limit: () => { signal?: AbortSignal; timeoutMs?: number },
  check: (error: unknown) => void,
): Promise<void> {
  t.capability('cancel')
  const sleep = t.sql('sleep')
  const pool = t.pool({ max: 1 })
  let used: C | undefined
  await pool.use((lease) => {
    used = lease.connection
  })
  const start = performance.now()
  check(await rejection(pool.query(sleep(LONG_MS), [], limit())))
  assert(performance.now() - start < 10_000, 'the caller is told at once')
  const next = pool.use((lease) => assert.equal(lease.connection, used, 'cancelling costs no connection'))
  await within(next, 'the server has stopped the statement')
}
