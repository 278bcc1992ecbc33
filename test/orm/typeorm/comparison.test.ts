import 'reflect-metadata'
import pgModule from 'pg'
import { DataSource, type DataSourceOptions, EntitySchema, MigrationExecutor } from 'typeorm'
import { describe } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { rockpoolTypeorm } from '../../../src/orm/typeorm/index.ts'
import { type Comparison, compare } from '../../comparison/comparison.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf, onPoolOfItsOwn } from '../support.ts'

interface Person {
  id: number
  name: string
  pets: Pet[]
}
interface Pet {
  id: number
  owner: Person
}

const person = new EntitySchema<Person>({
  name: 'person',
  columns: { id: { type: 'int', primary: true, generated: true }, name: { type: 'text' } },
  relations: { pets: { type: 'one-to-many', target: 'pet', inverseSide: 'owner' } },
})
const pet = new EntitySchema<Pet>({
  name: 'pet',
  columns: { id: { type: 'int', primary: true, generated: true } },
  relations: {
    owner: { type: 'many-to-one', target: 'person', inverseSide: 'pets', deferrable: 'INITIALLY DEFERRED' },
  },
})

class AddNote1700000000000 {
  name = 'AddNote1700000000000'
  async up(runner: { query(sql: string): Promise<unknown> }) {
    await runner.query('create table if not exists note (text text)')
  }
  async down() {}
}

const server = await startPostgres()

interface Limits {
  max?: number
  waitMs?: number
  options?: Partial<DataSourceOptions>
  Client?: typeof pgModule.Client
}

interface Open {
  readonly source: DataSource
  readonly lent: () => number
  readonly isOpen: () => boolean
  readonly end: () => Promise<unknown>
}

type Subject = (limits?: Limits) => Promise<Open>

const common = { type: 'postgres' as const, entities: [person, pet], migrations: [AddNote1700000000000] }

const theirs: Subject = async ({ max = 3, waitMs, options, Client } = {}) => {
  const source = new DataSource({
    ...common,
    url: server.url(),
    poolSize: max,
    ...(waitMs === undefined ? {} : { connectTimeoutMS: waitMs }),
    ...(Client === undefined ? {} : { extra: { Client } }),
    ...(options as object),
  })
  await source.initialize()
  const pool = (source.driver as unknown as { master: pgModule.Pool }).master
  return {
    source,
    lent: () => pool.totalCount - pool.idleCount,
    isOpen: () => !pool.ended,
    end: async () => {
      if (!pool.ended) void pool.end()
      const others = 'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()'
      await ask(server, others)
    },
  }
}

const ours: Subject = async ({ max = 3, waitMs, options, Client } = {}) => {
  const times = waitMs === undefined ? {} : { acquireTimeoutMs: waitMs }
  const module = Client === undefined ? pgModule : { Client }
  const pool = createPool(pg(server.url(), { module }), { max, ...times })
  const source = new DataSource({ ...common, ...rockpoolTypeorm(pool), ...(options as object) })
  await source.initialize()
  return {
    source,
    lent: () => pool.stats().leased,
    isOpen: () => !pool.closed,
    end: () => pool.close({ drainTimeoutMs: 0 }),
  }
}

const schema = new DataSource({ ...common, url: server.url(), synchronize: true })
await schema.initialize()
await schema.destroy()

const on = onPoolOfItsOwn<Open, Limits>()

interface Asker {
  query(sql: string): Promise<{ pid: number }[]>
}
const pidOf = async (on: Asker) => (await on.query('select pg_backend_pid() as pid'))[0]?.pid
const kill = (pid: unknown) => ask(server, 'select pg_terminate_backend($1)', [pid])
const gone = (pid: unknown) =>
  eventually(async () => {
    const left = await ask(server, 'select from pg_stat_activity where pid = $1', [pid])
    if (left.length > 0) throw new Error('still there')
  })

