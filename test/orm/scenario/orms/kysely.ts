import { CompiledQuery, type Dialect, type Generated, Kysely, PostgresDialect } from 'kysely'
import pgModule from 'pg'
import { createPool } from '../../../../src/create-pool.ts'
import { pg } from '../../../../src/drivers/pg/index.ts'
import { rockpoolDialect } from '../../../../src/orm/kysely/index.ts'
import { joined, type OpenOrm, type Run } from '../orm.ts'
import { play } from '../play.ts'

interface Database {
  customers: { id: Generated<number>; name: string }
  orders: { id: Generated<number>; total: number; customer_id: number }
  accounts: { id: number; name: string; balance: number }
}

function open(dialect: Dialect, close: () => Promise<unknown> = async () => undefined): OpenOrm {
  const db = new Kysely<Database>({ dialect })
  return {
    async schema() {
      const { schema } = db
      const customers = schema.createTable('customers').addColumn('id', 'serial', (c) => c.primaryKey())
      await customers.addColumn('name', 'text', (c) => c.notNull()).execute()
      const orders = schema.createTable('orders').addColumn('id', 'serial', (c) => c.primaryKey())
      await orders
        .addColumn('total', 'integer', (c) => c.notNull())
        .addColumn('customer_id', 'integer', (c) => c.references('customers.id').notNull())
        .execute()
    },
    order: (name, totals) =>
      db.transaction().execute(async (trx) => {
        const made = trx.insertInto('customers').values({ name }).returning('id')
        const { id } = await made.executeTakeFirstOrThrow()
        const rows = totals.map((total) => ({ total, customer_id: id }))
        await trx.insertInto('orders').values(rows).execute()
        return id
      }),
    read: async (id) =>
      joined(
        await db
          .selectFrom('customers')
          .innerJoin('orders', 'orders.customer_id', 'customers.id')
          .select(['name', 'total'])
          .where('customers.id', '=', id)
          .execute(),
      ),
    transaction: (work) =>
      db
        .transaction()
        .execute((trx) =>
          work((async (sql) => (await trx.executeQuery(CompiledQuery.raw(sql))).rows) as Run),
        ),
    lookup: (id) => db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst(),
    close: () => db.destroy().then(close),
  }
}

await play({
  async ours({ url, max, waitMs }) {
    const pool = createPool(pg(url, { module: pgModule }), { max, acquireTimeoutMs: waitMs })
    pool.on('error', () => undefined)
    return open(rockpoolDialect(pool), () => pool.close())
  },
  async theirs({ url, max, waitMs }) {
    const pool = new pgModule.Pool({ connectionString: url, max, connectionTimeoutMillis: waitMs })
    pool.on('error', () => undefined)
    return open(new PostgresDialect({ pool }))
  },
})
