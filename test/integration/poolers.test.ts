import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Edge } from '../support/edge.ts'
import { missing, poolBehind, startHaproxy, startPgBouncer, startPgpool } from '../support/poolers.ts'
import { ask, connectionCount, eventually, startPostgres } from '../support/postgres.ts'
import { needs } from '../support/skip.ts'

const server = await startPostgres()

const fronts = [
  {
    name: 'PgBouncer by transaction',
    program: 'pgbouncer',
    start: () => startPgBouncer(server, 'transaction'),
    options: { pooler: 'transaction', max: 10 },
    rounds: 100,
  },
  {
    name: 'PgBouncer by session',
    program: 'pgbouncer',
    start: () => startPgBouncer(server, 'session'),
    options: { pooler: 'session', max: 5 },
    rounds: 100,
  },
  {
    name: 'pgpool-II',
    program: 'pgpool',
    start: () => startPgpool(server),
    options: { pooler: 'session', max: 5 },
    rounds: 4, // it takes a second for each cancel
  },
  {
    name: 'HAProxy',
    program: 'haproxy',
    start: () => startHaproxy(server, 5_000),
    options: { max: 10 },
    rounds: 100,
  },
] as const

describe.each(fronts)('$name', ({ program, start, options, rounds }) => {
  const problem = missing(program)
  needs(problem === undefined, problem ?? '')

  test('fifty tasks at once get their own answers, and transactions keep their session', async () => {
    const { pool, told } = poolBehind(await start(), options)
    const task = async (i: number) => {
      for (let n = 0; n < 20; n++) {
        const { rows } = await pool.query('select $1::int as i, $2::int as n', [i, n])
        expect(rows).toEqual([{ i, n }])
      }
      await pool.transaction(async (tx) => {
        await tx.query(`set local application_name = 'task ${i}'`)
        const pid = (await tx.query('select pg_backend_pid()')).rows
        for (let n = 0; n < 3; n++) {
          const { rows } = await tx.query(`select current_setting('application_name') as mine where $1`, [
            true,
          ])
          expect(rows).toEqual([{ mine: `task ${i}` }])
        }
        expect((await tx.query('select pg_backend_pid()')).rows).toEqual(pid)
      })
    }
    await Promise.all(Array.from({ length: 50 }, (_, i) => task(i)))
    expect(pool.stats()).toMatchObject({ connectFailed: 0, closed: { lost: 0, dirty: 0 } })
    expect(pool.stats().created).toBeLessThanOrEqual(options.max)
    expect(told).toEqual([])
  })

  test('a transaction that was left open is rolled back', async () => {
    await ask(server, 'drop table if exists left_open; create table left_open (id int)')
    const { pool } = poolBehind(await start(), { ...options, max: 1 })
    await pool.use(async (lease) => {
      await lease.query('begin')
      await lease.query('insert into left_open values (1)')
    })
    expect((await pool.query('select count(*)::int as n from left_open')).rows).toEqual([{ n: 0 }])
    const open = "select 1 from pg_stat_activity where state like 'idle in transaction%'"
    expect(await ask(server, open)).toEqual([])
    expect(pool.stats().created).toBe(1)
  })

  test('a cancel hits its own statement only', async () => {
    const pooler = await start()
    const { pool } = poolBehind(pooler, { ...options, max: 1 })
    const other = poolBehind(pooler, { ...options, max: 1 }).pool
    let isOver = false
    const neighbour = (async () => {
      while (!isOver) await other.query('select pg_sleep(0.002)')
    })()
    let cancelled = 0
    const edge = new Edge()
    for (let round = 0; round < rounds; round++) {
      const controller = new AbortController()
      const victim = pool.query(`select pg_sleep(${edge.ms / 1_000})`, [], { signal: controller.signal })
      const seen = victim.then(
        () => edge.cameOut('first'),
        () => {
          cancelled++
          edge.cameOut('last')
        },
      )
      await sleep(1)
      controller.abort()
      await seen
      await pool.query('select pg_sleep(0.001)')
    }
    isOver = true
    await neighbour
    expect(cancelled).toBeGreaterThan(rounds / 10)
    expect([pool.stats().created, other.stats().created]).toEqual([1, 1])
  })

  test('the check before lending passes, and costs no connection', async () => {
    const { pool } = poolBehind(await start(), { ...options, max: 1, validateAfterIdleMs: 0 })
    for (let n = 0; n < 20; n++) await pool.query('select 1')
    expect(pool.stats()).toMatchObject({ created: 1, closed: { invalid: 0, lost: 0 } })
  })

  test('sessions that the server ends are replaced', async () => {
    const { pool } = poolBehind(await start(), { ...options, validateAfterIdleMs: 0 })
    const burst = () => Promise.all(Array.from({ length: 20 }, () => pool.query('select pg_sleep(0.002)')))
    await burst()
    const others = `from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`
    const ended = await ask<{ pid: number }>(server, `select pid, pg_terminate_backend(pid) ${others}`)
    const left = () => ask(server, `select ${others} and pid = any($1)`, [ended.map(({ pid }) => pid)])
    await eventually(async () => expect(await left()).toEqual([]))
    await eventually(burst)
    await burst()
  })

  test('what is closed here is closed there', async () => {
    const pooler = await start()
    const { pool } = poolBehind(pooler, options)
    await Promise.all(Array.from({ length: 20 }, () => pool.query('select pg_sleep(0.002)')))
    expect(await pool.close()).toMatchObject({ abandoned: 0 })
    await pooler.close()
    await eventually(async () => expect(await connectionCount(server)).toBe(0))
  })
})

// pgpool-II 4.3 keeps the first batch back: it hands answers on at the end of a statement.
describe.each(fronts.filter(({ program }) => program !== 'pgpool'))(
  '$name',
  ({ program, start, options }) => {
    const problem = missing(program)
    needs(problem === undefined, problem ?? '')

    test('a stream comes in batches, and leaves the connection usable', async () => {
      const { pool } = poolBehind(await start(), { ...options, max: 1 })
      let sum = 0
      const rows = pool.stream<{ n: number }>('select n from generate_series(1, $1::int) n', [1_000], {
        batch: 10,
      })
      for await (const { n } of rows) sum += n
      for await (const _ of pool.stream('select n from generate_series(1, 100000) n', [], { batch: 10 }))
        break
      expect(sum).toBe(500_500)
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      expect(pool.stats().created).toBe(1)
    })
  },
)

describe.each(fronts.filter(({ start }) => start !== fronts[0].start))(
  '$name',
  ({ program, start, options }) => {
    const problem = missing(program)
    needs(problem === undefined, problem ?? '')

    test('a session is one’s own: names work, and a full reset leaves no setting and no name', async () => {
      const { pool, told } = poolBehind(await start(), { ...options, max: 1 })
      for (let n = 0; n < 8; n++) await pool.query('select $1::int', [n], { prepare: true })
      await pool.query("set work_mem = '7MB'")
      const { rows } = await pool.query(
        "select (select count(*)::int from pg_prepared_statements) as names, current_setting('work_mem') as work_mem",
      )
      expect(rows).toEqual([{ names: 0, work_mem: '4MB' }])
      expect((await pool.query('select $1::int as n', [1], { prepare: true })).rows).toEqual([{ n: 1 }])
      expect(pool.stats().created).toBe(1)
      expect(told).toEqual([])
    })
  },
)