/** A client that fails at this statement once, while its connection lives on. */
function withoutOne(statement: string): typeof pgModule.Client {
  return class extends pgModule.Client {
    constructor(config?: string | pgModule.ClientConfig) {
      super(config)
      const query = this.query.bind(this) as (...args: unknown[]) => unknown
      let refusals = 1
      this.query = ((asked: unknown, ...rest: unknown[]) =>
        asked === statement && refusals-- > 0
          ? Promise.reject(new Error('not today'))
          : query(asked, ...rest)) as typeof this.query
    }
  }
}

const same = [
  on('values of a row', async ({ source }) => {
    const rows = await source.query(
      `select 1 as a, 2::int8 as b, '{"c":1}'::jsonb as c, null as d, array[1,2] as e, '2020-01-01'::timestamptz as f`,
    )
    return JSON.stringify(rows[0])
  }),
  on(
    '`parseInt8: true`',
    async ({ source }) => {
      const [row] = await source.query('select 2::int8 as b')
      pgModule.defaults.parseInt8 = false
      return typeof row.b
    },
    { options: { parseInt8: true } },
  ),
  on('`save` and `find` with a relation', async ({ source }) => {
    const people = source.getRepository(person)
    const { id } = await people.save({ name: 'Ada' })
    await source.getRepository(pet).save({ owner: { id } })
    const found = await people.findOne({ where: { id }, relations: { pets: true } })
    return `${found?.name} and ${found?.pets.length} pet`
  }),
  on('`update` and `delete` tell how many', async ({ source }) => {
    const { id } = await source.getRepository(person).save({ name: 'x' })
    const updated = await source.getRepository(person).update({ id }, { name: 'y' })
    const deleted = await source.getRepository(person).delete({ id })
    return `${updated.affected}, ${deleted.affected}`
  }),
  on('an error of the server', async ({ source }) => {
    const error = (await errorOf(source.query('select * from nowhere'))) as Error & { driverError?: Error }
    return `${error.constructor.name} of ${error.driverError instanceof pgModule.DatabaseError ? 'DatabaseError' : error.driverError}`
  }),
  on('20 transactions at once on 3 connections', async ({ source }) => {
    const one = () =>
      source.transaction(async (manager) => {
        const seen = new Set<unknown>()
        for (let i = 0; i < 3; i++) seen.add(await pidOf(manager))
        return seen.size
      })
    const sizes = await Promise.all(Array.from({ length: 20 }, one))
    return `${sizes.filter((size) => size === 1).length} keep to one`
  }),
  on('the body of a transaction throws', async ({ source, lent }) => {
    const { message } = await errorOf(
      source.transaction(async (manager) => {
        await manager.save(person, { name: 'body' })
        throw new Error('its error')
      }),
    )
    return `${message}; ${await source.getRepository(person).countBy({ name: 'body' })} rows; ${lent()} lent`
  }),
  on('a nested transaction fails', async ({ source }) => {
    const n = await source.transaction(async (manager) => {
      await errorOf(manager.transaction((inner) => inner.query('select 1/0')))
      return (await manager.query('select 1 as n'))[0].n
    })
    return `the outer one goes on: ${n}`
  }),
  on('COMMIT that fails: a deferred constraint', async ({ source, lent }) => {
    const { code } = await errorOf(
      source.transaction((manager) => manager.save(pet, { owner: { id: -1 } }, { reload: false })),
    )
    return `${code}; ${lent()} lent`
  }),
  on('isolation level', async ({ source }) =>
    source.transaction(
      'SERIALIZABLE',
      async (manager) => (await manager.query('show transaction_isolation'))[0].transaction_isolation,
    ),
  ),
  on(
    'BEGIN fails',
    async ({ source, lent }) => {
      const { name } = await errorOf(source.transaction(() => Promise.resolve()))
      return `${name}; ${lent()} lent`
    },
    { Client: withoutOne('START TRANSACTION') },
  ),
  on('`stream`', async ({ source }) => {
    const runner = source.createQueryRunner()
    let sum = 0
    for await (const { n } of await runner.stream('select generate_series(1, 1000) as n')) sum += n
    await runner.release()
    return `sum ${sum}`
  }),
  on('a query runner after `release()`', async ({ source }) => {
    const runner = source.createQueryRunner()
    await pidOf(runner)
    await runner.release()
    return (await errorOf(runner.query('select 1'))).name
  }),
  on('migrations', async ({ source }) => {
    await ask(server, 'drop table if exists migrations')
    const done = await source.runMigrations()
    const pending = await new MigrationExecutor(source).getPendingMigrations()
    return `${done.length} run, ${pending.length} pending`
  }),
  on('`destroy()`, and `initialize()` again', async ({ source }) => {
    await source.destroy()
    const { message } = await errorOf(source.query('select 1'))
    await source.initialize()
    return `${message}; then ${(await source.query('select 1 as n'))[0].n}`
  }),
  on(
    'the backend dies while a transaction holds it',
    async ({ source, lent }) => {
      const { name } = await errorOf(
        source.transaction(async (manager) => {
          const pid = await pidOf(manager)
          await kill(pid)
          await gone(pid)
          await eventually(() => lent() === 0 || Promise.reject(new Error('not yet')))
          await pidOf(manager)
        }),
      )
      return `${name}; its place is free`
    },
    { max: 1 },
  ),
].map((behaviour): Comparison<Subject> => ({ ...behaviour, verdict: 'same' }))

