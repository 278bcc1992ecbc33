import assert from 'node:assert/strict'
import type { Case } from './case.ts'
import { deadAddress, silentServer } from './far-ends.ts'
import { assertCode, eventually, pause, rejection, value, within } from './trial.ts'

export const connecting = [
  {
    name: 'connects, answers, and is closed',
    async run(t) {
      const pool = t.pool()
      assert.equal((await pool.query(t.one)).rows.length, 1)
      const report = await pool.close()
      assert.equal(report.closed, 1)
      if (t.countsSessions)
        await eventually(async () => (await t.server.sessions()) === 0, 'the session is closed')
    },
  },
  {
    name: 'a fresh connection is alive and clean',
    async run(t) {
      const isAlive = t.capability('isAlive')
      const isDirty = t.capability('isDirty')
      await t.pool().use(async ({ connection }) => {
        assert.equal(isDirty.call(t.driver, connection), false)
        assert.equal(await isAlive.call(t.driver, connection, { signal: new AbortController().signal }), true)
        assert.equal(isDirty.call(t.driver, connection), false)
      })
    },
  },
  {
    name: 'a connect that is aborted, early or late, leaves nothing behind',
    async run(t) {
      for (const afterMs of [-1, 0, 1, 2, 5, 10]) {
        const controller = new AbortController()
        if (afterMs < 0) controller.abort(new Error('aborted by the suite'))
        const connecting = t.driver.connect({ signal: controller.signal })
        const outcome = connecting.then(
          (connection) => ({ connection }),
          () => undefined,
        )
        if (afterMs >= 0) await pause(afterMs)
        controller.abort(new Error('aborted by the suite'))
        // Succeeding all the same is allowed, and then closing it is the pool's duty.
        const opened = await within(outcome, 'an aborted connect settles')
        if (opened !== undefined) await t.driver.close(opened.connection)
      }
    },
  },
  {
    name: 'a server that refuses is retried until the deadline, and its error is the cause',
    async run(t) {
      const driver = await t.network.at(await deadAddress())
      const pool = t.pool({ acquireTimeoutMs: 1_500 }, driver)
      pool.on('error', () => {})
      const error = await rejection(within(pool.query(t.one), 'the acquire gives up'))
      assertCode(error, 'ACQUIRE_TIMEOUT')
      const { cause } = error as Error
      assert(cause instanceof Error, 'the cause is the error of the last connect')
      const said = driver.classify?.(cause, 'connect')
      assert(said === undefined || said === 'fatal', `refused is a transient error, not ${said}`)
    },
  },
  {
    name: 'a server that accepts and says nothing is given up in time',
    async run(t) {
      const silent = await silentServer()
      t.atEnd(() => silent.close())
      const driver = await t.network.at(silent.address)
      const pool = t.pool({ connectTimeoutMs: 100, closeTimeoutMs: 300, acquireTimeoutMs: 450 }, driver)
      pool.on('error', () => {})
      const error = await rejection(within(pool.query(t.one), 'the acquire gives up'))
      assertCode(error, 'ACQUIRE_TIMEOUT')
      assert.equal((error as { phase?: unknown }).phase, 'connect')
      await pool.close({ drainTimeoutMs: 0 })
      await eventually(() => silent.open() === 0, 'the sockets of the aborted connects are closed')
    },
  },
  {
    name: 'a wrong password fails at once',
    async run(t) {
      await failsAtOnce(t.pool({}, await t.refusal('wrongPassword')()).query(t.one))
    },
  },
  {
    name: 'an unknown database fails at once',
    async run(t) {
      await failsAtOnce(t.pool({}, await t.refusal('unknownDatabase')()).query(t.one))
    },
  },
  {
    name: 'a server that has no connection left keeps those that are open at work',
    async run(t) {
      const { driver, limit } = await t.refusal('limited')()
      const pool = t.pool({ max: limit + 3 }, driver)
      const errors: unknown[] = []
      pool.on('error', ({ error }) => errors.push(error))
      const work = () => pool.use(async (lease) => value(await lease.query(t.one)))
      const all = Promise.all(Array.from({ length: 30 }, work))
      assert.equal((await within(all, 'everybody is served')).length, 30)
      const opened = await Promise.allSettled(
        Array.from({ length: limit + 1 }, () => driver.connect({ signal: new AbortController().signal })),
      )
      for (const outcome of opened) if (outcome.status === 'fulfilled') await driver.close(outcome.value)
      const refused = opened.find((outcome) => outcome.status === 'rejected')
      assert(refused !== undefined, 'the server refused what was above its limit')
      assert.equal(driver.classify?.(refused.reason, 'connect'), 'exhausted')
    },
  },
] as const satisfies readonly Case[]

async function failsAtOnce(query: Promise<unknown>): Promise<void> {
  const error = await rejection(within(query, 'no retry'))
  assertCode(error, 'CONNECT_FAILED')
  assert((error as Error).cause instanceof Error, "the server's own error is the cause")
}
