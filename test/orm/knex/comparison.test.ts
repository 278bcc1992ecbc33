import makeKnex, { type Knex } from 'knex'
import { Model } from 'objection'
import pgModule from 'pg'
import { describe } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { rockpoolKnex } from '../../../src/orm/knex/index.ts'
import { type Comparison, compare } from '../../comparison/comparison.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { errorOf, onPoolOfItsOwn, PATIENCE_MS } from '../support.ts'

interface Limits {
  max?: number
  waitMs?: number
  afterCreate?: Knex.PoolConfig['afterCreate']
  searchPath?: string[]
}

interface Open {
  readonly knex: Knex
  /** How many connections are lent. */
  readonly patienceMs: number
  readonly lent: () => number
  readonly total: () => number
  /** It has been noticed that a connection has died. */
  readonly hasLost: () => boolean
  readonly isOpen: () => boolean
  readonly end: () => Promise<unknown>
}

type Subject = (limits?: Limits) => Open

const server = await startPostgres()
await ask(
  server,
  `create table person (id serial primary key, name text not null);
   create table pet (id serial primary key, owner_id int not null references person deferrable initially deferred);
   create schema app; create table app.here (n int); insert into app.here values (7)`,
)
const log = { warn: () => undefined, error: () => undefined }

const theirs: Subject = ({ max = 3, waitMs = 60_000, afterCreate, searchPath } = {}) => {
  const knex = makeKnex({
    client: 'pg',
    connection: server.url(),
    pool: { min: 0, max, acquireTimeoutMillis: waitMs, ...(afterCreate && { afterCreate }) },
    ...(searchPath && { searchPath }),
    log,
  })
  const { pool } = knex.client
  let ended = 0
  const open = knex.client.acquireRawConnection
  knex.client.acquireRawConnection = async function (this: unknown) {
    const connection = await open.call(this)
    return connection.once('end', () => ended++)
  }
  return {
    knex,
    patienceMs: PATIENCE_MS.theirs,
    lent: () => pool.numUsed(),
    total: () => pool.numUsed() + pool.numFree(),
    hasLost: () => ended > 0,
    isOpen: () => !pool.destroyed,
    end: async () => {
      void knex.destroy()
      await ask(
        server,
        `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()`,
      )
    },
  }
}

const ours: Subject = ({ max = 3, waitMs = 60_000, afterCreate, searchPath } = {}) => {
  const pool = createPool(pg(server.url(), { module: pgModule }), { max, acquireTimeoutMs: waitMs })
  const knex = makeKnex(
    rockpoolKnex(pool, {
      ...(afterCreate && { pool: { afterCreate } }),
      ...(searchPath && { searchPath }),
      log,
    }),
  )
  return {
    knex,
    patienceMs: PATIENCE_MS.ours,
    lent: () => pool.stats().leased,
    total: () => pool.stats().total,
    hasLost: () => pool.stats().closed.lost > 0,
    isOpen: () => !pool.closed,
    end: () => pool.close({ drainTimeoutMs: 0 }),
  }
}

const on = onPoolOfItsOwn<Open, Limits>()

const pidOf = async (knex: Knex) => (await knex.raw('select pg_backend_pid() as pid')).rows[0].pid
const kill = (pid: unknown) => ask(server, 'select pg_terminate_backend($1)', [pid])
const until = (isSo: () => boolean) =>
  eventually(() => (isSo() ? true : Promise.reject(new Error('not yet'))))
const active = `select from pg_stat_activity where state = 'active' and query like 'select pg_sleep(20)%'`
const kept = (isKept: boolean) => (isKept ? 'its connection is kept' : 'its connection is closed')

