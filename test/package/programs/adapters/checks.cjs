// What drop-ins and adapters of ORMs must do however they, the drivers and the ORMs were loaded.
const assert = require('node:assert')

const TRANSACTION = 'select pg_current_xact_id()::text as id'
const idOf = ({ rows }) => rows[0].id

/** Four at once over three connections: outside of a transaction each statement is one of its own. */
async function pinned(transaction) {
  const ids = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const [first, second, ...more] = await transaction()
      assert.strictEqual(typeof first, 'string')
      assert.strictEqual(second, first)
      assert.strictEqual(more.length, 0)
      return first
    }),
  )
  assert.strictEqual(new Set(ids).size, ids.length)
}

/** Runs `work` on a pool, and makes sure that it was this pool that opened the connections, and that all came back. */
async function onPool({ createPool, pg, url, packages }, work, module = packages.pg) {
  const pool = createPool(pg(url, { module }), { max: 3, acquireTimeoutMs: 10_000 })
  try {
    await work(pool)
    const { created, leased } = pool.stats()
    assert(created > 0 && created <= 3, `the pool has opened ${created} connections`)
    assert.strictEqual(leased, 0)
    assert.strictEqual(pool.closed, false)
  } finally {
    await pool.close()
  }
}

const checks = {
  errors: async (app) => {
    const pool = app.createPool(app.pg(app.url, { module: app.packages.pg }), { max: 1 })
    const lease = await pool.acquire()
    const error = await pool.acquire({ timeoutMs: 10 }).catch((reason) => reason)
    assert.deepStrictEqual([error.name, error.code], ['AcquireTimeoutError', 'ACQUIRE_TIMEOUT'])
    lease.release()
    await pool.close()
  },

  'compat/pg-pool': async ({ compat, packages, url, injected }) => {
    const { Pool } = compat.pgPool
    const pool = new Pool(
      { connectionString: url, max: 3, ...(injected ? { pg: packages.pg } : {}) },
      packages.pg.Client,
    )
    assert.strictEqual(pool instanceof packages.pg.Pool, injected)
    assert.strictEqual((await pool.query('select 1 as one')).rows[0].one, 1)
    await pinned(async () => {
      const client = await pool.connect()
      await client.query('begin')
      const ids = [idOf(await client.query(TRANSACTION)), idOf(await client.query(TRANSACTION))]
      await client.query('commit')
      client.release()
      return ids
    })
    await pool.end()
  },

  'compat/mysql2': async ({ compat, packages, injected }) => {
    const server = { host: '127.0.0.1', port: 1, user: 'app' }
    const pool = compat.mysql2.createPool({
      ...server,
      ...(injected ? { module: packages.mysql2 } : {}),
    })
    assert(pool instanceof packages.mysql2.Pool || pool instanceof compat.mysql2.Pool)
    const error = await new Promise((resolve) => pool.query('select 1', resolve))
    assert.strictEqual(error.code, 'ECONNREFUSED')
    await new Promise((resolve) => pool.end(resolve))
    const promising = compat.mysql2Promise.createPool({
      ...server,
      ...(injected ? { module: packages.mysql2 } : {}),
    })
    const refused = await promising.query('select 1').catch((reason) => reason)
    assert.strictEqual(refused.code, 'ECONNREFUSED')
    await promising.end()
  },

  'compat/tarn': async ({ compat }) => {
    const { Pool, TimeoutError } = compat.tarn
    const pool = new Pool({
      create: async () => ({}),
      destroy() {},
      min: 0,
      max: 1,
      acquireTimeoutMillis: 10,
    })
    const thing = await pool.acquire().promise
    await assert.rejects(pool.acquire().promise, TimeoutError)
    assert.strictEqual(pool.release(thing), true)
    await pool.destroy()
  },

  'compat/generic-pool': async ({ compat }) => {
    const factory = { create: async () => ({}), destroy: async () => {} }
    const pool = compat.genericPool.createPool(factory, { max: 1, acquireTimeoutMillis: 10 })
    const thing = await pool.acquire()
    const error = await pool.acquire().catch((reason) => reason)
    assert.strictEqual(error.name, 'TimeoutError')
    await pool.release(thing)
    await pool.drain()
    await pool.clear()
  },

  'compat/sequelize-pool': async ({ compat }) => {
    const { Pool, TimeoutError } = compat.sequelizePool
    const settings = { create: async () => ({}), destroy() {}, validate: () => true }
    const pool = new Pool({ name: 'things', ...settings, min: 0, max: 1, acquireTimeoutMillis: 10 })
    const thing = await pool.acquire()
    await assert.rejects(pool.acquire(), TimeoutError)
    pool.release(thing)
    await pool.drain()
    await pool.destroyAllNow()
  },

  kysely: (app) =>
    onPool(app, async (pool) => {
      const { kysely } = app.packages
      const { Kysely, CompiledQuery, sql } = kysely
      const db = new Kysely({ dialect: app.orm.rockpoolDialect(pool, app.injected ? { kysely } : {}) })
      const { rows } = await sql`select ${1}::int as one`.execute(db)
      assert.strictEqual(rows[0].one, 1)
      const ask = async (trx) => idOf(await trx.executeQuery(CompiledQuery.raw(TRANSACTION)))
      await pinned(() => db.transaction().execute(async (trx) => [await ask(trx), await ask(trx)]))
      await db.destroy()
    }),

  knex: (app) =>
    onPool(app, async (pool) => {
      const { knex } = app.packages
      const db = knex(app.orm.rockpoolKnex(pool, {}, app.injected ? { knex } : {}))
      assert.strictEqual((await db.raw('select ?::int as one', [1])).rows[0].one, 1)
      const ask = async (trx) => idOf(await trx.raw(TRANSACTION))
      await pinned(() => db.transaction(async (trx) => [await ask(trx), await ask(trx)]))
      await db.destroy()
    }),

  'sequelize, its own settings': async ({ orm, packages, url }) => {
    const { Sequelize } = packages.sequelize
    const settings = { logging: false, dialectModule: packages.pg, pool: { max: 3 } }
    const sequelize = orm.rockpoolSequelize(new Sequelize(url, settings))
    await sequelizes(sequelize)
    const { created, leased } = orm.poolsOf(sequelize).write.stats()
    assert(created > 0 && created <= 3)
    assert.strictEqual(leased, 0)
    await sequelize.close()
  },

  'sequelize, a pool of others': (app) =>
    onPool(app, async (pool) => {
      const { sequelize, pg } = app.packages
      const settings = { logging: false, dialectModule: pg }
      const guest = app.orm.rockpoolSequelize(new sequelize.Sequelize(app.url, settings), pool)
      await sequelizes(guest)
      await guest.close()
    }),

  typeorm: (app) =>
    onPool(app, async (pool) => {
      const { typeorm, pg } = app.packages
      const given = app.orm.rockpoolTypeorm(pool, app.injected ? { module: pg } : {})
      const source = new typeorm.DataSource({ type: 'postgres', ...given })
      await source.initialize()
      assert.strictEqual((await source.query('select $1::int as one', [1]))[0].one, 1)
      const ask = async (manager) => (await manager.query(TRANSACTION))[0].id
      await pinned(() => source.transaction(async (manager) => [await ask(manager), await ask(manager)]))
      await source.destroy()
    }),

  drizzle: (app) => onPool(app, (pool) => drizzles(app, app.orm.rockpoolDrizzle(pool))),

  'drizzle on pgPool': (app) => onPool(app, (pool) => drizzles(app, app.compat.pgPool.pgPool(pool))),

  'pg-promise': (app) => {
    const pgp = app.packages.pgPromise({ noWarnings: true })
    return onPool(
      app,
      async (pool) => {
        const db = app.orm.rockpoolPgPromise(pgp, pool)
        assert.strictEqual((await db.one('select $1::int as one', [1])).one, 1)
        const ask = async (t) => (await t.one(TRANSACTION)).id
        await pinned(() => db.tx(async (t) => [await ask(t), await ask(t)]))
        await db.$pool.end()
      },
      pgp.pg,
    )
  },
}

