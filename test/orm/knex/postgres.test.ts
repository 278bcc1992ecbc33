import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import makeKnex, { type Knex } from 'knex'
import pgModule from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ConnectionLostError, PoolBypassedError } from '../../../src/contract/errors.ts'
import type { PoolOptions } from '../../../src/contract/options.ts'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import {
  type RockpoolKnexConfig,
  type RockpoolKnexOptions,
  rockpoolClient,
  rockpoolKnex,
} from '../../../src/orm/knex/index.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { nextLent } from '../support.ts'

const server = await startPostgres()
await ask(
  server,
  `create table person (id serial primary key, name text not null unique, born timestamptz);
   create table pet (id serial primary key, name text, owner_id int not null references person deferrable initially deferred);
   create schema app; create table app.here (n int); insert into app.here values (7)`,
)

function open(
  config: RockpoolKnexConfig = {},
  options: PoolOptions<pgModule.Client> = {},
  how: RockpoolKnexOptions = {},
) {
  const pool = createPool(pg(server.url(), { module: pgModule }), { max: 3, ...options })
  const knex: Knex = makeKnex(rockpoolKnex(pool, config, how))
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  const expectWhole = () =>
    eventually(() => {
      const { total, idle, leased, waiting } = pool.stats()
      expect({ idle, leased, waiting }).toEqual({ idle: total, leased: 0, waiting: 0 })
    })
  return { pool, knex, expectWhole }
}

const errorOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    (value) => expect.unreachable(`gave ${JSON.stringify(value)}`),
    (error) => error,
  )

let people = 0
const someone = () => `person ${++people}`
const warnings = { warn: () => undefined, error: () => undefined }

