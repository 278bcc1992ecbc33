import 'reflect-metadata'
import pgModule from 'pg'
import { DataSource, EntitySchema } from 'typeorm'
import { createPool } from '../../../../src/create-pool.ts'
import { pg } from '../../../../src/drivers/pg/index.ts'
import { rockpoolTypeorm } from '../../../../src/orm/typeorm/index.ts'
import type { OpenOrm } from '../orm.ts'
import { play } from '../play.ts'

interface Customer {
  id: number
  name: string
  orders: { total: number }[]
}

const id = { type: 'int', primary: true } as const
const CustomerEntity = new EntitySchema<Customer>({
  name: 'customer',
  tableName: 'customers',
  columns: { id: { ...id, generated: 'increment' }, name: { type: 'text' } },
  relations: { orders: { type: 'one-to-many', target: 'order', inverseSide: 'customer', cascade: true } },
})
const OrderEntity = new EntitySchema<{ id: number; total: number; customer: Customer }>({
  name: 'order',
  tableName: 'orders',
  columns: { id: { ...id, generated: 'increment' }, total: { type: 'int' } },
  relations: {
    customer: {
      type: 'many-to-one',
      target: 'customer',
      inverseSide: 'orders',
      joinColumn: { name: 'customer_id' },
    },
  },
})
const AccountEntity = new EntitySchema<{ id: number; name: string; balance: number }>({
  name: 'account',
  tableName: 'accounts',
  columns: { id, name: { type: 'text' }, balance: { type: 'int' } },
  synchronize: false,
})
const common = { type: 'postgres' as const, entities: [CustomerEntity, OrderEntity, AccountEntity] }

async function open(
  source: DataSource,
  close: () => Promise<unknown> = async () => undefined,
): Promise<OpenOrm> {
  await source.initialize()
  return {
    schema: () => source.synchronize(),
    order: async (name, totals) => {
      const orders = totals.map((total) => ({ total }))
      const made = await source.transaction((manager) =>
        manager.save(CustomerEntity, { name, orders } as never),
      )
      return (made as unknown as Customer).id
    },
    async read(id) {
      const where = { where: { id }, relations: { orders: true } }
      const found = await source.getRepository(CustomerEntity).findOneOrFail(where)
      return { name: found.name, totals: found.orders.map(({ total }) => total) }
    },
    transaction: (work) => source.transaction((manager) => work((sql) => manager.query(sql))),
    lookup: (id) => source.getRepository(AccountEntity).findOneBy({ id }),
    close: async () => {
      if (source.isInitialized) await source.destroy()
      await close()
    },
  }
}

await play({
  async ours({ url, max, waitMs }) {
    const pool = createPool(pg(url, { module: pgModule }), { max, acquireTimeoutMs: waitMs })
    pool.on('error', () => undefined)
    return open(new DataSource({ ...common, ...rockpoolTypeorm(pool) }), () => pool.close())
  },
  theirs: ({ url, max, waitMs }) =>
    open(
      new DataSource({
        ...common,
        url,
        poolSize: max,
        connectTimeoutMS: waitMs,
        poolErrorHandler: () => undefined,
      }),
    ),
})
