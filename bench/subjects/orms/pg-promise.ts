import pgPromise from 'pg-promise'
import { pg } from '../../../src/drivers/pg/index.ts'
import { createPool } from '../../../src/index.ts'
import { rockpoolPgPromise } from '../../../src/orm/pg-promise/index.ts'
import type { Server } from '../../harness/scenario.ts'
import type { OrmSubject } from './orm.ts'

const MAX = 10
const LOOKUP = 'select id, name, balance from accounts where id = $1'

export const pgPromiseOrm: OrmSubject = {
  async ours({ host, port, user }: Server) {
    const pgp = pgPromise()
    const config = { host, port, user, database: 'postgres' }
    const pool = createPool(pg(config, { module: pgp.pg }), { max: MAX })
    const db = rockpoolPgPromise(pgp, pool, { ownsPool: true })
    return { lookup: (id) => db.one(LOOKUP, [id]), close: () => db.$pool.end() }
  },
  async theirs({ host, port, user }: Server) {
    const db = pgPromise()({ host, port, user, database: 'postgres', max: MAX })
    return { lookup: (id) => db.one(LOOKUP, [id]), close: () => db.$pool.end() }
  },
}
