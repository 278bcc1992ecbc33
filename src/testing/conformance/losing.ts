import assert from 'node:assert/strict'
import { PoolError } from '../../contract/errors.ts'
import { FaultProxy } from '../fault-proxy.ts'
import type { Case } from './case.ts'
import { assertCode, eventually, pause, rejection, type Trial, within } from './trial.ts'

export const losing = [
  {
    name: 'a connection that the server closed while it was idle is noticed',
    async run(t) {
      t.capability('onLost')
      const pool = t.pool({ max: 1, validateAfterIdleMs: Number.POSITIVE_INFINITY })
      const first = await t.session(pool)
      await t.server.kill(first)
      await eventually(() => pool.stats().total === 0, 'the pool notices')
      assert.equal(pool.stats().closed.lost, 1)
      assert.notDeepEqual(await t.session(pool), first)
    },
  },
  {
    name: 'a connection that the server closed while it was idle is never lent',
    async run(t) {
      const pool = t.pool({ max: 3, validateAfterIdleMs: 0 })
      const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
      const before = await Promise.all(leases.map((lease) => t.session(lease)))
      for (const lease of leases) lease.release()
      for (const session of before) await t.server.kill(session)
      for (let i = 0; i < 6; i++) {
        const session = await within(t.session(pool), 'a new connection is opened')
        assert(!before.some((dead) => dead === session), 'a dead connection was lent')
      }
    },
  },
  {
    name: 'a connection that dies while it is leased frees its place at once, and giving it back is harmless',
    async run(t) {
      t.capability('onLost')
      const pool = t.pool({ max: 1 })
      const lease = await pool.acquire()
      await t.server.kill(await t.session(lease))
      await eventually(() => pool.stats().leased === 0, 'its place is free')
      const other = await within(pool.acquire(), 'the next caller is served')
      const error = await rejection(lease.query(t.one))
      assert(error instanceof PoolError, 'using the lost lease is an error of the pool')
      lease.release()
      assert.equal(pool.stats().leased, 1, "a lost lease's release leaves the next one alone")
      await other.query(t.one)
      other.release()
    },
  },
  {
    name: 'a connection that dies under a statement is a ConnectionLostError with its cause',
    async run(t) {
      const sleep = t.sql('sleep')
      const pool = t.pool({ max: 1 })
      const lease = await pool.acquire()
      const session = await t.session(lease)
      const running = rejection(lease.query(sleep(60_000)))
      await pause(50)
      await t.server.kill(session)
      const error = await within(running, 'the statement fails')
      assertCode(error, 'CONNECTION_LOST')
      assert.equal((error as { executed?: unknown }).executed, 'unknown')
      assert((error as Error).cause !== undefined, "the driver's error is the cause")
      lease.release()
      await pool.query(t.one)
    },
  },
  {
    name: 'the error by which the server ends a session is told from a failure of the network',
    async run(t) {
      const isFarewell = t.capability('isFarewell')
      const sleep = t.sql('sleep')
      const pool = t.pool({ max: 1 })
      const lease = await pool.acquire()
      const session = await t.session(lease)
      const running = rejection(t.driver.query(lease.connection, sleep(60_000), [], {}))
      await pause(50)
      await t.server.kill(session)
      const error = await within(running, 'the statement fails')
      assert.equal(isFarewell.call(t.driver, error), true, String(error))
      assert.equal(isFarewell.call(t.driver, new Error('socket hang up')), false)
      lease.release()
    },
  },
  {
    name: 'a transaction whose connection dies has not committed',
    async run(t) {
      const pool = t.pool({ max: 2 })
      const table = await t.table(pool)
      const work = pool.transaction(async (tx) => {
        await table.insert(tx, 1)
        await t.server.kill(await t.session(tx))
        await table.insert(tx, 2)
      })
      assertCode(await rejection(within(work, 'the transaction fails')), 'CONNECTION_LOST')
      assert.equal(await table.count(pool), 0)
    },
  },
  {
    name: 'connections to a server that became read-only are given up',
    async run(t) {
      const classify = t.capability('classify')
      t.capability('confirmStale')
      const pool = t.pool({ max: 2 })
      pool.on('error', () => {})
      const table = await t.table(pool)
      const restore = await t.demote()
      try {
        const error = await rejection(table.insert(pool, 1))
        assert(!(error instanceof PoolError), "the statement's error is the driver's own")
        assert.equal(classify.call(t.driver, error, 'statement'), 'stale')
        await eventually(() => pool.stats().closed.stale > 0, 'the connection is closed as stale')
      } finally {
        await restore()
      }
      await table.insert(pool, 2)
      assert.equal(await table.count(pool), 1)
    },
  },
  {
    name: 'an idle connection whose network went silent is replaced after the check',
    async run(t) {
      const { pool, silence } = await behindProxy(t, { validateTimeoutMs: 150 })
      await pool.query(t.one)
      silence(true)
      await within(pool.query(t.one), 'a new connection serves')
      assert.equal(pool.stats().created, 2)
    },
  },
  {
    name: 'a statement whose network went silent ends at its time limit',
    async run(t) {
      const { pool, silence } = await behindProxy(t, { resetTimeoutMs: 150 })
      const lease = await pool.acquire()
      silence(true)
      assertCode(
        await rejection(within(lease.query(t.one, [], { timeoutMs: 100 }), 'it ends')),
        'QUERY_TIMEOUT',
      )
      lease.release()
      await within(pool.query(t.one), 'a new connection serves')
    },
  },
  {
    name: 'a connection whose network went silent does not hold up the closing of the pool',
    async run(t) {
      const { pool, proxy, silence } = await behindProxy(t, {})
      await pool.query(t.one)
      silence(true)
      const report = await within(pool.close(), 'the pool is closed')
      assert.equal(report.closed + report.abandoned, 1)
      silence(false)
      await eventually(() => proxy.counts.open === 0, 'the client has ended its side')
    },
  },
] as const satisfies readonly Case[]

async function behindProxy<C>(t: Trial<C>, options: Parameters<Trial<C>['pool']>[0]) {
  const proxy = await new FaultProxy(t.network).listen()
  t.atEnd(() => proxy.close())
  const driver = await t.network.at(proxy)
  const pool = t.pool({ max: 1, validateAfterIdleMs: 0, closeTimeoutMs: 200, ...options }, driver)
  pool.on('error', () => {})
  const silence = (silent: boolean) => {
    // Connections opened later get through.
    for (const connection of proxy.connections) connection.set({ silent })
  }
  return { pool, proxy, silence }
}
