import pgModule from 'pg'
import { createPool } from '../../../../src/create-pool.ts'
import { pg } from '../../../../src/drivers/pg/index.ts'
import { rockpoolMikroOrm } from '../../../../src/orm/mikro-orm/index.ts'
import { Account, Author, initOrm, type Orm } from '../../mikro-orm/lab.ts'
import type { OpenOrm, Place } from '../orm.ts'
import { play } from '../play.ts'

const databaseOf = ({ url }: Place) => new URL(url).pathname.slice(1)

// By the entities that its other tests have: an author is the customer, a book an order.
function open(orm: Orm, close: () => Promise<unknown> = async () => undefined): OpenOrm {
  return {
    schema: () => orm.schema.create(),
    order: (name, totals) =>
      orm.em.fork().transactional(async (em) => {
        const books = totals.map((total) => ({ title: String(total) }))
        const made = em.create(Author, { name, books })
        await em.flush()
        return Number(made.id)
      }),
    async read(id) {
      const [found] = await orm.em.fork().find(Author, { id }, { populate: ['books'] })
      return {
        name: String(found?.name),
        totals: [...(found?.books ?? [])].map(({ title }) => Number(title)),
      }
    },
    transaction: (work) => orm.em.fork().transactional((em) => work((sql) => em.execute(sql))),
    lookup: (id) => orm.em.fork().find(Account, { id }),
    close: () => orm.close(true).then(close),
  }
}

await play({
  async ours(place) {
    const { url, max, waitMs } = place
    const pool = createPool(pg(url, { module: pgModule }), { max, acquireTimeoutMs: waitMs })
    pool.on('error', () => undefined)
    const adapter = rockpoolMikroOrm(pool as never)
    return open(await initOrm('postgresql', { dbName: databaseOf(place), ...adapter }), () => pool.close())
  },
  async theirs(place) {
    const { url: clientUrl, max, waitMs } = place
    const driverOptions = { connectionTimeoutMillis: waitMs }
    return open(
      await initOrm('postgresql', { clientUrl, dbName: databaseOf(place), pool: { max }, driverOptions }),
    )
  },
})
