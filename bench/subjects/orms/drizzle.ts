import { eq } from 'drizzle-orm'
import { drizzle as makeDrizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import pgModule from 'pg'
import { pg } from '../../../src/drivers/pg/index.ts'
import { createPool } from '../../../src/index.ts'
import { rockpoolDrizzle } from '../../../src/orm/drizzle/index.ts'
import type { Server } from '../../harness/scenario.ts'
import type { OpenOrm, OrmSubject } from './orm.ts'

const MAX = 10

const accounts = pgTable('accounts', { id: integer().primaryKey(), name: text(), balance: integer() })

function open(db: NodePgDatabase, close: () => Promise<unknown>): OpenOrm {
  return { lookup: (id) => db.select().from(accounts).where(eq(accounts.id, id)), close }
}

export const drizzle: OrmSubject = {
  async ours({ host, port, user }: Server) {
    const config = { host, port, user, database: 'postgres' }
    const pool = createPool(pg(config, { module: pgModule }), { max: MAX })
    return open(makeDrizzle(rockpoolDrizzle(pool)), () => pool.close())
  },
  async theirs({ host, port, user }: Server) {
    const pool = new pgModule.Pool({ host, port, user, database: 'postgres', max: MAX })
    return open(makeDrizzle(pool), () => pool.end())
  },
}
