import pgModule from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { pg } from '../../../src/drivers/pg/index.ts'
import { AcquireTimeoutError, createPool, type PoolOptions, type SqlPool } from '../../../src/index.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'

// What docs/coming-from/hibernate.md says, on a server.

const server = await startPostgres()

function open(options: PoolOptions<pgModule.Client> = {}): SqlPool<pgModule.Client> {
  const pool = createPool(pg(server.url(), { module: pgModule }), { max: 2, ...options })
  onTestFinished(async () => void (await pool.close({ drainTimeoutMs: 0 })))
  return pool
}

const PID = 'select pg_backend_pid() as pid'

describe('handling modes', () => {
  test('DELAYED_ACQUISITION_AND_RELEASE_AFTER_TRANSACTION is the default', async () => {
    const pool = open()
    const session = pool.session()
    expect(pool.stats().acquired).toBe(0)
    await session.query(PID)
    expect(pool.stats().leased).toBe(0)
    await session.begin()
    const [a, b] = [(await session.query(PID)).rows, (await session.query(PID)).rows]
    expect(a).toEqual(b)
    expect(pool.stats().leased).toBe(1)
    await session.commit()
    expect(pool.stats().leased).toBe(0)
    await session.close()
  })

  test('DELAYED_ACQUISITION_AND_RELEASE_AFTER_STATEMENT: a transaction is then asked for as a whole', async () => {
    const pool = open()
    const session = pool.session({ release: 'statement' })
    await session.query(PID)
    expect(pool.stats().leased).toBe(0)
    await expect(session.begin()).rejects.toThrow(/cannot begin a transaction: use transaction/)
    await session.transaction(async (tx) => {
      expect((await tx.query(PID)).rows).toEqual((await tx.query(PID)).rows)
    })
    expect(pool.stats().leased).toBe(0)
    await session.close()
  })

  test('DELAYED_ACQUISITION_AND_HOLD', async () => {
    const pool = open()
    const session = pool.session({ release: 'close' })
    expect(pool.stats().acquired).toBe(0)
    const { rows } = await session.query(PID)
    await session.begin()
    await session.commit()
    expect(pool.stats().leased).toBe(1)
    expect((await session.query(PID)).rows).toEqual(rows)
    await session.close()
    expect(pool.stats().leased).toBe(0)
  })

  test('IMMEDIATE_ACQUISITION_AND_HOLD is a lease', async () => {
    const pool = open()
    await pool.use(async (lease) => {
      expect(pool.stats().leased).toBe(1)
      expect((await lease.query(PID)).rows).toEqual((await lease.query(PID)).rows)
    })
    expect(pool.stats().leased).toBe(0)
  })
})