async function sequelizes(sequelize) {
  const [rows] = await sequelize.query('select $1::int as one', { bind: [1] })
  assert.strictEqual(rows[0].one, 1)
  const ask = async (transaction) => (await sequelize.query(TRANSACTION, { transaction }))[0][0].id
  await pinned(() => sequelize.transaction(async (t) => [await ask(t), await ask(t)]))
}

async function drizzles({ packages }, client) {
  const { drizzle, sql } = packages.drizzle
  const db = drizzle(client)
  assert.strictEqual((await db.execute(sql`select ${1}::int as one`)).rows[0].one, 1)
  const ask = async (tx) => idOf(await tx.execute(sql.raw(TRANSACTION)))
  await pinned(() => db.transaction(async (tx) => [await ask(tx), await ask(tx)]))
  await client.end()
}

/** All of them, however many fail. @throws AggregateError */
async function checkAll(app) {
  const failures = []
  for (const [name, check] of Object.entries(checks)) {
    await Promise.resolve()
      .then(() => check(app))
      .catch((error) => {
        failures.push(`${name}: ${error.stack ?? error}`)
      })
  }
  if (failures.length > 0)
    throw new Error(`${failures.length} of ${Object.keys(checks).length} failed\n${failures.join('\n\n')}`)
}

module.exports = { checkAll, checks, drizzles }
