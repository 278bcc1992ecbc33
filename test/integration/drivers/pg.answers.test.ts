import pgModule from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { pgDriver } from '../../support/pg-driver.ts'
import { startPostgres } from '../../support/postgres.ts'

// The driver reads answers itself. They must be those that pg would have given.

const server = await startPostgres()
const { driver, open } = pgDriver(server.url())

/** A client of pg's own, that nobody has pooled. */
async function plainClient(): Promise<pgModule.Client> {
  const client = new pgModule.Client(server.url())
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

type Outcome = Pick<pgModule.QueryResult, 'rows' | 'fields' | 'command' | 'rowCount'>

/** Of several results the last, as the driver promises, which also says 0 and nothing where pg says null. */
function lastOf(answer: Outcome | Outcome[]) {
  const { rows, fields, command, rowCount } = [answer].flat().at(-1) as Outcome
  return { rows, fields, command: command ?? undefined, rowCount: rowCount ?? 0 }
}

const LONG = 'ü'.repeat(9_000)

describe.each(['lent', 'shared'])('on a connection that is %s', (how) => {
  async function both() {
    const { client, query } = await open()
    driver.pipeline(client, how === 'shared')
    return { query, plain: await plainClient() }
  }

  test.each<[string, string, unknown[]?]>([
    ['values of many types', "select 1 as a, 'x' as b, now()::date as c, '{1,2}'::int[] as d, true as e"],
    ['JSON, bytes and nothing', `select '{"a":1}'::jsonb as a, '\\xdead'::bytea as b, null as c`],
    ['several rows', 'select n, n * 2 as twice from generate_series(1, 50) n'],
    ['no rows', 'select 1 as one where false'],
    ['no columns', 'select from generate_series(1, 3)'],
    ['columns of one name', 'select 1 as a, 2 as a, null as b, 3 as b, 4 as c, null as c'],
    ['columns with the names of an object', 'select 1 as "__proto__", 2 as constructor, 3 as "1"'],
    ['several statements', 'select 1 as a; select 2 as b, 3 as c'],
    ['several, the last without rows', 'select 1 as a; set work_mem = default'],
    ['rows that end with nothing', 'select 1 as a; -- and no more'],
    ['nothing', ''],
    ['a comment', '-- nothing'],
    ['a command', 'create temp table t as select 1 as a'],
    ['parameters', 'select $1::int as a, $2::text as b, $3::bytea as c', [1, '', Buffer.from([0, 1, 255])]],
    ['parameters that are nothing', 'select $1::int as a, $2::text as b', [null, undefined]],
    ['parameters of many types', 'select $1::int[] as a, $2::jsonb as b', [[1, null], { a: [1, 'ü'] }]],
    ['long parameters', 'select $1::text as a, $2::bytea as b', [LONG, Buffer.alloc(40_000, 7)]],
    ['a long text', `select '${LONG}' as a, $1::int as b`, [1]],
    ['a write', 'with w (n) as (values (1), ($1::int)) select n from w for no key update', [2]],
  ])('%s are answered as by pg', async (_, text, values = []) => {
    const { query, plain } = await both()
    const expected = await plain
      .query(text, values.length === 0 ? undefined : values)
      .then(lastOf, (error) => error)
    const given = await query(text, values).catch((error) => error)
    expect(given).toEqual(expected)
    expect(Object.keys(given.rows?.[0] ?? {})).toEqual(Object.keys(expected.rows?.[0] ?? {}))
  })

  test('of a named statement they are the same the second time', async () => {
    const { query, plain } = await both()
    const text = 'select $1::int as a, null as b, now()::date as c'
    const first = await query(text, [1], 'mine')
    const second = await query(text, [1], 'mine')
    expect(second).toEqual(first)
    expect(second).toEqual(lastOf(await plain.query(text, [1])))
    second.fields.pop()
    expect((await query(text, [1], 'mine')).fields).toEqual(first.fields)
  })

  test('a named statement without rows has none the second time either', async () => {
    const { query } = await both()
    await query('create temp table counted (n int)')
    const insert = () => query('insert into counted values ($1), ($1)', [1], 'insert')
    const expected = { rows: [], rowCount: 2, fields: [], command: 'INSERT' }
    expect(await insert()).toEqual(expected)
    expect(await insert()).toEqual(expected)
  })

  test('more parameters than can be sent fail the statement, and only that', async () => {
    const { query } = await both()
    const beside = query('select 1 as a')
    const many = Array.from({ length: 65_536 }, () => 1)
    await expect(query('select $65536::int', many)).rejects.toThrow(
      'a statement has at most 65535 parameters, this one 65536',
    )
    expect([(await beside).rows, (await query('select $1::int as a', [2])).rows]).toEqual([
      [{ a: 1 }],
      [{ a: 2 }],
    ])
  })

  test('an error is the server’s, and the next answer is right', async () => {
    const { query, plain } = await both()
    const text = 'select 1 / $1::int as a'
    const expected = await plain.query(text, [0]).catch((error) => error)
    const thrown = await query(text, [0], 'division').catch((error) => error)
    expect(thrown).toBeInstanceOf(pgModule.DatabaseError)
    expect({ ...thrown, length: 0 }).toEqual({ ...expected, length: 0 })
    expect((await query(text, [1], 'division')).rows).toEqual([{ a: 1 }])
  })
})

describe('type parsers of the user', () => {
  const INT4 = 23
  const TEXT = 25

  test('set on a client count from then on, for a named statement too', async () => {
    const { client, query } = await open()
    const look = async () => (await query('select $1::int as a', [1], 'mine')).rows
    expect(await look()).toEqual([{ a: 1 }])
    client.setTypeParser(INT4, (value) => `mine: ${value}`)
    expect(await look()).toEqual([{ a: 'mine: 1' }])
  })

  test('set for all clients count as well', async () => {
    const { query } = await open()
    const usual = pgModule.types.getTypeParser(INT4)
    onTestFinished(() => pgModule.types.setTypeParser(INT4, usual))
    pgModule.types.setTypeParser(INT4, (value) => `all: ${value}`)
    expect((await query('select 1 as a')).rows).toEqual([{ a: 'all: 1' }])
  })

  test('given in the config count', async () => {
    const types = { getTypeParser: () => (value: string) => `given: ${value}` }
    const { open: openMine } = pgDriver({ connectionString: server.url(), types } as never)
    const { query } = await openMine()
    expect((await query('select 1 as a, null as b')).rows).toEqual([{ a: 'given: 1', b: null }])
  })

  test('may throw: the statement fails when the server is done with it', async () => {
    const { client, query } = await open()
    client.setTypeParser(TEXT, (value) => {
      if (value === 'two') throw new Error('cannot read two')
      return value
    })
    await expect(query("select * from (values ('one'), ('two'), ('three')) v (a)")).rejects.toThrow(
      'cannot read two',
    )
    expect(driver.isDirty(client)).toBe(false)
    expect((await query("select 'three' as a")).rows).toEqual([{ a: 'three' }])
  })
})

test('what watches the queries of pg sees each with its text, its values and its end', async () => {
  const seen: unknown[] = []
  const { query: original } = pgModule.Client.prototype
  onTestFinished(() => {
    pgModule.Client.prototype.query = original
  })
  // As OpenTelemetry does.
  pgModule.Client.prototype.query = function (this: pgModule.Client, ...args: never[]) {
    const [asked] = args as unknown as [
      { text: string; values: unknown; callback: (...all: unknown[]) => void },
    ]
    const { callback } = asked
    asked.callback = (...all) => {
      seen.push([asked.text, asked.values, (all[1] as { rowCount: number } | undefined)?.rowCount])
      callback(...all)
    }
    return original.apply(this, args as never)
  } as never
  const { query } = await open()
  await query('select 1')
  await query('select $1::int', [7])
  await query('select nonsense').catch(() => {})
  expect(seen).toEqual([
    ['select 1', [], 1],
    ['select $1::int', ['7'], 1],
    ['select nonsense', [], undefined],
  ])
})

test('with `binary` in the config, values come as pg gives them', async () => {
  const config = { connectionString: server.url(), binary: true }
  const { open: openMine } = pgDriver(config as never)
  const { query } = await openMine()
  const plain = new pgModule.Client(config as never)
  await plain.connect()
  onTestFinished(() => plain.end())
  const text = "select $1::int4 as a, 'x'::text as b, null as c"
  const { rows } = await plain.query(text, [5])
  expect((await query(text, [5], 'mine')).rows).toEqual(rows)
  expect((await query(text, [5], 'mine')).rows).toEqual(rows)
})

test('a name that stands for another statement is refused, and nothing is sent', async () => {
  const { client, query } = await open()
  await query('select $1::int as a', [1], 'mine')
  await expect(query('select $1::int as b', [1], 'mine')).rejects.toThrow(
    'the name "mine" stands for another statement on this connection',
  )
  expect(driver.isDirty(client)).toBe(false)
  expect((await query('select $1::int as a', [2], 'mine')).rows).toEqual([{ a: 2 }])
})

test('on a shared connection everybody gets his own answer, also who asks pg itself', async () => {
  const { client, query } = await open()
  driver.pipeline(client, true)
  const answers = await Promise.all([
    query('select $1::int as n', [1]),
    client.query('select 2 as n'),
    query('select 3 as n'),
    client.query('select $1::int as n', [4]),
    query('select $1::int as n', [5], 'five'),
  ])
  expect(answers.map(({ rows }) => rows)).toEqual([
    [{ n: 1 }],
    [{ n: 2 }],
    [{ n: 3 }],
    [{ n: 4 }],
    [{ n: 5 }],
  ])
})
