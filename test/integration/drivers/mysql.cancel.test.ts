import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { SqlDriver } from '../../../src/contract/sql-driver.ts'
import { createPool } from '../../../src/create-pool.ts'
import type { MysqlConfig } from '../../../src/drivers/mysql-family/config.ts'
import { mysql2 } from '../../../src/drivers/mysql2/index.ts'
import { Edge } from '../../support/edge.ts'
import { type AnyConnection, drivers, type MakeAny, useMariadb } from '../../support/mysql-drivers.ts'
import type { MysqlServer } from '../../support/mysql-server.ts'
import { NO_MYSQL56, startMysql56, wantsMysql56 } from '../../support/mysql56.ts'
import { skip } from '../../support/skip.ts'

const used = useMariadb()

const first = (result: { rows: Record<string, unknown>[] }) => Number(Object.values(result.rows[0] ?? {})[0])

/**
 * Cancels around the end of a statement, and looks whether the next statement is ever the one that is
 * hit: `sleep` gives 1 when it is interrupted, everything else fails.
 */
async function hammer(config: MysqlConfig, make: MakeAny, rounds: number) {
  const pool = createPool(make(config), { max: 1, multiplex: 'off' })
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  let cancelled = 0
  const edge = new Edge()
  for (let round = 0; round < rounds; round++) {
    const controller = new AbortController()
    const victim = pool.query(`select sleep(${edge.ms / 1_000})`, [], { signal: controller.signal }).then(
      () => edge.cameOut('first'),
      () => {
        cancelled++
        edge.cameOut('last')
      },
    )
    await sleep(1)
    controller.abort()
    await victim
    expect(first(await pool.query('select sleep(0.001)')), `round ${round}`).toBe(0)
  }
  expect(cancelled).toBeGreaterThan(rounds / 10)
  expect(pool.stats().created, 'no connection was lost by it').toBe(1)
}

describe.each(drivers)('$name', ({ make }) => {
  function poolOf(max: number) {
    const pool = createPool(make(used.server.url()), { max, multiplex: 'off' })
    onTestFinished(async () => {
      await pool.close({ drainTimeoutMs: 0 })
    })
    return pool
  }

  async function most(until: Promise<unknown>): Promise<number> {
    let seen = 0
    let isOver = false
    const over = until.then(() => {
      isOver = true
    })
    while (!isOver) seen = Math.max(seen, await used.overseer.sessions())
    await over
    return seen
  }

  test('a cancel hits its own statement and never the next one', async () => {
    await hammer({ uri: used.server.url() }, make, 200)
  })

  test('a cancel that is sent when nothing runs hits nothing', async () => {
    const driver = make(used.server.url())
    const connection = await driver.connect({ signal: new AbortController().signal })
    for (let i = 0; i < 20; i++) {
      await driver.cancel?.(connection)
      expect(first(await driver.query(connection, 'select sleep(0.001)', [], {}))).toBe(0)
    }
    await driver.close(connection)
  })

  test('many cancels at once take one more session, not one each', async () => {
    const pool = poolOf(8)
    const busy = Array.from({ length: 8 }, () =>
      pool.query('select sleep(20)', [], { timeoutMs: 3_000 }).catch((error) => error.code),
    )
    const work = Promise.all(busy).then(async (codes) => {
      expect(new Set(codes)).toEqual(new Set(['QUERY_TIMEOUT']))
      await Promise.all(Array.from({ length: 8 }, () => pool.query('select 1')))
    })
    expect(await most(work)).toBeLessThanOrEqual(9)
    await work
    expect(pool.stats().created).toBe(8)
  })

  test('a cancelled write in a transaction undoes that write alone', async () => {
    const pool = poolOf(1)
    await pool.query('create table if not exists cancelled (id int primary key)')
    await pool.query('delete from cancelled')
    await pool.transaction(async (tx) => {
      await tx.query('insert into cancelled values (1)')
      const slow = tx.query('insert into cancelled select 2 + sleep(10)', [], { timeoutMs: 100 })
      await expect(slow).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
      await tx.query('insert into cancelled values (3)')
    })
    const { rows } = await pool.query('select id from cancelled order by id')
    expect(rows.map(({ id }) => Number(id))).toEqual([1, 3])
  })

  test('closing a pool ends what still runs on the server', async () => {
    const pool = poolOf(3)
    const running = Array.from({ length: 3 }, () => pool.query('select sleep(30)').catch((error) => error))
    const runs = "select id from information_schema.processlist where info = 'select sleep(30)'"
    await expect.poll(() => used.overseer.ask(runs)).toHaveLength(3)
    const report = await pool.close({ drainTimeoutMs: 20 })
    expect(report).toMatchObject({ destroyed: 3, abandoned: 0 })
    for (const error of await Promise.all(running)) expect(error).toBeInstanceOf(Error)
    // Long before they would have ended by themselves.
    await expect.poll(() => used.overseer.sessions(), { timeout: 15_000 }).toBe(0)
  })

  test('a stream that is left early stops the server, rather than read to the end', async () => {
    const pool = poolOf(1)
    const endless =
      "select repeat('x', 1000) as v from information_schema.columns a, information_schema.columns b, information_schema.columns c"
    const start = performance.now()
    for await (const _ of pool.stream(endless, [], { batch: 10 })) break
    expect(performance.now() - start).toBeLessThan(20_000)
    expect(first(await pool.query('select 5'))).toBe(5)
    expect(pool.stats().created).toBe(1)
  })

  test('a stream waits for its reader', async () => {
    const pool = poolOf(1)
    const wide = "select seq, repeat('x', 10000) as v from seq_1_to_20000" // 200 MB
    const before = process.memoryUsage()
    let most = 0
    let seen = 0
    for await (const _ of pool.stream(wide, [], { batch: 50 })) {
      if (++seen % 1000 === 0) await sleep(1)
      if (seen % 100 !== 0) continue
      const { heapUsed, external } = process.memoryUsage()
      most = Math.max(most, heapUsed + external - before.heapUsed - before.external)
    }
    expect(seen).toBe(20_000)
    expect(most / 2 ** 20).toBeLessThan(100)
  })
})

describe('mysql2 on MySQL 5.6', () => {
  test('a kill that comes late is not kept for the next statement', async (context) => {
    if (!wantsMysql56) skip(context, NO_MYSQL56)
    const server: MysqlServer = await startMysql56()
    onTestFinished(() => server.close())
    const make: MakeAny = (config) => mysql2(config) as SqlDriver<AnyConnection>
    await hammer({ uri: server.url() }, make, 200)
    const driver = make(server.url())
    const connection: AnyConnection = await driver.connect({ signal: new AbortController().signal })
    await driver.cancel?.(connection)
    expect(first(await driver.query(connection, 'select sleep(0.001)', [], {}))).toBe(0)
    await driver.close(connection)
  })
})