describe('statements', () => {
  test('run on the pool, with results as Knex gives them', async () => {
    const { pool, knex, expectWhole } = open()
    const name = someone()
    const [{ id }] = await knex('person').insert({ name }).returning('id')
    expect(await knex('person').where({ id })).toEqual([{ id, name, born: null }])
    expect(await knex('person').where({ id }).first()).toEqual({ id, name, born: null })
    expect(await knex('person').where({ id }).pluck('name')).toEqual([name])
    expect(
      await knex('person')
        .where({ id })
        .update({ born: new Date(0) }),
    ).toBe(1)
    expect((await knex('person').where({ id }).first()).born).toEqual(new Date(0))
    expect(await knex('person').where({ id }).del()).toBe(1)
    expect((await knex.raw('select ?::int as n', [1])).rows).toEqual([{ n: 1 }])
    expect(pool.stats().total).toBe(1)
    await expectWhole()
  })

  test('single reads share connections, and no more are opened for them', async () => {
    // No time goes by: on a busy machine reads may look too slow to share.
    const { pool, knex } = open({}, { max: 10, clock: new VirtualClock() })
    for (let i = 0; i < 10; i++) await knex('person').where({ id: 1 })
    const uids = new Set<unknown>()
    knex.on('query', ({ __knexUid }) => uids.add(__knexUid))
    await Promise.all(Array.from({ length: 50 }, () => knex('person').where({ id: 1 })))
    expect([...uids]).toEqual(['shared'])
    expect(pool.stats().total).toBeLessThan(10)
  })

  test('an error is the one of pg, with the statement before it', async () => {
    const { knex, expectWhole } = open()
    for (const query of [knex('nowhere').select(), knex.raw('select * from nowhere')]) {
      const error = await errorOf(query)
      expect(error).toBeInstanceOf(pgModule.DatabaseError)
      expect(error).toMatchObject({ code: '42P01' })
      expect(error.message).toMatch(/^select \* from .?nowhere.? - relation "nowhere" does not exist/)
    }
    await expectWhole()
  })

  test('type parsers are those of the pool’s clients', async () => {
    const types = new pgModule.TypeOverrides()
    types.setTypeParser(20, (text) => BigInt(text))
    const pool = createPool(pg({ ...urlParts(), types } as never, { module: pgModule }), { max: 1 })
    onTestFinished(async () => void (await pool.close()))
    const knex = makeKnex(rockpoolKnex(pool))
    expect(await knex('person').count('* as n').where({ id: 0 })).toEqual([{ n: 0n }])
    expect((await knex.raw('select 1::int8 as n')).rows).toEqual([{ n: 1n }])
  })

  test('the schema is built, and asked', async () => {
    const { knex, expectWhole } = open()
    await knex.schema.createTable('thing', (table) => {
      table.increments('id')
      table.string('label')
    })
    expect(await knex.schema.hasTable('thing')).toBe(true)
    expect(Object.keys(await knex('thing').columnInfo())).toEqual(['id', 'label'])
    await knex.schema.dropTable('thing')
    expect(knex.client.database()).toBe('postgres')
    expect(knex.client.version).toMatch(/^\d+/)
    await expectWhole()
  })

  test('streams read on as they are consumed, and give the connection back when they are left', async () => {
    const { pool, knex, expectWhole } = open({}, { max: 1 })
    const rows: unknown[] = []
    for await (const row of knex.select(knex.raw('generate_series(1, 1000) as n')).stream()) rows.push(row)
    expect(rows).toHaveLength(1000)
    await expectWhole()
    for await (const row of knex.select(knex.raw('generate_series(1, 100000) as n')).stream()) {
      expect(row).toEqual({ n: 1 })
      break
    }
    await expectWhole()
    expect(pool.stats().total).toBe(1)
    await expect(
      (async () => {
        for await (const _ of knex.raw('select 1/(5 - n) from generate_series(1, 10) n').stream());
      })(),
    ).rejects.toThrow(/division by zero/)
    await expectWhole()
  })

  test('a stream gives back only its own connection', async () => {
    const { pool, knex, expectWhole } = open({}, { max: 1 })
    const stream = knex.select(knex.raw('generate_series(1, 3) as n')).stream()
    // Everything has been read from the server, and nobody has read the stream.
    await eventually(() => expect(pool.stats().idle).toBe(1))
    const trx = await knex.transaction()
    expect(pool.stats().leased).toBe(1)
    stream.destroy()
    await new Promise((resolve) => stream.on('close', resolve))
    await new Promise(setImmediate)
    expect(pool.stats().leased).toBe(1)
    await trx.rollback()
    await expectWhole()
  })
})

