import { describe, expect, onTestFinished, test } from 'vitest'
import { pg } from '../../../src/drivers/pg/index.ts'
import { createPool } from '../../../src/index.ts'
import { pgDriver } from '../../support/pg-driver.ts'
import { ask, startPostgres } from '../../support/postgres.ts'

const server = await startPostgres()
const { driver, open } = pgDriver(server.url())

/** A shared connection that knows this statement, and a way to execute it together with others. */
async function shared(text: string, first: readonly unknown[] = []) {
  const { client } = await open()
  await driver.query(client, text, first, { name: 'known' })
  driver.pipeline(client, true)
  const fly = (...values: unknown[]) =>
    driver.query(client, text, values, { name: 'known', together: true }).then(({ rows }) => rows)
  return { client, fly }
}

/** Those of one flight are one transaction, which has one time. */
const transactions = (rows: Record<string, unknown>[][]) => new Set(rows.map(([row]) => String(row?.at))).size

describe('statements of one name that are sent together', () => {
  test('share a Sync, sixteen at a time, and each has its own answer', async () => {
    const { fly } = await shared('select $1::int as n, now()::text as at', [0])
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => fly(n)))
    expect(answers.map(([row]) => row?.n)).toEqual(Array.from({ length: 40 }, (_, n) => n))
    expect(transactions(answers)).toBe(3)
  })

  test('do so whatever is sent between them', async () => {
    const { client, fly } = await shared('select $1::int as n, now()::text as at', [0])
    const between = () => driver.query(client, 'select 1 as one', [], {}).then(({ rows }) => rows)
    const all = await Promise.all([fly(1), between(), fly(2), between(), fly(3)])
    expect(all.map(([row]) => row?.n ?? row?.one)).toEqual([1, 1, 2, 1, 3])
    expect(transactions([all[0], all[2], all[4]] as never)).toBe(1)
  })

  test('of other names fly on their own', async () => {
    const { client, fly } = await shared('select $1::int as n, now()::text as at', [0])
    const other = (together: boolean) =>
      driver
        .query(client, 'select $1::text as n, now()::text as at', ['x'], { name: 'other', together })
        .then(({ rows }) => rows)
    await other(false)
    const all = await Promise.all([fly(1), other(true), fly(2), other(true)])
    expect(all.map(([row]) => row?.n)).toEqual([1, 'x', 2, 'x'])
    expect(transactions(all)).toBe(2)
  })

  test('are all undone by the failure of one, which has its own error', async () => {
    const { fly } = await shared('select 10 / $1::int as n', [1])
    const outcomes = await Promise.allSettled([5, 0, 2].map((n) => fly(n)))
    const reasons = outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)
    expect(reasons.map((reason) => driver.isUndone?.(reason))).toEqual([true, false, true])
    expect(reasons[1]).toMatchObject({ code: '22012' })
    expect(reasons[1].stack).toContain('flights.test')
    expect(await fly(5)).toEqual([{ n: 2 }])
  })

  test('fail alone where a parser of the user’s throws', async () => {
    const { client, fly } = await shared('select $1::int as n', [1])
    const types = client as unknown as { setTypeParser(oid: number, read: (text: string) => unknown): void }
    types.setTypeParser(23, (text) => {
      if (text === '2') throw new RangeError('no two')
      return Number(text)
    })
    const outcomes = await Promise.allSettled([1, 2, 3].map((n) => fly(n)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: expect.objectContaining({ message: 'no two' }) })
  })

  test('fail alone where a value cannot be written, first or later', async () => {
    const { fly } = await shared('select $1::text as n', [''])
    const unwritable = Object.assign(() => undefined, { toString: () => Object.create(null) })
    for (const values of [
      [unwritable, 'b', 'c'],
      ['a', unwritable, 'c'],
    ]) {
      const outcomes = await Promise.allSettled(values.map((value) => fly(value)))
      expect(outcomes).toEqual(
        values.map((value) =>
          typeof value === 'string'
            ? { status: 'fulfilled', value: [{ n: value }] }
            : { status: 'rejected', reason: expect.any(TypeError) },
        ),
      )
    }
  })

  test('read what the client reads in binary', async () => {
    const binary = pgDriver({ connectionString: server.url(), binary: true } as never)
    const { client } = await binary.open()
    const read = (together: boolean) =>
      driver
        .query(client, 'select $1::int as n, now() as at', [7], { name: 'known', together })
        .then(({ rows }) => rows[0])
    const alone = await read(false)
    driver.pipeline(client, true)
    const [one, other] = await Promise.all([read(true), read(true)])
    expect([alone?.n, one?.n, other?.n]).toEqual([7, 7, 7])
    expect(one?.at).toBeInstanceOf(Date)
    expect(one?.at).toEqual(other?.at)
  })

  test('read NULL, nothing, bytes and many rows as ever', async () => {
    const { fly } = await shared('select $1::bytea as b from generate_series(1, $2::int)', [null, 1])
    const [one, none, many] = await Promise.all([
      fly(Buffer.from([0, 255]), 1),
      fly(null, 0),
      fly(null, 3_000),
    ])
    expect(one).toEqual([{ b: Buffer.from([0, 255]) }])
    expect(none).toEqual([])
    expect(many).toHaveLength(3_000)
    expect(many?.[2_999]).toEqual({ b: null })
  })

  test('go apart where somebody wants to see each of them', async () => {
    const { client, fly } = await shared('select $1::int as n, now()::text as at', [0])
    const watchable = client as unknown as { query: (...all: unknown[]) => unknown }
    const { query } = watchable
    const seen: unknown[] = []
    watchable.query = function (...all) {
      seen.push((all[0] as { text: string; values: unknown[] }).values[0])
      return query.apply(this, all)
    }
    const answers = await Promise.all([fly(1), fly(2), fly(3)])
    expect(answers.map(([row]) => row?.n)).toEqual([1, 2, 3])
    expect(seen).toEqual(['1', '2', '3'])
  })

  test('have a time limit each where pg has one', async () => {
    const limited = pgDriver(`${server.url()}?query_timeout=60000`)
    const { client } = await limited.open()
    await driver.query(client, 'select now()::text as at', [], { name: 'known' })
    driver.pipeline(client, true)
    const answers = await Promise.all(
      [1, 2].map(() =>
        driver.query(client, 'select now()::text as at', [], { name: 'known', together: true }),
      ),
    )
    expect(transactions(answers.map(({ rows }) => rows))).toBe(2)
  })

  test('end with their connection, each with the error that says why', async () => {
    const { client, fly } = await shared('select $1::int as n, pg_sleep($2)', [1, 0])
    const flying = [fly(1, 0), fly(2, 30), fly(3, 0)]
    const outcomes = Promise.allSettled(flying)
    await ask(server, 'select pg_terminate_backend($1, 10000)', [
      (client as unknown as { processID: number }).processID,
    ])
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: '57P01' } })
    }
  })

  test('are refused when the connection is gone, though others of them had been waiting to be sent', async () => {
    const { client, fly } = await shared('select $1::int as n', [0])
    const ahead = Array.from({ length: 20 }, () => driver.query(client, 'select pg_sleep(30)', [], {}))
    void Promise.allSettled(ahead)
    await new Promise((resolve) => setImmediate(resolve))
    const waiting = fly(1)
    await new Promise((resolve) => setImmediate(resolve))
    ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
    await expect(waiting).rejects.toThrow('Connection terminated')
    await expect(fly(2)).rejects.toThrow('not queryable')
  })

  test('come after what somebody else writes, and before what is written later', async () => {
    const { client, fly } = await shared('select $1::int as n', [0])
    const raw = () =>
      (client.query('select 7 as n') as unknown as Promise<{ rows: unknown[] }>).then(({ rows }) => rows)
    expect(await Promise.all([fly(1), fly(2)])).toEqual([[{ n: 1 }], [{ n: 2 }]])
    const mixed = [fly(3), driver.query(client, 'select 6 as n', [], {}).then(({ rows }) => rows), fly(4)]
    expect(await Promise.all(mixed)).toEqual([[{ n: 3 }], [{ n: 6 }], [{ n: 4 }]])
    driver.pipeline(client, false)
    expect(await raw()).toEqual([{ n: 7 }])
  })
})

