import { DataTypes, Sequelize } from 'sequelize'
import { rockpoolSequelize } from '../../../src/orm/sequelize/index.ts'
import type { Server } from '../../harness/scenario.ts'
import type { OpenOrm, OrmSubject } from './orm.ts'

const MAX = 10

function connect({ host, port, user }: Server): Sequelize {
  return new Sequelize('postgres', user, '', {
    dialect: 'postgres',
    host,
    port,
    logging: false,
    pool: { max: MAX },
  })
}

function open(sequelize: Sequelize): OpenOrm {
  const Account = sequelize.define(
    'account',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true },
      name: DataTypes.TEXT,
      balance: DataTypes.INTEGER,
    },
    { tableName: 'accounts', timestamps: false },
  )
  return { lookup: (id) => Account.findByPk(id), close: () => sequelize.close() }
}

export const sequelize: OrmSubject = {
  ours: async (server: Server) => open(rockpoolSequelize(connect(server))),
  theirs: async (server: Server) => open(connect(server)),
}
