import { eq, sql } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core'
import { relations } from 'drizzle-orm/relations'
import pgModule from 'pg'
import { createPool } from '../../../../src/create-pool.ts'
import { pg } from '../../../../src/drivers/pg/index.ts'
import { rockpoolDrizzle } from '../../../../src/orm/drizzle/index.ts'
import { type OpenOrm, type Run, TABLES } from '../orm.ts'
import { play } from '../play.ts'

const customers = pgTable('customers', { id: serial().primaryKey(), name: text().notNull() })
const orders = pgTable('orders', {
  id: serial().primaryKey(),
  total: integer().notNull(),
  customerId: integer('customer_id').references(() => customers.id),
})
const accounts = pgTable('accounts', { id: integer().primaryKey(), name: text(), balance: integer() })
const schema = {
  customers,
  orders,
  accounts,
  customersRelations: relations(customers, ({ many }) => ({ orders: many(orders) })),
  ordersRelations: relations(orders, ({ one }) => ({
    customer: one(customers, { fields: [orders.customerId], references: [customers.id] }),
  })),
}

function open(db: NodePgDatabase<typeof schema>, close: () => Promise<unknown>): OpenOrm {
  return {
    schema: () => db.execute(TABLES),
    order: (name, totals) =>
      db.transaction(async (tx) => {
        const [made] = await tx.insert(customers).values({ name }).returning()
        const customerId = made?.id ?? 0
        await tx.insert(orders).values(totals.map((total) => ({ total, customerId })))
        return customerId
      }),
    async read(id) {
      const found = await db.query.customers.findFirst({
        where: eq(customers.id, id),
        with: { orders: true },
      })
      return { name: found?.name ?? '', totals: (found?.orders ?? []).map(({ total }) => total) }
    },
    transaction: (work) =>
      db.transaction((tx) => work((async (text) => (await tx.execute(sql.raw(text))).rows) as Run)),
    lookup: (id) => db.select().from(accounts).where(eq(accounts.id, id)),
    close,
  }
}

await play({
  async ours({ url, max, waitMs }) {
    const pool = createPool(pg(url, { module: pgModule }), { max, acquireTimeoutMs: waitMs })
    pool.on('error', () => undefined)
    return open(drizzle(rockpoolDrizzle(pool), { schema }), () => pool.close())
  },
  async theirs({ url, max, waitMs }) {
    const pool = new pgModule.Pool({ connectionString: url, max, connectionTimeoutMillis: waitMs })
    pool.on('error', () => undefined)
    return open(drizzle(pool, { schema }), async () => pool.ended || pool.end())
  },
})
