import pgModule from 'pg'
import { createPool } from '../../../../src/create-pool.ts'
import { pg } from '../../../../src/drivers/pg/index.ts'
import { rockpoolDriverFactory } from '../../../../src/orm/slonik/index.ts'
import { type SlonikPool, slonik, sql } from '../../slonik/lab.ts'
import { joined, type OpenOrm, TABLES } from '../orm.ts'
import { play } from '../play.ts'

/** A text with no values in it. */
const raw = (text: string) => {
  const parts = Object.assign([text], { raw: Object.freeze([text]) })
  return sql(Object.freeze(parts) as never)
}

function open(db: SlonikPool, close: () => Promise<unknown> = async () => undefined): OpenOrm {
  return {
    async schema() {
      for (const text of TABLES.split(';')) await db.query(raw(text))
    },
    order: (name, totals) =>
      db.transaction(async (t) => {
        const id = await t.oneFirst(sql`insert into customers (name) values (${name}) returning id`)
        for (const total of totals)
          await t.query(sql`insert into orders (total, customer_id) values (${total}, ${id})`)
        return Number(id)
      }),
    read: async (id) =>
      joined(
        await db.any(
          sql`select c.name, o.total from customers c join orders o on o.customer_id = c.id where c.id = ${id}`,
        ),
      ),
    transaction: (work) => db.transaction((t) => work((text) => t.any(raw(text)))),
    lookup: (id) => db.one(sql`select id, name, balance from accounts where id = ${id}`),
    close: () => db.end().then(close),
  }
}

// As each comes: both reset sessions after each use, and give statements 60 seconds.
const timeouts = { statement_timeout: 60_000, idle_in_transaction_session_timeout: 60_000 }

await play({
  async ours({ url, max, waitMs }) {
    const config = { connectionString: url, ...timeouts }
    const pool = createPool(pg(config, { module: pgModule }), { max, acquireTimeoutMs: waitMs })
    pool.on('error', () => undefined)
    const driverFactory = rockpoolDriverFactory(pool)
    return open(await slonik.createPool('postgres://', { driverFactory }), () => pool.close())
  },
  theirs: async ({ url, max, waitMs }) =>
    open(await slonik.createPool(url, { maxPoolSize: max, connectionTimeout: waitMs })),
})
