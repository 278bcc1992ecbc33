import pgModule from 'pg'
import { expect, test } from 'vitest'
import type { Row } from '../../../src/contract/sql-driver.ts'
import { pgDriver } from '../../support/pg-driver.ts'
import { ask, startPostgres } from '../../support/postgres.ts'

const server = await startPostgres()
const { driver, open } = pgDriver(server.url())

async function collect(rows: AsyncIterable<Row>): Promise<Row[]> {
  const all: Row[] = []
  for await (const row of rows) all.push(row)
  return all
}

test.each([1, 2, 3, 10, 11, 1000])('all rows come in order, %i at a time', async (batch) => {
  const { client } = await open()
  const rows = await collect(
    driver.stream(client, 'select generate_series(1, $1::int) as i', [10], { batch }),
  )
  expect(rows.map((row) => row.i)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect(driver.isDirty(client)).toBe(false)
})

test('rows look as those of a query: same types, same parsers, same parameters', async () => {
  const { client, query } = await open()
  client.setTypeParser(pgModule.types.builtins.INT8, (text: string) => BigInt(text))
  const sql = `select $1::bytea as a, $2::timestamptz as b, $3::int[] as c, $4::jsonb as d, 7::int8 as e, null as f, '' as g`
  const params = [Buffer.from([1, 2]), new Date(5), [1, 2], { x: [1] }]
  const [row] = await collect(driver.stream(client, sql, params, { batch: 10 }))
  expect(row).toEqual((await query(sql, params)).rows[0])
  expect(row?.e).toBe(7n)
})

test('a million rows pass with flat memory', { timeout: 60_000 }, async () => {
  const { client } = await open()
  const used = () => process.memoryUsage().heapUsed / 2 ** 20
  let count = 0
  let most = 0
  const before = used()
  for await (const _ of driver.stream(
    client,
    `select i, repeat('x', 100) as text from generate_series(1, 1000000) i`,
    [],
    { batch: 1000 },
  )) {
    if (++count % 50_000 === 0) most = Math.max(most, used())
  }
  expect(count).toBe(1_000_000)
  // All rows together take more than 200 MB.
  expect(most - before).toBeLessThan(100)
})

test('the server works ahead by no more than a batch', async () => {
  const { client } = await open()
  await ask(server, 'create sequence if not exists computed')
  const rows = driver.stream(client, `select nextval('computed') as n from generate_series(1, 1000)`, [], {
    batch: 10,
  })
  const seen: unknown[] = []
  for await (const row of rows) {
    seen.push(row.n)
    if (seen.length === 25) break
  }
  expect(await ask(server, 'select last_value::int as n from computed')).toEqual([{ n: 30 }])
})

test('a consumer that stops early leaves the connection usable and idle', async () => {
  const { client, query } = await open()
  for (const stopAt of [1, 9, 10, 11, 20]) {
    let count = 0
    for await (const _ of driver.stream(client, 'select generate_series(1, 1000000) as i', [], {
      batch: 10,
    })) {
      if (++count === stopAt) break
    }
    expect(driver.isDirty(client)).toBe(false)
    expect((await query('select 1 as a')).rows).toEqual([{ a: 1 }])
  }
})

test('nothing is sent before the first row is asked for', async () => {
  const { client } = await open()
  driver.stream(client, 'select pg_sleep(10)', [], { batch: 10 })
  expect(driver.isDirty(client)).toBe(false)
})

test.each([
  ['a text that is wrong', 'selec 1', '42601'],
  ['an error at the first row', 'select 1/0', '22012'],
  ['an error in the middle', 'select 1/(25 - i) as x from generate_series(1, 100) i', '22012'],
  ['a COPY', 'copy (select 1) to stdin', undefined],
])('an error surfaces and leaves the connection idle: %s', async (_, sql, code) => {
  const { client, query } = await open()
  const reading = collect(driver.stream(client, sql, [], { batch: 10 }))
  if (code === undefined) await reading
  else await expect(reading).rejects.toMatchObject({ code })
  expect(driver.isDirty(client)).toBe(false)
  expect((await query('select 1 as a')).rows).toEqual([{ a: 1 }])
})

test("a value that pg cannot write, or a parser that throws, is the stream's error", async () => {
  const { client, query } = await open()
  const broken = {
    toPostgres: () => {
      throw new Error('cannot write this')
    },
  }
  await expect(collect(driver.stream(client, 'select $1::text', [broken], { batch: 1 }))).rejects.toThrow(
    'cannot write this',
  )
  client.setTypeParser(pgModule.types.builtins.INT4, () => {
    throw new Error('cannot read this')
  })
  const rows = driver.stream(client, 'select generate_series(1, 100)::int as i', [], { batch: 10 })
  await expect(collect(rows)).rejects.toThrow('cannot read this')
  expect(driver.isDirty(client)).toBe(false)
  expect((await query(`select 'x' as a`)).rows).toEqual([{ a: 'x' }])
})

test('works in a transaction, which stays open', async () => {
  const { client, query } = await open()
  await driver.begin(client, {})
  await query('create temp table t as select generate_series(1, 20) as i')
  for await (const row of driver.stream(client, 'select i from t', [], { batch: 5 })) if (row.i === 7) break
  expect((await query('select count(*)::int as n from t')).rows).toEqual([{ n: 20 }])
  await driver.commit(client)
})

test('a statement without rows gives none, and does its work', async () => {
  const { client, query } = await open()
  expect(await collect(driver.stream(client, 'create temp table made (i int)', [], { batch: 5 }))).toEqual([])
  expect(await collect(driver.stream(client, 'insert into made values ($1)', [1], { batch: 5 }))).toEqual([])
  expect(await collect(driver.stream(client, '', [], { batch: 5 }))).toEqual([])
  expect((await query('select * from made')).rows).toEqual([{ i: 1 }])
})

test('a cancel ends it', async () => {
  const { client, query } = await open()
  const rows = driver.stream(client, 'select i, pg_sleep(0.01) from generate_series(1, 1000) i', [], {
    batch: 100,
  })
  const reading = collect(rows).catch((error) => error)
  await new Promise((resolve) => setTimeout(resolve, 30))
  await driver.cancel(client)
  expect(await reading).toMatchObject({ code: '57014' })
  expect(driver.isDirty(client)).toBe(false)
  expect((await query('select 1 as a')).rows).toEqual([{ a: 1 }])
})

test('a connection that dies under it is its error', async () => {
  const { client, pid, lost } = await open()
  const reading = (async () => {
    for await (const row of driver.stream(client, 'select generate_series(1, 1000) as i', [], {
      batch: 10,
    })) {
      if (row.i === 15) await ask(server, 'select pg_terminate_backend($1)', [pid])
    }
  })()
  expect(driver.classify(await reading.catch((error) => error), 'statement')).toBe('fatal')
  expect(lost).toHaveLength(1)
})

test('the time limit of pg itself ends it', async () => {
  const { driver: mine, open: openMine } = pgDriver(`${server.url()}?query_timeout=2000`)
  const { client } = await openMine()
  const rows = mine.stream(client, 'select i, pg_sleep(0.01) from generate_series(1, 1000) i', [], {
    batch: 1000,
  })
  await expect(collect(rows)).rejects.toThrow('Query read timeout')
  expect(mine.isDirty(client)).toBe(true)
  const { client: other } = await openMine()
  expect(await collect(mine.stream(other, 'select 1 as a', [], { batch: 1 }))).toEqual([{ a: 1 }])
  await new Promise((resolve) => setTimeout(resolve, 2_100))
  expect(mine.isDirty(other)).toBe(false)
})