describe('transactions', () => {
  test('20 at once keep each to one of 3 connections', async () => {
    const { knex, expectWhole } = open()
    const one = () =>
      knex.transaction(async (trx) => {
        const seen = new Set<string>()
        await trx('person').insert({ name: someone() })
        for (let i = 0; i < 3; i++) {
          const [{ at }] = await trx.select(
            trx.raw(`pg_backend_pid() || '/' || txid_current_if_assigned() as at, pg_sleep(0.001)`),
          )
          seen.add(at)
        }
        return [...seen]
      })
    const seen = await Promise.all(Array.from({ length: 20 }, one))
    expect(seen.map((places) => places.length)).toEqual(Array(20).fill(1))
    expect(new Set(seen.flat()).size).toBe(20)
    await expectWhole()
  })

  test('nest: an inner one that fails takes back only its own', async () => {
    const { knex, expectWhole } = open()
    const [outer, inner] = [someone(), someone()]
    await knex.transaction(async (trx) => {
      await trx('person').insert({ name: outer })
      await errorOf(
        trx.transaction(async (nested) => {
          await nested('person').insert({ name: inner })
          throw new Error('no')
        }),
      )
    })
    expect(await knex('person').whereIn('name', [outer, inner]).pluck('name')).toEqual([outer])
    await expectWhole()
  })

  test('have the isolation level and the access mode that was asked for', async () => {
    const { knex, expectWhole } = open()
    const level = await knex.transaction(
      async (trx) => (await trx.raw('show transaction_isolation')).rows[0].transaction_isolation,
      { isolationLevel: 'serializable' },
    )
    expect(level).toBe('serializable')
    const error = await errorOf(
      knex.transaction((trx) => trx('person').insert({ name: someone() }), { readOnly: true }),
    )
    expect(error).toMatchObject({ code: '25006' })
    await expectWhole()
  })

  test('leave the pool whole, whatever fails: BEGIN, body, statement, COMMIT, ROLLBACK', async () => {
    let native: { connection: { stream: { destroy(): void } } } | undefined
    const afterCreate = (connection: typeof native, done: () => void) => {
      native = connection
      done()
    }
    const { pool, knex, expectWhole } = open({ pool: { afterCreate } }, { max: 1 })
    expect(
      await errorOf(
        knex.transaction(async () => {
          throw new Error('body')
        }),
      ),
    ).toMatchObject({ message: 'body' })
    await expectWhole()
    expect(await errorOf(knex.transaction((trx) => trx.raw('select 1/0')))).toMatchObject({ code: '22012' })
    await expectWhole()
    const orphan = knex.transaction((trx) => trx('pet').insert({ name: 'stray', owner_id: -1 }))
    expect(await errorOf(orphan)).toMatchObject({ code: '23503' })
    await expectWhole()
    const killed = knex.transaction(async (trx) => {
      await killOwn(trx)
      throw new Error('the first error')
    })
    await errorOf(killed)
    await expectWhole()
    const cut = ({ sql }: { sql: string }) => sql === 'BEGIN;' && native?.connection.stream.destroy()
    knex.on('query', cut)
    await errorOf(knex.transaction(async () => expect.unreachable('it has not begun')))
    await expectWhole()
    knex.off('query', cut)
    expect((await knex.raw('select 1 as n')).rows).toEqual([{ n: 1 }])
    expect(pool.stats().total).toBe(1)
  })

  test('left open by the program are rolled back before the connection is lent again', async () => {
    const { knex, expectWhole } = open({}, { max: 1 })
    const name = someone()
    const connection = await knex.client.acquireConnection()
    await knex.raw('begin').connection(connection)
    await knex('person').insert({ name }).connection(connection)
    await knex.client.releaseConnection(connection)
    expect(await knex('person').where({ name })).toEqual([])
    await expectWhole()
  })
})

