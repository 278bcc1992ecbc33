import { describe, expect, onTestFinished, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { linkOf } from '../../../src/drivers/mysql-family/link.ts'
import { drivers, useMariadb } from '../../support/mysql-drivers.ts'

const used = useMariadb(['--max-connections=12'])

const first = (result: { rows: Record<string, unknown>[] }) => Object.values(result.rows[0] ?? {})[0]

describe.each(drivers)('$name', ({ make }) => {
  function poolOf(options: object = {}) {
    const pool = createPool(make(used.server.url()), { max: 4, ...options })
    onTestFinished(async () => {
      await pool.close({ drainTimeoutMs: 0 })
      await expect.poll(() => used.overseer.sessions().catch(() => 0)).toBe(0)
    })
    return pool
  }

  test('a session that the server ends for being idle is noticed', async () => {
    const pool = poolOf({ validateAfterIdleMs: Number.POSITIVE_INFINITY })
    await pool.use(async ({ connection }) => {
      await connection.query('set wait_timeout = 1')
    })
    await expect.poll(() => pool.stats().closed.lost).toBe(1)
    await pool.query('select 1')
  })

  test('a session that was killed is not lent any more from the moment at which its end arrives', async () => {
    const pool = poolOf({ max: 1, validateAfterIdleMs: Number.POSITIVE_INFINITY })
    const lease = await pool.acquire()
    const { stream } = linkOf(lease.connection).speaker
    const asked = new Promise<{ rows: Record<string, unknown>[] }>((resolve) => {
      stream.on('end', () => resolve(pool.query('select 7')))
    })
    const id = first(await lease.query('select connection_id()'))
    lease.release()
    await used.overseer.kill(id)
    expect(Number(first(await asked))).toBe(7)
  })

  test("the user's own end of a connection is noticed", async () => {
    const pool = poolOf({ max: 1 })
    for (const how of ['end', 'destroy'] as const) {
      await pool.use(async ({ connection }) => {
        await (connection as unknown as Record<typeof how, () => unknown>)[how]()
      })
      expect(Number(first(await pool.query('select 7')))).toBe(7)
    }
  })

  test('a statement larger than the server takes costs its connection and nothing else', async () => {
    const pool = poolOf({ max: 1 })
    const [row] = await used.overseer.ask<{ n: number }>('select @@global.max_allowed_packet as n')
    const large = Buffer.alloc(Number(row?.n) + 1024)
    const error = await pool.query('select length(?)', [large]).catch((thrown) => thrown)
    expect(error.code).toBe('CONNECTION_LOST')
    expect(Number(first(await pool.query('select 1')))).toBe(1)
  })

  test('when the server has no connection left, those that are open do the work', async () => {
    const pool = poolOf({ max: 30, acquireTimeoutMs: 20_000 })
    const errors: unknown[] = []
    pool.on('error', ({ error }) => errors.push(error))
    const work = Array.from({ length: 100 }, (_, i) =>
      pool.transaction(async (tx) => first(await tx.query(`select ${i}`))),
    )
    expect((await Promise.all(work)).map(Number)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    const { idle, leased } = pool.stats()
    expect(idle + leased).toBeLessThanOrEqual(12)
  })

  test('a server that restarts costs what was under way, and nothing later', async () => {
    const pool = poolOf({ acquireTimeoutMs: 20_000 })
    pool.on('error', () => undefined)
    await Promise.all(Array.from({ length: 4 }, () => pool.query('select sleep(0.05)')))
    const running = pool.query('select sleep(20)').catch((error) => error)
    await used.overseer.close().catch(() => undefined)
    const stopping = used.server.stop()
    expect(await running).toMatchObject({ code: 'CONNECTION_LOST' })
    await stopping
    const waiting = pool.query('select 5')
    await used.server.resume()
    const { Overseer } = await import('../../support/mysql-server.ts')
    used.overseer = await Overseer.of(used.server)
    expect(Number(first(await waiting))).toBe(5)
    expect(pool.stats().closed.lost).toBeGreaterThan(0)
  })
})