const same = [
  on('values of a row', async ({ knex }) => {
    const text = `select 1 as a, 2::int8 as b, '{"c":1}'::jsonb as c, null as d, array[1,2] as e, '2020-01-01'::timestamptz as f`
    return JSON.stringify((await knex.raw(text)).rows[0])
  }),
  on('`select`, `first`, `pluck`', async ({ knex }) => {
    const here = () => knex('app.here')
    return JSON.stringify([await here(), await here().first(), await here().pluck('n')])
  }),
  on('`insert ... returning`, `update`, `del`', async ({ knex }) => {
    const made = await knex('person').insert({ name: 'counted' }).returning('name')
    const updated = await knex('person').where({ name: 'counted' }).update({ name: 'counted again' })
    const deleted = await knex('person').where({ name: 'counted again' }).del()
    return JSON.stringify([made, updated, deleted])
  }),
  on('what `raw` gives', async ({ knex }) => {
    const result = await knex.raw('select 1 as n')
    return `${result.constructor.name} ${result.command} ${result.rowCount}`
  }),
  on('an error of the server', async ({ knex }) => {
    const error = await errorOf(knex('nowhere'))
    return `${error.code}: ${error.message}`
  }),
  on(
    'no connection is free',
    async ({ knex }) => {
      const trx = await knex.transaction()
      const error = await errorOf(knex('person').where({ id: 0 }))
      await trx.rollback()
      return error instanceof makeKnex.KnexTimeoutError ? 'KnexTimeoutError' : error.name
    },
    { max: 1, waitMs: 2_500 },
  ),
  on('20 transactions at once on 3 connections', async ({ knex }) => {
    const one = () =>
      knex.transaction(async (trx) => {
        const seen = new Set<unknown>()
        for (let i = 0; i < 3; i++) seen.add(await pidOf(trx))
        return seen.size
      })
    const sizes = await Promise.all(Array.from({ length: 20 }, one))
    return `${sizes.filter((size) => size === 1).length} keep to one`
  }),
  on('an inner transaction fails', async ({ knex }) => {
    await knex.transaction(async (trx) => {
      await trx('person').insert({ name: 'outer' })
      await errorOf(
        trx.transaction(async (nested) => {
          await nested('person').insert({ name: 'inner' })
          throw new Error('no')
        }),
      )
    })
    const names = await knex('person').whereIn('name', ['outer', 'inner']).pluck('name')
    await knex('person').whereIn('name', names).del()
    return names.join()
  }),
  on('COMMIT that fails: a deferred constraint', async ({ knex, lent }) => {
    const { code } = await errorOf(knex.transaction((trx) => trx('pet').insert({ owner_id: -1 })))
    await until(() => lent() === 0)
    return `${code}; ${lent()} lent`
  }),
  on('isolation level and access mode', async ({ knex }) => {
    const text = `select current_setting('transaction_isolation') as i, current_setting('transaction_read_only') as r`
    const how = { isolationLevel: 'serializable', readOnly: true } as const
    return JSON.stringify(await knex.transaction(async (trx) => (await trx.raw(text)).rows[0], how))
  }),
  on(
    '`timeout(ms, { cancel: true })`',
    async ({ knex, total, lent }) => {
      const before = await pidOf(knex)
      const error = await errorOf(knex.raw('select pg_sleep(20)').timeout(1_000, { cancel: true }))
      await until(() => lent() === 0)
      const runs = await ask(server, active)
      const name = error instanceof makeKnex.KnexTimeoutError ? 'KnexTimeoutError' : error.name
      return `${name}; ${runs.length} running; ${kept(total() === 1 && (await pidOf(knex)) === before)}`
    },
    { max: 1 },
  ),
  on('a stream', async ({ knex }) => {
    let sum = 0
    for await (const { n } of knex.raw('select generate_series(1, 1000) as n').stream()) sum += n
    return `sum ${sum}`
  }),
  on('`searchPath`', async ({ knex }) => JSON.stringify(await knex('here').first()), { searchPath: ['app'] }),
  on(
    '`pool.afterCreate`',
    async ({ knex }) => {
      await knex('person').where({ id: 0 })
      return (await knex.raw('show application_name')).rows[0].application_name
    },
    {
      max: 1,
      afterCreate: (connection: pgModule.Client, done: (error: Error) => void) =>
        connection.query("set application_name to 'made'", done),
    },
  ),
  on('events of a read', async ({ knex }) => {
    const events: string[] = []
    for (const event of ['start', 'query', 'query-response']) knex.on(event, () => events.push(event))
    await knex('person').where({ id: 0 })
    return events.join()
  }),
  on('the schema is built, and asked', async ({ knex }) => {
    await knex.schema.createTable('thing', (table) => table.increments('id'))
    const has = await knex.schema.hasTable('thing')
    const columns = Object.keys(await knex('thing').columnInfo())
    await knex.schema.dropTable('thing')
    return `${has} ${columns}`
  }),
  on('a statement after `destroy`', async ({ knex }) => {
    await knex.raw('select 1')
    await knex.destroy()
    return (await errorOf(knex.raw('select 1'))).message
  }),
  on('Objection: a graph, within a transaction', async ({ knex }) => {
    class Pet extends Model {
      static override tableName = 'pet'
    }
    class Person extends Model {
      static override tableName = 'person'
      static override relationMappings = {
        pets: {
          relation: Model.HasManyRelation,
          modelClass: Pet,
          join: { from: 'person.id', to: 'pet.owner_id' },
        },
      }
    }
    const graph = { name: 'graph', pets: [{}, {}] }
    const found = await Person.bindKnex(knex).transaction(async (trx) => {
      await Person.query(trx).insertGraph(graph as never)
      return Person.query(trx).where({ name: 'graph' }).withGraphFetched('pets')
    })
    return `${(found[0] as { pets?: unknown[] } | undefined)?.pets?.length} related`
  }),
].map((behaviour) => ({ ...behaviour, verdict: 'same' as const }))