describe('trouble', () => {
  test('a killed backend ends its transaction and nothing else, and its place is free', async () => {
    const uncaught = vi.fn()
    process.on('uncaughtException', uncaught)
    onTestFinished(() => void process.off('uncaughtException', uncaught))
    const { pool, knex, expectWhole } = open()
    const trx = await knex.transaction()
    await killOwn(trx)
    await eventually(() => expect(pool.stats().leased).toBe(0))
    await errorOf(trx('person').insert({ name: someone() }))
    // Knex tells what became of the rollback by the transaction's own promise.
    await Promise.all([trx.rollback(), errorOf(trx.executionPromise)])
    expect(await Promise.all([1, 2, 3].map(() => knex.raw('select 1')))).toHaveLength(3)
    await expectWhole()
    expect(uncaught).not.toHaveBeenCalled()
  })

  test('a read that shares a connection which dies fails with what became of it', async () => {
    const { knex, expectWhole } = open({}, { max: 1 })
    const pid = (await knex.raw('select pg_backend_pid() as pid')).rows[0].pid
    const slow = errorOf(knex.select(knex.raw('pg_sleep(30)')))
    const killed = `select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and state = 'active'`
    await eventually(async () => expect(await ask(server, killed, [pid])).toHaveLength(1))
    expect(await slow).toBeInstanceOf(ConnectionLostError)
    await expectWhole()
  })

  test('exhaustion is KnexTimeoutError, which says what the pool looks like, and names the statement', async () => {
    const { pool, knex, expectWhole } = open({ acquireConnectionTimeout: 500, log: warnings }, { max: 1 })
    // To connect may take longer.
    await pool.ready()
    const trx = await knex.transaction()
    const error = await errorOf(knex('person').insert({ name: someone() }))
    expect(error).toBeInstanceOf(makeKnex.KnexTimeoutError)
    expect(error.message).toMatch(/^Knex: Timeout acquiring a connection\. .*1 leased/)
    expect(error.cause).toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
    await trx.rollback()
    await expectWhole()
  })

  test('exhaustion is the same for a read that would have shared a connection', async () => {
    const { pool, knex, expectWhole } = open({ log: warnings }, { max: 1 })
    const trx = await knex.transaction()
    pool.resize({ acquireTimeoutMs: 100 })
    const error = await errorOf(knex('person').where({ id: 1 }))
    expect(error).toBeInstanceOf(makeKnex.KnexTimeoutError)
    expect(error).not.toHaveProperty('timeout')
    await trx.rollback()
    await expectWhole()
  })

  test('a statement with a timeout is stopped in the server, and its connection is kept', async () => {
    const { pool, knex, expectWhole } = open({}, { max: 1 })
    const error = await errorOf(knex.raw('select pg_sleep(30)').timeout(1_000, { cancel: true }))
    expect(error).toBeInstanceOf(makeKnex.KnexTimeoutError)
    expect(error).toMatchObject({ timeout: 1_000 })
    await expectWhole()
    const running = `select from pg_stat_activity where state = 'active' and query = 'select pg_sleep(30)'`
    expect(await ask(server, running)).toEqual([])
    expect(await knex.raw('select 1')).toMatchObject({ rowCount: 1 })
    expect(pool.stats().total).toBe(1)
  })

  test('a timeout within a transaction leaves a transaction that can be rolled back', async () => {
    const { pool, knex, expectWhole } = open({}, { max: 1 })
    const error = await errorOf(
      knex.transaction((trx) => trx.raw('select pg_sleep(30)').timeout(1_000, { cancel: true })),
    )
    expect(error).toBeInstanceOf(makeKnex.KnexTimeoutError)
    await expectWhole()
    expect(pool.stats().total).toBe(1)
  })

  test('a timeout without cancel costs the connection, which is not lent while the statement runs', async () => {
    const { pool, knex, expectWhole } = open({}, { max: 1 })
    await errorOf(knex.raw('select pg_sleep(30)').timeout(50))
    expect((await knex.raw('select 1 as n')).rows).toEqual([{ n: 1 }])
    await expectWhole()
    expect(pool.stats().total).toBe(1)
  })
})

