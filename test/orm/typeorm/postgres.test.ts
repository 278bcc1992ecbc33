import 'reflect-metadata'
import pgModule from 'pg'
import {
  DataSource,
  type DataSourceOptions,
  EntitySchema,
  type EntitySubscriberInterface,
  EventSubscriber,
} from 'typeorm'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  AcquireTimeoutError,
  InvalidOptionError,
  PoolBypassedError,
  QueueFullError,
} from '../../../src/contract/errors.ts'
import type { PoolOptions } from '../../../src/contract/options.ts'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { sqlite } from '../../../src/drivers/sqlite/index.ts'
import { type RockpoolTypeormOptions, rockpoolTypeorm } from '../../../src/orm/typeorm/index.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf, nextLent } from '../support.ts'

const server = await startPostgres()
await ask(
  server,
  `create table person (id serial primary key, name text not null);
   create table pet (owner_id int not null references person deferrable initially deferred)`,
)

const person = new EntitySchema<{ id: number; name: string }>({
  name: 'person',
  columns: { id: { type: 'int', primary: true, generated: true }, name: { type: 'text' } },
})

function openPool(options: PoolOptions<pgModule.Client> = {}) {
  const pool = createPool(pg(server.url(), { module: pgModule }), { max: 3, ...options })
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  return pool
}

async function open(
  options: PoolOptions<pgModule.Client> = {},
  how: RockpoolTypeormOptions<pgModule.Client> = {},
  more: Partial<DataSourceOptions> = {},
) {
  const pool = openPool(options)
  const adapter = rockpoolTypeorm(pool, how)
  const source = new DataSource({ type: 'postgres', ...adapter, entities: [person], ...(more as object) })
  await source.initialize()
  const expectWhole = () =>
    eventually(() => {
      const { total, idle, leased, waiting } = pool.stats()
      expect({ idle, leased, waiting }).toEqual({ idle: total, leased: 0, waiting: 0 })
    })
  return { pool, source, expectWhole }
}

interface Asker {
  query(sql: string): Promise<{ pid: number }[]>
}
const pidOf = async (on: Asker) => (await on.query('select pg_backend_pid() as pid'))[0]?.pid
const kill = (pid: unknown) => ask(server, 'select pg_terminate_backend($1)', [pid])

/** How the options of a DataSource are answered. */
function answerTo(options: object): Promise<Error> {
  return errorOf(
    new DataSource({ type: 'postgres', ...rockpoolTypeorm(openPool()), ...options }).initialize(),
  )
}

describe('a transaction that fails leaves the pool whole', () => {
  test('in its body, in COMMIT, and nested', async () => {
    const { source, expectWhole } = await open()
    await errorOf(source.transaction((manager) => manager.query('select 1/0')))
    await errorOf(source.transaction((manager) => manager.query('insert into pet values (-1)')))
    await errorOf(source.transaction((manager) => manager.transaction((inner) => inner.query('select 1/0'))))
    await expectWhole()
    expect(await ask(server, 'select * from pet')).toEqual([])
  })

  test('in BEGIN', async () => {
    const { source, expectWhole } = await open({ max: 1 })
    for (let i = 0; i < 3; i++) {
      const runner = source.createQueryRunner()
      await kill(await pidOf(runner))
      await eventually(() => expect(runner.isReleased).toBe(true))
      await errorOf(runner.startTransaction())
      await runner.release()
      await expectWhole()
    }
  })

  test('when its backend is killed, and then it throws, queries or commits', async () => {
    const { pool, source, expectWhole } = await open({ max: 1 })
    for (const after of ['throws', 'queries', 'commits']) {
      await errorOf(
        source.transaction(async (manager) => {
          await kill(await pidOf(manager))
          await eventually(() => expect(pool.stats().leased).toBe(0))
          if (after === 'throws') throw new Error('its error')
          if (after === 'queries') await pidOf(manager)
        }),
      )
      await expectWhole()
      expect(await pidOf(source)).toBeTypeOf('number')
    }
  })
})

