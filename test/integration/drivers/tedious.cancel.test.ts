import { expect, test } from 'vitest'
import { FaultProxy } from '../../../src/testing/index.ts'
import { eventually } from '../../support/postgres.ts'
import { delay } from '../../support/sqlserver-subject.ts'
import { ask, poolOn, useTdsServer } from '../../support/tedious.ts'

const used = useTdsServer()
const said = (what: string | RegExp) =>
  used.server.log.filter(({ says }) => (typeof what === 'string' ? says === what : what.test(says)))
const runs = (what: RegExp) => eventually(() => expect(said(what)).not.toEqual([]))
const first = (result: { rows: Record<string, unknown>[] }) => Object.values(result.rows[0] ?? {})[0]

test('a statement is cancelled by an attention, and the cancel resolves when it is acknowledged', async () => {
  const { driver, pool } = poolOn(used.server)
  await pool.use(async ({ connection }) => {
    const running = driver.query(connection, delay(60_000), [], {}).catch((error) => error)
    await runs(/waitfor/)
    await driver.cancel?.(connection)
    expect(driver.isDirty?.(connection)).toBe(false)
    expect(said('attention')).toHaveLength(1)
    expect(await running).toMatchObject({ code: 'ECANCEL' })
    expect(first(await driver.query(connection, 'select 1 as one', [], {}))).toBe(1)
  })
})

test('where nothing runs, nothing is sent', async () => {
  const { driver, pool } = poolOn(used.server)
  await pool.use(({ connection }) => driver.cancel?.(connection))
  expect(said('attention')).toEqual([])
})

test("a request of the user's own is waited for and cancelled as well", async () => {
  const { driver, pool } = poolOn(used.server)
  await pool.use(async ({ connection }) => {
    const running = ask(connection, delay(60_000)).catch((error) => error)
    await runs(/waitfor/)
    await driver.cancel?.(connection)
    expect(await running).toMatchObject({ code: 'ECANCEL' })
  })
})

test('a cancelled statement leaves its transaction open, and only itself undone', async () => {
  const { pool } = poolOn(used.server, { max: 2 })
  await pool.query('create table t (id int primary key)')
  const written = () => pool.query('select count(*) as n from t with (nolock)').then(first)
  await pool.transaction(async (tx) => {
    await tx.query('insert into t values (1)')
    const controller = new AbortController()
    const { signal } = controller
    const running = tx.query(`insert into t values (2); ${delay(60_000)}`, [], { signal })
    eventually(async () => expect(await written()).toBe(2)).then(() => controller.abort())
    await expect(running).rejects.toThrow()
    await tx.query('insert into t values (3)')
  })
  const { rows } = await pool.query('select id from t order by id')
  expect(rows).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
})

test('a large statement that is cancelled while it is sent is never executed', async () => {
  const { driver, pool } = poolOn(used.server)
  await pool.query('create table t (note nvarchar(max))')
  await pool.use(async ({ connection }) => {
    const text = 'x'.repeat(20_000_000)
    const running = driver.query(connection, 'insert into t values (@p1)', [text], {}).catch((error) => error)
    await driver.cancel?.(connection)
    expect(await running).toMatchObject({ code: 'ECANCEL' })
  })
  expect(first(await pool.query('select count(*) as n from t'))).toBe(0)
  expect(said('ignored').length + said('attention').length).toBe(1)
})

test('an attention that is never acknowledged costs the connection', async () => {
  const proxy = await new FaultProxy({ host: used.server.host, port: used.server.port }).listen()
  const { pool } = poolOn(used.server, { resetTimeoutMs: 300 }, { port: proxy.port, cancelTimeout: 100 })
  await pool.use(async (lease) => {
    const controller = new AbortController()
    const running = lease.query(delay(60_000), [], { signal: controller.signal })
    await runs(/waitfor/)
    for (const connection of proxy.connections) connection.set({ silent: true })
    controller.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
  })
  expect(first(await pool.query('select 1 as one'))).toBe(1)
  expect(pool.stats().created).toBe(2)
  await pool.close({ drainTimeoutMs: 0 })
  await proxy.close()
})

test('200 statements on 10 connections, some cancelled, some slow: each has its own answer', async () => {
  used.server.latencyMs = (random) => random.next() * 3
  const { pool } = poolOn(used.server, { max: 10 })
  const outcomes = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const controller = new AbortController()
      const options = { signal: controller.signal, prepare: i % 3 === 0 }
      const sql = i % 5 === 0 ? `${delay(i % 7)}; select @p1 as v` : 'select @p1 as v'
      const running = pool.query(sql, [`mine ${i}`], options)
      if (i % 4 === 0) setTimeout(() => controller.abort(new Error(`not ${i}`)), i % 13)
      try {
        return { i, gave: first(await running) }
      } catch (error) {
        return { i, threw: (error as Error).message }
      }
    }),
  )
  for (const { i, gave, threw } of outcomes) {
    if (threw === undefined) expect(gave).toBe(`mine ${i}`)
    else expect(threw).toBe(`not ${i}`)
  }
  expect(outcomes.filter(({ threw }) => threw !== undefined).length).toBeGreaterThan(5)
  expect(pool.stats().created).toBeLessThanOrEqual(10)
  await eventually(() => expect(pool.stats().resetting).toBe(0))
  expect(pool.stats().closed).toMatchObject({ dirty: 0, lost: 0, destroyed: 0 })
})

test('a stream that is left early costs one attention, however much was to come', async () => {
  const { pool } = poolOn(used.server)
  let seen = 0
  for await (const _ of pool.stream('select value from generate_series(1, 10000000)', [], { batch: 5 }))
    if (++seen === 12) break
  expect(first(await pool.query('select 1 as one'))).toBe(1)
  expect(said('attention')).toHaveLength(1)
  expect(pool.stats().created).toBe(1)
})