const better: Comparison<Subject>[] = [
  {
    ...on(
      'a query runner is released within its transaction',
      async ({ source }) => {
        const runner = source.createQueryRunner()
        await runner.startTransaction()
        await runner.release()
        await source.query(`insert into person (name) values ('lost')`)
        const seen = await ask(server, `select from person where name = 'lost'`)
        return seen.length > 0 ? 'rolled back; the next write is committed' : 'the next write is in it'
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'what is given back is looked at, without a round trip',
  },
  {
    ...on(
      'ROLLBACK fails, and the connection lives',
      async ({ source }) => {
        await errorOf(
          source.transaction(async (manager) => {
            await manager.query(`insert into person (name) values ('first')`)
            throw new Error('its error')
          }),
        )
        await source.query(`insert into person (name) values ('second')`)
        const seen = await ask(server, `select from person where name = 'second'`)
        await ask(server, `delete from person where name in ('second', 'lost')`)
        return seen.length > 0 ? 'the next write is committed' : 'the next write is in the old transaction'
      },
      { max: 1, Client: withoutOne('ROLLBACK') },
    ),
    verdict: 'better',
    reason: 'the same look',
  },
  {
    ...on(
      'no connection is free',
      async ({ source }) => {
        const runner = source.createQueryRunner()
        await runner.connect()
        const { message } = await errorOf(source.query('select 1'))
        await runner.release()
        return message.includes('1 leased') ? 'says how many are leased and wait' : message
      },
      { max: 1, waitMs: 2_500 },
    ),
    verdict: 'better',
    reason: 'the error has the numbers',
  },
  {
    ...on(
      'a statement that nobody waits for, and `release()`',
      async ({ source }) => {
        const runner = source.createQueryRunner()
        await runner.connect()
        const late = runner.query('select 1').then(
          () => 'runs on a connection that was given back',
          ({ driverError }) => driverError.code,
        )
        await runner.release()
        return late
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'the connection may serve somebody else by then',
  },
]

const different: Comparison<Subject>[] = [
  {
    ...on('`dataSource.destroy()`', async ({ source, isOpen }) => {
      await source.destroy()
      return isOpen() ? 'lets go of the pool' : 'ends the pool'
    }),
    verdict: 'differs',
    reason: 'one pool may serve two; `ownsPool: true` closes it',
  },
]

describe('TypeORM on its own pool and on rockpool', () => {
  const sides = {
    original: 'TypeORM 1.1 on pg.Pool',
    theirs: async () => theirs,
    ours: async () => ours,
  }
  compare('docs/orm/typeorm.md', sides, [...same, ...different, ...better])
})