describe('what would go past the pool', () => {
  test('another driver beside the line is stopped before it opens anything', async () => {
    for (const native of [{}, { nativeDriver: {} }])
      expect(await answerTo({ driver: pgModule, ...native })).toBeInstanceOf(PoolBypassedError)
  })

  test('pg-native does not take its place', async () => {
    const { pool } = await open({}, {}, { nativeDriver: {} } as object)
    expect(pool.stats().acquired).toBeGreaterThan(0)
  })

  test.each([
    ['host', { host: 'elsewhere' }],
    ['connectionString', { url: 'postgres://app:hunter2@elsewhere/shop' }],
    ['password', { password: 'hunter2' }],
    ['max', { poolSize: 5 }],
    ['connectionTimeoutMillis', { connectTimeoutMS: 5 }],
    ['application_name', { applicationName: 'mine' }],
    ['idleTimeoutMillis', { extra: { idleTimeoutMillis: 5 } }],
    ['ssl', { ssl: true }],
    ['host', { replication: { master: { host: 'a' }, slaves: [] } }],
  ])('"%s" would do nothing, and is refused', async (name, options) => {
    const error = await answerTo(options)
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect(error).toMatchObject({ option: name })
    expect(error.message).not.toContain('hunter2')
  })

  test('a type that the pool does not speak is named', async () => {
    for (const type of ['mysql', 'mssql'] as const) {
      const source = new DataSource({ type, ...rockpoolTypeorm(openPool()) } as DataSourceOptions)
      expect((await errorOf(source.initialize())).message).toContain('must be "postgres" or "cockroachdb"')
    }
  })
})

describe('the pool', () => {
  test('pins 20 transactions on 3 connections, and lends no more', async () => {
    const { pool, source, expectWhole } = await open()
    const one = () =>
      source.transaction(async (manager) => {
        const first = await pidOf(manager)
        await manager.query('select pg_sleep(0.005)')
        return first === (await pidOf(manager))
      })
    expect(await Promise.all(Array.from({ length: 20 }, one))).toEqual(Array(20).fill(true))
    expect(pool.stats().total).toBeLessThanOrEqual(3)
    await expectWhole()
  })

  test('says why nobody is served', async () => {
    const { pool, source, expectWhole } = await open({ max: 1, maxWaiting: 1 })
    const runner = source.createQueryRunner()
    await runner.connect()
    pool.resize({ acquireTimeoutMs: 100 })
    const [late, refused] = await Promise.all([errorOf(pidOf(source)), errorOf(pidOf(source))])
    expect(late).toBeInstanceOf(AcquireTimeoutError)
    expect(refused).toBeInstanceOf(QueueFullError)
    await runner.release()
    await expectWhole()
  })

  test('tells `poolErrorHandler` of an idle connection that died, and replaces it', async () => {
    const told: unknown[] = []
    const { source, expectWhole } = await open({ max: 1 }, {}, {
      poolErrorHandler: (error: unknown) => told.push(error),
    } as object)
    await kill(await pidOf(source))
    await eventually(() => expect(told).toHaveLength(1))
    expect(await pidOf(source)).toBeTypeOf('number')
    await expectWhole()
  })

  test('leaves to subscribers what they hear of transactions', async () => {
    const heard: string[] = []
    class Listener implements EntitySubscriberInterface {
      afterTransactionStart() {
        heard.push('start')
      }
      afterTransactionCommit() {
        heard.push('commit')
      }
      beforeInsert() {
        heard.push('insert')
      }
    }
    // As its decorator does.
    EventSubscriber()(Listener)
    const { source } = await open({}, {}, { subscribers: [Listener] })
    await source.transaction((manager) => manager.save(person, { name: 'Ada' }))
    expect(heard).toEqual(['start', 'insert', 'commit'])
  })

  test('serves two DataSources, and one of them may end', async () => {
    const { pool, source } = await open()
    const other = new DataSource({ type: 'postgres', ...rockpoolTypeorm(pool), entities: [person] })
    await other.initialize()
    await Promise.all([pidOf(source), pidOf(other)])
    await source.destroy()
    expect(await other.getRepository(person).count()).toBeTypeOf('number')
    expect(pool.closed).toBe(false)
    await other.destroy()
  })

  test('is closed by `destroy()` if it is owned, with what is still out released', async () => {
    const { pool, source } = await open({}, { ownsPool: true })
    await source.createQueryRunner().connect()
    await source.destroy()
    expect(pool.closed).toBe(true)
  })

  test('waits for a transaction when it is closed', async () => {
    const { pool, source } = await open()
    let isDone = false
    const lent = nextLent(pool)
    const running = source.transaction(async (manager) => {
      await manager.query('select pg_sleep(0.5)')
      isDone = true
    })
    await lent
    await pool.close()
    expect(isDone).toBe(true)
    await running
    await errorOf(pidOf(source))
  })
})

