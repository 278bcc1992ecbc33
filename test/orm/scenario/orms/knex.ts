import makeKnex, { type Knex } from 'knex'
import pgModule from 'pg'
import { createPool } from '../../../../src/create-pool.ts'
import { pg } from '../../../../src/drivers/pg/index.ts'
import { rockpoolKnex } from '../../../../src/orm/knex/index.ts'
import { joined, type OpenOrm, type Run } from '../orm.ts'
import { play } from '../play.ts'

function open(db: Knex, close: () => Promise<unknown> = async () => undefined): OpenOrm {
  return {
    async schema() {
      await db.schema.createTable('customers', (t) => {
        t.increments('id')
        t.text('name').notNullable()
      })
      await db.schema.createTable('orders', (t) => {
        t.increments('id')
        t.integer('total').notNullable()
        t.integer('customer_id').notNullable().references('customers.id')
      })
    },
    order: (name, totals) =>
      db.transaction(async (trx) => {
        const [made] = await trx('customers').insert({ name }).returning('id')
        await trx('orders').insert(totals.map((total) => ({ total, customer_id: made.id })))
        return made.id
      }),
    read: async (id) =>
      joined(
        await db('customers')
          .join('orders', 'orders.customer_id', 'customers.id')
          .select('name', 'total')
          .where('customers.id', id),
      ),
    transaction: (work) => db.transaction((trx) => work((async (sql) => (await trx.raw(sql)).rows) as Run)),
    lookup: (id) => db('accounts').select('id', 'name', 'balance').where({ id }).first(),
    close: () => db.destroy().then(close),
  }
}

await play({
  async ours({ url, max, waitMs }) {
    const pool = createPool(pg(url, { module: pgModule }), { max, acquireTimeoutMs: waitMs })
    pool.on('error', () => undefined)
    return open(makeKnex(rockpoolKnex(pool)), () => pool.close())
  },
  theirs: async ({ url, max, waitMs }) =>
    open(
      makeKnex({ client: 'pg', connection: url, pool: { min: 0, max }, acquireConnectionTimeout: waitMs }),
    ),
})
