import pgPromise, { type IDatabase } from 'pg-promise'
import { createPool } from '../../../../src/create-pool.ts'
import { pg } from '../../../../src/drivers/pg/index.ts'
import { rockpoolPgPromise } from '../../../../src/orm/pg-promise/index.ts'
import { JOIN, joined, type OpenOrm, type Run, TABLES } from '../orm.ts'
import { play } from '../play.ts'

function open(db: IDatabase<unknown>, close: () => Promise<unknown>): OpenOrm {
  return {
    schema: () => db.none(TABLES),
    order: (name, totals) =>
      db.tx(async (t) => {
        const { id } = await t.one('insert into customers (name) values ($1) returning id', [name])
        for (const total of totals)
          await t.none('insert into orders (total, customer_id) values ($1, $2)', [total, id])
        return id
      }),
    read: async (id) => joined(await db.any(`${JOIN} where c.id = $1`, [id])),
    transaction: (work) => db.tx((t) => work(((sql) => t.any(sql)) as Run)),
    lookup: (id) => db.one('select id, name, balance from accounts where id = $1', [id]),
    close,
  }
}

await play({
  async ours({ url, max, waitMs }) {
    const pgp = pgPromise()
    const pool = createPool(pg(url, { module: pgp.pg }), { max, acquireTimeoutMs: waitMs })
    pool.on('error', () => undefined)
    const db = rockpoolPgPromise(pgp, pool)
    return open(db, async () => {
      await db.$pool.end()
      await pool.close()
    })
  },
  async theirs({ url, max, waitMs }) {
    const pgp = pgPromise({ noWarnings: true })
    const db = pgp({ connectionString: url, max, connectionTimeoutMillis: waitMs })
    return open(db, async () => db.$pool.ended || db.$pool.end())
  },
})