describe('config', () => {
  test('searchPath holds for every statement, also beside others that use the pool', async () => {
    const { pool, knex } = open({ searchPath: ['app'] }, { max: 1 })
    expect(await knex('here').first()).toEqual({ n: 7 })
    await pool.query('set search_path to public')
    expect(await knex('here').first()).toEqual({ n: 7 })
  })

  test('afterCreate sees each connection once, validate each time that one is lent', async () => {
    const afterCreate = vi.fn((connection, done) => connection.query('set application_name to knex', done))
    const validate = vi.fn(() => true)
    const { knex } = open({ pool: { afterCreate, validate } }, { max: 1 })
    for (let i = 0; i < 3; i++) {
      const { rows } = await knex.raw('show application_name')
      expect(rows).toEqual([{ application_name: 'knex' }])
    }
    expect(afterCreate).toHaveBeenCalledTimes(1)
    expect(validate).toHaveBeenCalledTimes(3)
  })

  test('a connection that validate refuses is replaced', async () => {
    const lent: number[] = []
    const validate = ({ processID }: { processID: number }) => lent.push(processID) !== 2
    const { pool, knex, expectWhole } = open({ pool: { validate } }, { max: 1 })
    await knex.raw('select 1')
    await knex.raw('select 1')
    expect(lent[0]).toBe(lent[1])
    expect(lent[2]).not.toBe(lent[1])
    await expectWhole()
    expect(pool.stats().total).toBe(1)
  })

  test('an afterCreate that fails costs the connection and loses no place', async () => {
    let calls = 0
    const afterCreate = (_: unknown, done: (error?: Error) => void) =>
      done(++calls < 3 ? new Error('no') : undefined)
    const { knex, expectWhole } = open({ pool: { afterCreate }, log: warnings }, { max: 1 })
    await expect(knex.raw('select 1')).rejects.toThrow('no')
    await expect(knex.raw('select 1')).rejects.toThrow('no')
    expect(await knex.raw('select 1')).toMatchObject({ rowCount: 1 })
    await expectWhole()
  })

  test('what says where to connect, or how large the pool is, is refused', () => {
    const pool = createPool(pg(server.url()))
    const made = (config: object) => () => rockpoolKnex(pool, config)
    expect(made({ connection: server.url() })).toThrow(/"connection" .* leave it out/)
    expect(made({ connectionPool: {} })).toThrow(/"connectionPool"/)
    expect(made({ pool: { max: 5 } })).toThrow(/"pool.max" .* createPool/)
    expect(() => rockpoolKnex({} as never)).toThrow(/made by createPool/)
    expect(() => rockpoolKnex(pool, {}, { ownsPool: 'yes' as never })).toThrow(/ownsPool/)
    expect(() => rockpoolKnex(pool, {}, { knex: {} as never })).toThrow(/"knex" is an object/)
  })

  test('with another client, which would open connections of its own, it fails at the first statement', async () => {
    const { pool } = open()
    const knex = makeKnex({ ...rockpoolKnex(pool), client: 'pg', log: warnings })
    onTestFinished(() => knex.destroy())
    await expect(knex.raw('select 1')).rejects.toBeInstanceOf(PoolBypassedError)
  })

  test('hooks of Knex see the same: query, query-response, query-error, postProcessResponse, user params', async () => {
    const events: string[] = []
    const { knex } = open({
      postProcessResponse(rows) {
        events.push('post')
        return rows
      },
    })
    for (const event of ['start', 'query', 'query-response', 'query-error'])
      knex.on(event, () => events.push(event))
    await knex('person').where({ id: 0 })
    await errorOf(knex('nowhere'))
    expect(events).toEqual(['start', 'query', 'post', 'query-response', 'start', 'query', 'query-error'])
    const clone = knex.withUserParams({ tenant: 1 })
    expect(await clone('person').where({ id: 0 })).toEqual([])
    expect(await clone.raw('select 1')).toMatchObject({ rowCount: 1 })
  })
})

describe('ownership', () => {
  test('destroy lets go of the pool, which others may use', async () => {
    const { pool, knex } = open()
    await knex.raw('select 1')
    await knex.destroy()
    await expect(knex.raw('select 1')).rejects.toThrow('Unable to acquire a connection')
    await expect(knex('person').where({ id: 1 })).rejects.toThrow('Unable to acquire a connection')
    expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
    knex.initialize()
    expect(await knex.raw('select 1')).toMatchObject({ rowCount: 1 })
  })

  test('destroy lets what runs finish, and its connection come back', async () => {
    const { pool, knex, expectWhole } = open()
    const name = someone()
    let begun: () => void = () => undefined
    const running = new Promise<void>((resolve) => {
      begun = resolve
    })
    let go: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const work = knex.transaction(async (trx) => {
      await trx('person').insert({ name })
      begun()
      await gate
      return trx('person').where({ name }).pluck('name')
    })
    await running
    const end = knex.destroy()
    expect((await errorOf(knex('person').client.acquireConnection())).message).toContain('Unable to acquire')
    go()
    expect(await work).toEqual([name])
    await end
    await expectWhole()
    expect(pool.closed).toBe(false)
    expect(await ask(server, 'select name from person where name = $1', [name])).toEqual([{ name }])
  })

  test('with ownsPool destroy closes it, once what runs has ended', async () => {
    const { pool, knex } = open({}, {}, { ownsPool: true })
    const lent = nextLent(pool)
    const slow = knex.raw('select pg_sleep(0.5), 1 as n')
    const running = slow.then((result) => result.rowCount)
    await lent
    await knex.destroy()
    expect(await running).toBe(1)
    expect(pool.closed).toBe(true)
  })
})