const better: Comparison<Subject>[] = [
  {
    ...on(
      'what the error of a full pool says',
      async ({ knex }) => {
        const trx = await knex.transaction()
        const { message } = await errorOf(knex.raw('select 1'))
        await trx.rollback()
        return message.includes('1 leased') ? 'how many are leased and wait' : 'that it is probably full'
      },
      { max: 1, waitMs: 2_500 },
    ),
    verdict: 'better',
    reason: 'and `cause` has the numbers',
  },
  {
    ...on('the backend dies while a transaction holds it', async ({ knex, lent, hasLost }) => {
      const trx = await knex.transaction()
      await kill(await pidOf(trx))
      await until(hasLost)
      const place = lent() === 0 ? 'free' : 'taken'
      await Promise.all([trx.rollback(), errorOf(trx.executionPromise)])
      return `its place is ${place}`
    }),
    verdict: 'better',
    reason: 'the next caller need not wait for the program to notice',
  },
  {
    ...on(
      'a transaction begun by hand is forgotten',
      async ({ knex }) => {
        const connection = await knex.client.acquireConnection()
        await knex.raw('begin').connection(connection)
        await knex.client.releaseConnection(connection)
        await knex('person').insert({ name: 'lost' })
        const seen = await ask(server, `delete from person where name = 'lost' returning id`)
        return seen.length > 0 ? 'rolled back; the next write is committed' : 'the next write is in it'
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'what is given back is looked at, without a round trip',
  },
  {
    ...on(
      'a stream is closed when its last row has long been read',
      async ({ knex, lent }) => {
        const stream = knex.raw('select generate_series(1, 3)').stream()
        await until(() => lent() === 0)
        const trx = await knex.transaction()
        const closed = new Promise((resolve) => stream.on('close', resolve))
        stream.destroy()
        await closed
        const told = lent() === 1 ? 'nothing' : 'the connection of the next transaction is free for others'
        await trx.rollback().catch(() => undefined)
        return told
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'a connection is given back once',
  },
  {
    ...on(
      '`afterCreate` fails five times',
      async ({ knex, patienceMs }) => {
        for (let i = 0; i < 5; i++) await errorOf(knex.raw('select 1'))
        const left = await eventually(async () => {
          const found = await ask(
            server,
            `select from pg_stat_activity where backend_type = 'client backend' and application_name <> 'admin'`,
          )
          return found.length === 0 ? 0 : Promise.reject(new Error('some are left'))
        }, patienceMs).catch(() => 'some')
        return `${left} sessions left on the server`
      },
      { afterCreate: (_: unknown, done: (error: Error) => void) => done(new Error('no')) },
    ),
    verdict: 'better',
    reason: 'a connection that could not be prepared is closed',
  },
  {
    ...on(
      'a read that is repeated',
      async ({ knex }) => {
        for (let id = 0; id < 10; id++) await knex('person').where({ id })
        const { rows } = await knex.raw('select statement from pg_prepared_statements')
        return rows.length === 0 ? 'is planned each time' : 'is prepared'
      },
      { max: 1 },
    ),
    verdict: 'better',
    reason: 'and several share a connection where they are fast',
  },
]

const different: Comparison<Subject>[] = [
  {
    ...on('`__knexUid` of a single read', async ({ knex }) => {
      let uid = ''
      knex.on('query', ({ __knexUid }) => {
        uid = __knexUid.replace(/\d+/, 'N')
      })
      await knex('person').where({ id: 0 })
      return uid
    }),
    verdict: 'differs',
    reason: 'it has no connection of its own',
  },
  {
    ...on('`knex.destroy()`', async ({ knex, isOpen }) => {
      await knex.raw('select 1')
      await knex.destroy()
      return isOpen() ? 'lets go of the pool' : 'ends the pool'
    }),
    verdict: 'differs',
    reason: 'one pool may serve two; `ownsPool: true` closes it',
  },
]

describe('Knex on its own pool and on rockpool', () => {
  const sides = { original: 'Knex 3.3 on tarn', theirs: async () => theirs, ours: async () => ours }
  compare('docs/orm/knex.md', sides, [...same, ...better, ...different])
})
