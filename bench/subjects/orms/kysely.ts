import { type Dialect, Kysely, PostgresDialect } from 'kysely'
import pgModule from 'pg'
import { pg } from '../../../src/drivers/pg/index.ts'
import { createPool } from '../../../src/index.ts'
import { rockpoolDialect } from '../../../src/orm/kysely/index.ts'
import type { Server } from '../../harness/scenario.ts'
import type { OpenOrm, OrmSubject } from './orm.ts'

interface Database {
  accounts: { id: number; name: string; balance: number }
}

const MAX = 10

function open(dialect: Dialect): OpenOrm {
  const db = new Kysely<Database>({ dialect })
  return {
    lookup: (id) =>
      db.selectFrom('accounts').select(['id', 'name', 'balance']).where('id', '=', id).executeTakeFirst(),
    close: () => db.destroy(),
  }
}

export const kysely: OrmSubject = {
  async ours({ host, port, user }: Server) {
    const pool = createPool(pg({ host, port, user, database: 'postgres' }, { module: pgModule }), {
      max: MAX,
    })
    return open(rockpoolDialect(pool, { ownsPool: true }))
  },
  async theirs({ host, port, user }: Server) {
    const pool = new pgModule.Pool({ host, port, user, database: 'postgres', max: MAX })
    return open(new PostgresDialect({ pool }))
  },
}
