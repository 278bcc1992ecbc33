import assert from 'node:assert/strict'
import type { Case } from './case.ts'
import { eventually, pause, value } from './trial.ts'

const USERS = 100
const CONNECTIONS = 5

export const crowd = [
  {
    name: `${USERS} users share ${CONNECTIONS} connections, and the server never sees more`,
    async run(t) {
      const echo = t.text(t.sql('echo').text)
      const pool = t.pool({ max: CONNECTIONS })
      const before = await t.server.sessions()
      let most = 0
      let working = true
      const watch = (async () => {
        for (; working; await pause(2)) most = Math.max(most, (await t.server.sessions()) - before)
      })()
      const user = async (_: unknown, index: number) => {
        const mine = `user ${index}`
        assert.equal(value(await pool.query(echo, [mine])), mine)
        await pool.use(async (lease) => {
          assert.equal(value(await lease.query(echo, [mine])), mine)
          if (index % 5 === 0) await pause(2)
        })
        await pool.transaction(async (tx) => assert.equal(value(await tx.query(echo, [mine])), mine))
        if (index % 20 === 0) await pool.use((lease) => lease.destroy())
      }
      await Promise.all(Array.from({ length: USERS }, user))
      working = false
      await watch
      assert(most <= CONNECTIONS, `the server saw ${most} sessions`)
      assert.equal(pool.stats().leased, 0)
    },
  },
  {
    name: 'what is borrowed, waited for or being opened when the pool closes leaves no session behind',
    async run(t) {
      const before = await t.server.sessions()
      const pool = t.pool({ max: 3 })
      const borrowed = await pool.acquire()
      const others = Array.from({ length: 6 }, () => pool.acquire().catch(() => undefined))
      await pool.close({ drainTimeoutMs: 30 })
      await Promise.all(others)
      borrowed.release()
      await eventually(async () => (await t.server.sessions()) <= before, 'no session is left behind')
    },
  },
] as const satisfies readonly Case[]