describe('the internal pool', () => {
  test('pool_size: callers wait for a connection, or fail at once as they did', async () => {
    const pool = open({ max: 1, acquireTimeoutMs: 0 })
    await pool.query(PID, [], { timeoutMs: 20_000 }).catch(() => undefined)
    const lease = await pool.acquire({ timeoutMs: 20_000 })
    await expect(pool.acquire()).rejects.toBeInstanceOf(AcquireTimeoutError)
    const waiting = pool.acquire({ timeoutMs: 20_000 })
    lease.release()
    ;(await waiting).release()
  })

  test('min_pool_size, initial_pool_size: ready waits until they are open', async () => {
    const pool = open({ min: 2 })
    await pool.ready()
    expect(pool.stats().total).toBe(2)
  })

  test('pool_validation_interval: a dead connection is not lent', async () => {
    const pool = open({ max: 1, validateAfterIdleMs: 0 })
    const [row] = (await pool.query<{ pid: number }>(PID)).rows
    await ask(server, 'select pg_terminate_backend($1, 10000)', [row?.pid])
    expect((await pool.query<{ pid: number }>(PID)).rows[0]?.pid).not.toBe(row?.pid)
  })

  test('init_sql runs on each new connection', async () => {
    const pool = open({
      onConnect: async (client) => void (await client.query(`set statement_timeout = '30s'`)),
    })
    expect((await pool.query('show statement_timeout')).rows).toEqual([{ statement_timeout: '30s' }])
  })

  test('isolation and read only are of the transaction', async () => {
    const pool = open()
    const seen = await pool.transaction(
      async (tx) => [
        (await tx.query('show transaction_isolation')).rows[0],
        (await tx.query('show transaction_read_only')).rows[0],
      ],
      { isolation: 'serializable', readOnly: true },
    )
    expect(seen).toEqual([{ transaction_isolation: 'serializable' }, { transaction_read_only: 'on' }])
  })

  test('on return an open transaction is rolled back, and with reset full the session is as it was', async () => {
    const pool = open({ max: 1, reset: 'full' })
    await pool.use(async ({ connection }) => {
      await connection.query(`set application_name = 'changed'`)
      await connection.query('begin')
      await connection.query('create table gone (id int)')
    })
    const { rows } = await pool.query(
      `select to_regclass('gone') as gone, current_setting('application_name') as name`,
    )
    expect(rows).toEqual([{ gone: null, name: 'rockpool' }])
  })

  test('at shutdown it says how many connections were not given back', async () => {
    const pool = open()
    await pool.acquire()
    expect(await pool.close({ drainTimeoutMs: 20 })).toMatchObject({ destroyed: 1 })
  })

  test('connections are lent first in, first out, if that is wanted', async () => {
    const pool = open({ idleOrder: 'fifo', min: 2 })
    await pool.ready()
    const pids = []
    for (let i = 0; i < 4; i++) {
      pids.push(await pool.use(async (lease) => (await lease.query<{ pid: number }>(PID)).rows[0]?.pid))
    }
    expect(pids).toEqual([pids[0], pids[1], pids[0], pids[1]])
    expect(pids[0]).not.toBe(pids[1])
  })
})

describe('properties of HikariCP, c3p0 and Agroal', () => {
  test('leakDetectionThreshold tells where a connection was taken', async () => {
    const pool = open({ leakThresholdMs: 20 })
    const stacks: (string | undefined)[] = []
    pool.on('leak', ({ stack }) => void stacks.push(stack))
    const lease = await pool.acquire()
    await eventually(() => expect(stacks).toHaveLength(1))
    expect(stacks[0]).toMatch(/hibernate\.test/)
    lease.release()
  })

  test('idleTimeout and maxLifetime close connections, minimumIdle keeps some', async () => {
    const pool = open({ min: 1, max: 2, idleTimeoutMs: 30 })
    const leases = await Promise.all([pool.acquire(), pool.acquire()])
    for (const lease of leases) lease.release()
    await eventually(() => expect(pool.stats()).toMatchObject({ total: 1, idle: 1 }))
    const mortal = open({ maxLifetimeMs: 30 })
    await mortal.query(PID)
    await eventually(() => expect(mortal.stats().closed.lifetime).toBe(1))
  })

  test('softEvictConnections, flush(GRACEFUL): refresh', async () => {
    const pool = open({ max: 1 })
    const lease = await pool.acquire()
    pool.refresh()
    expect((await lease.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    lease.release()
    await eventually(() => expect(pool.stats().closed.refresh).toBe(1))
  })

  test('initializationFailTimeout: ready fails when there is no such database', async () => {
    const url = new URL(server.url())
    url.pathname = '/nowhere'
    const pool = createPool(url.href)
    onTestFinished(async () => void (await pool.close()))
    await expect(pool.ready()).rejects.toMatchObject({ code: 'CONNECT_FAILED' })
  })

  test('allowPoolSuspension: callers wait while it is suspended', async () => {
    const pool = open()
    pool.suspend()
    const waiting = pool.query('select 1 as one')
    await eventually(() => expect(pool.stats().waiting).toBe(1))
    pool.resume()
    expect((await waiting).rows).toEqual([{ one: 1 }])
  })
})