describe('migrations and seeds', () => {
  test('run on the pool', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'knex-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const [migrations, seeds] = [join(folder, 'migrations'), join(folder, 'seeds')]
    for (const made of [migrations, seeds]) mkdirSync(made)
    writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }')
    writeFileSync(
      join(migrations, '1_fruit.js'),
      `exports.up = (knex) => knex.schema.createTable('fruit', (t) => { t.string('name') })
       exports.down = (knex) => knex.schema.dropTable('fruit')`,
    )
    writeFileSync(
      join(seeds, 'fruit.js'),
      `exports.seed = (knex) => knex('fruit').insert([{ name: 'apple' }, { name: 'pear' }])`,
    )
    const { knex, expectWhole } = open({
      migrations: { directory: migrations },
      seeds: { directory: seeds },
    })
    expect((await knex.migrate.latest())[1]).toEqual(['1_fruit.js'])
    await knex.seed.run()
    expect(await knex('fruit').pluck('name')).toEqual(['apple', 'pear'])
    await knex.migrate.rollback()
    expect(await knex.schema.hasTable('fruit')).toBe(false)
    await expectWhole()
  })
})

describe("from Knex's own settings", () => {
  function own(pool: Knex.PoolConfig = {}, config: Knex.Config = {}) {
    const knex = makeKnex({
      client: rockpoolClient('pg'),
      connection: server.url(),
      pool: { min: 0, max: 2, ...pool },
      ...config,
    })
    onTestFinished(() => knex.destroy())
    return knex
  }
  const stats = (knex: Knex) =>
    (knex.client.pool as { pool: { stats(): { leased: number; idle: number } } }).pool.stats()

  test('everything of Knex works: searchPath, afterCreate, timeouts with cancel', async () => {
    const afterCreate = vi.fn((connection, done) => connection.query('set application_name to own', done))
    const knex = own({ afterCreate }, { searchPath: ['app'] })
    expect(await knex('here').first()).toEqual({ n: 7 })
    expect(afterCreate).toHaveBeenCalledTimes(1)
    const error = await errorOf(knex.raw('select pg_sleep(30)').timeout(1_000, { cancel: true }))
    expect(error).toBeInstanceOf(makeKnex.KnexTimeoutError)
    expect(await knex.transaction((trx) => trx('here').pluck('n'))).toEqual([7])
  })

  test('a full pool is KnexTimeoutError', async () => {
    const knex = own({ max: 1, acquireTimeoutMillis: 2_500 }, { log: warnings })
    const trx = await knex.transaction()
    expect(await errorOf(knex.raw('select 1'))).toBeInstanceOf(makeKnex.KnexTimeoutError)
    await trx.rollback()
  })

  test('a killed backend frees its place while the transaction still holds it', async () => {
    const knex = own({ max: 1 }, { log: warnings })
    const trx = await knex.transaction()
    await killOwn(trx)
    await eventually(() => expect(stats(knex).leased).toBe(0))
    expect(await knex.raw('select 1')).toMatchObject({ rowCount: 1 })
    await Promise.all([trx.rollback(), errorOf(trx.executionPromise)])
  })

  test('a connect that fails is told at once, with its own error', async () => {
    const knex = own({}, { connection: { ...urlParts(), password: 'x', user: 'nobody' }, log: warnings })
    expect(await errorOf(knex.raw('select 1'))).toMatchObject({ code: '28000' })
  })
})

async function killOwn(trx: Knex.Transaction): Promise<void> {
  const pid = (await trx.raw('select pg_backend_pid() as pid')).rows[0].pid
  await ask(server, 'select pg_terminate_backend($1)', [pid])
}

function urlParts() {
  const { hostname: host, port, username: user } = new URL(server.url())
  return { host, port: Number(port), user, database: 'postgres' }
}