describe('after its release', () => {
  const released = expect.objectContaining({ code: 'LEASE_RELEASED' })

  test("a query runner's client refuses, and reaches nobody else's connection", async () => {
    const { source } = await open({ max: 1 })
    const runner = source.createQueryRunner()
    const client = (await runner.connect()) as pgModule.PoolClient
    expect(client).toBeInstanceOf(pgModule.Client)
    const pid = await pidOf(runner)
    expect(Reflect.get(client, 'processID')).toBe(pid)
    const { rows } = await client.query('select pg_backend_pid() as pid')
    expect(rows).toEqual([{ pid }])
    await runner.release()

    const next = source.createQueryRunner()
    expect(await pidOf(next)).toBe(pid)
    expect(await next.connect()).not.toBe(client)
    await expect(client.query('select 1')).rejects.toEqual(released)
    expect(await new Promise((resolve) => client.query('select 1', resolve))).toEqual(released)
    expect(() => client.on('notification', () => undefined)).toThrow(released)
    expect(client.removeListener('notification', () => undefined)).toBe(client)
    expect(() => client.escapeLiteral('x')).toThrow(released)
    await next.release()
  })

  test('a statement that nobody waited for is refused', async () => {
    const { source, expectWhole } = await open({ max: 1 })
    const runner = source.createQueryRunner()
    await runner.connect()
    const late = errorOf(runner.query(`insert into person (name) values ('late')`))
    await runner.release()
    expect(((await late) as { driverError?: unknown }).driverError).toEqual(released)
    expect(await source.getRepository(person).countBy({ name: 'late' })).toBe(0)
    await expectWhole()
  })

  test("pg's own way to give it back works too", async () => {
    const { source, expectWhole } = await open({ max: 1 })
    const client = (await source.createQueryRunner().connect()) as pgModule.PoolClient
    client.release()
    await expect(client.query('select 1')).rejects.toEqual(released)
    await expectWhole()
  })
})

describe('replicas', () => {
  test('read, and the pool itself writes and runs transactions', async () => {
    const replica = openPool({ name: 'replica' })
    const { pool, source } = await open({}, { replicas: [replica] })
    const [written, read] = [pool.stats().acquired, replica.stats().acquired]
    await source.getRepository(person).find()
    expect([pool.stats().acquired - written, replica.stats().acquired - read]).toEqual([0, 1])
    await source.getRepository(person).insert({ name: 'Grace' })
    await source.transaction((manager) => manager.find(person))
    expect([pool.stats().acquired - written, replica.stats().acquired - read]).toEqual([2, 1])
    await source.destroy()
    expect([pool.closed, replica.closed]).toEqual([false, false])
  })

  test('must speak what the pool speaks', () => {
    const files = createPool(sqlite({ file: ':memory:' }))
    onTestFinished(async () => {
      await files.close()
    })
    expect(() => rockpoolTypeorm<unknown>(openPool(), { replicas: [files] })).toThrow('SQLite')
  })
})

test('what is no such pool, and options that nobody knows, are refused at once', async () => {
  const pool = openPool()
  expect(() => rockpoolTypeorm({} as typeof pool)).toThrow(InvalidOptionError)
  expect(() => rockpoolTypeorm(pool, { ownPool: true } as object)).toThrow('did you mean "ownsPool"')
  expect(() => rockpoolTypeorm(pool, { type: 'mysql' as 'mssql' })).toThrow('"mssql" or "oracle"')
  const files = createPool(sqlite({ file: ':memory:' }))
  expect(() => rockpoolTypeorm(files)).toThrow('with SQLite TypeORM uses no pool')
  await files.close()
})
