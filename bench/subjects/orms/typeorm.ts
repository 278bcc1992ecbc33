import 'reflect-metadata'
import pgModule from 'pg'
import { DataSource, EntitySchema } from 'typeorm'
import { pg } from '../../../src/drivers/pg/index.ts'
import { createPool } from '../../../src/index.ts'
import { rockpoolTypeorm } from '../../../src/orm/typeorm/index.ts'
import type { Server } from '../../harness/scenario.ts'
import type { OpenOrm, OrmSubject } from './orm.ts'

const MAX = 10

const Account = new EntitySchema<{ id: number; name: string; balance: number }>({
  name: 'account',
  tableName: 'accounts',
  columns: {
    id: { type: 'int', primary: true },
    name: { type: 'text' },
    balance: { type: 'int' },
  },
})

async function open(source: DataSource): Promise<OpenOrm> {
  const accounts = (await source.initialize()).getRepository(Account)
  return { lookup: (id) => accounts.findOneBy({ id }), close: () => source.destroy() }
}

export const typeorm: OrmSubject = {
  async ours({ host, port, user }: Server) {
    const config = { host, port, user, database: 'postgres' }
    const pool = createPool(pg(config, { module: pgModule }), { max: MAX })
    const adapter = rockpoolTypeorm(pool, { ownsPool: true })
    return open(new DataSource({ type: 'postgres', ...adapter, entities: [Account] }))
  },
  async theirs({ host, port, user }: Server) {
    const config = { host, port, username: user, database: 'postgres', poolSize: MAX }
    return open(new DataSource({ type: 'postgres', ...config, entities: [Account] }))
  },
}