describe('a pool whose reads share connections', () => {
  test('gives each read its own answer or error, though they fly together', async () => {
    const pool = createPool(pg(server.url()), { max: 3 })
    onTestFinished(() => pool[Symbol.asyncDispose]())
    const read = (n: number) => pool.query('select 100 / $1::int as n', [n])
    for (let n = 1; n <= 60; n++) await read(n)
    const outcomes = await Promise.allSettled(Array.from({ length: 2_000 }, (_, n) => read(n % 97)))
    for (const [n, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled')
        expect(outcome.value.rows).toEqual([{ n: Math.floor(100 / (n % 97)) }])
      else expect([n % 97, (outcome.reason as { code: string }).code]).toEqual([0, '22012'])
    }
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(21)
  })

  test('keeps its connection, and whoever shares it, when a call has not the parameters of the text', async () => {
    const pool = createPool(pg(server.url()), { max: 1 })
    onTestFinished(() => pool[Symbol.asyncDispose]())
    const read = (...values: unknown[]) => pool.query('select $1::int as n', values)
    for (let n = 1; n <= 20; n++) await read(n)
    const outcomes = await Promise.allSettled([read(1), read(), read(2), read(3, 4), read(5)])
    expect(outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value.rows)).toEqual([
      [{ n: 1 }],
      false,
      [{ n: 2 }],
      false,
      [{ n: 5 }],
    ])
    // Which of them depends on how it was sent.
    const refused = { reason: { code: expect.stringMatching(/^(08P01|42P02)$/) } }
    expect(outcomes[1]).toMatchObject(refused)
    expect(outcomes[3]).toMatchObject(refused)
    expect(pool.stats()).toMatchObject({ created: 1, total: 1 })
  })

  test('reads the time of each run where the text says it in words', async () => {
    const pool = createPool(pg(server.url()), { max: 1 })
    onTestFinished(() => pool[Symbol.asyncDispose]())
    const read = async () => (await pool.query("select ' Now '::timestamptz::text as at")).rows[0]?.at
    for (let n = 0; n < 20; n++) await read()
    expect(await read()).not.toBe(await read())
  })

  test('reads a table that changes under it', async () => {
    const pool = createPool(pg(server.url()), { max: 3 })
    onTestFinished(() => pool[Symbol.asyncDispose]())
    await pool.query('create table changing (id int primary key, a text)')
    await pool.query("insert into changing values (1, 'a')")
    const read = () => pool.query('select * from changing where id = $1', [1]).then(({ rows }) => rows[0])
    for (let n = 0; n < 60; n++) await read()
    for (const [n, column] of ['b', 'c', 'd'].entries()) {
      const before = Array.from({ length: 100 }, read)
      await pool.query(`alter table changing add ${column} int`)
      await Promise.all(before)
      const after = await Promise.all(Array.from({ length: 100 }, read))
      for (const row of after) expect(Object.keys(row ?? {})).toHaveLength(3 + n)
    }
  })

  test('answers a transaction that asks the pool while somebody before it waits for that transaction', async () => {
    const pool = createPool(pg(server.url()), { max: 4 })
    onTestFinished(() => pool[Symbol.asyncDispose]())
    await pool.query('create table locked (id int)')
    await pool.query('create table free (id int)')
    const reads = () => [pool.query('select id from locked'), pool.query('select id from free')] as const
    for (let n = 0; n < 20; n++) await Promise.all(reads())
    const waiting = await pool.transaction(async (tx) => {
      await tx.query('lock table locked in access exclusive mode')
      const [locked, free] = reads()
      expect((await free).rows).toEqual([])
      return [locked] as const
    })
    expect((await waiting[0]).rows).toEqual([])
  })

  test('sees what was written before it was asked', async () => {
    const pool = createPool(pg(server.url()), { max: 4 })
    onTestFinished(() => pool[Symbol.asyncDispose]())
    await pool.query('create table counters (id int primary key, n int not null)')
    await pool.query('insert into counters select i, 0 from generate_series(1, 20) i')
    const read = (id: number) => pool.query('select n from counters where id = $1', [id])
    for (let n = 0; n < 60; n++) await read(1)
    const work = async (id: number) => {
      for (let n = 1; n <= 50; n++) {
        await pool.query('update counters set n = n + 1 where id = $1', [id])
        expect((await read(id)).rows).toEqual([{ n }])
      }
    }
    await Promise.all(Array.from({ length: 20 }, (_, i) => work(i + 1)))
  })
})
