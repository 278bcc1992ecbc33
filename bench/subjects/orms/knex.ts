import makeKnex, { type Knex } from 'knex'
import { Model } from 'objection'
import pgModule from 'pg'
import { pg } from '../../../src/drivers/pg/index.ts'
import { createPool } from '../../../src/index.ts'
import { rockpoolKnex } from '../../../src/orm/knex/index.ts'
import type { Server } from '../../harness/scenario.ts'
import type { OpenOrm, OrmSubject } from './orm.ts'

const MAX = 10

function onOurs({ host, port, user }: Server): Knex {
  const pool = createPool(pg({ host, port, user, database: 'postgres' }, { module: pgModule }), { max: MAX })
  return makeKnex(rockpoolKnex(pool, {}, { ownsPool: true }))
}

function onTheirs({ host, port, user }: Server): Knex {
  const connection = { host, port, user, database: 'postgres' }
  return makeKnex({ client: 'pg', connection, pool: { min: 0, max: MAX } })
}

function plain(db: Knex): OpenOrm {
  return {
    lookup: (id) => db('accounts').select('id', 'name', 'balance').where({ id }).first(),
    close: () => db.destroy(),
  }
}

function models(db: Knex): OpenOrm {
  class Account extends Model {
    static override tableName = 'accounts'
  }
  Account.knex(db)
  return {
    lookup: async (id) => Account.query().findById(id),
    close: () => db.destroy(),
  }
}

export const knex: OrmSubject = {
  ours: async (server) => plain(onOurs(server)),
  theirs: async (server) => plain(onTheirs(server)),
}

export const objection: OrmSubject = {
  ours: async (server) => models(onOurs(server)),
  theirs: async (server) => models(onTheirs(server)),
}
