import { DataTypes, Sequelize, type Transaction } from 'sequelize'
import { rockpoolSequelize } from '../../../../src/orm/sequelize/index.ts'
import type { OpenOrm, Place, Run } from '../orm.ts'
import { play } from '../play.ts'

function connect({ url, max, waitMs }: Place): Sequelize {
  return new Sequelize(url, { dialect: 'postgres', logging: false, pool: { max, acquire: waitMs } })
}

function open(sequelize: Sequelize): OpenOrm {
  const options = { timestamps: false, underscored: true }
  const Customer = sequelize.define('customers', { name: DataTypes.TEXT }, options)
  const Order = sequelize.define('orders', { total: DataTypes.INTEGER }, options)
  const Account = sequelize.define(
    'accounts',
    { id: { type: DataTypes.INTEGER, primaryKey: true }, name: DataTypes.TEXT, balance: DataTypes.INTEGER },
    options,
  )
  Customer.hasMany(Order, { as: 'orders', foreignKey: 'customer_id' })
  const runOn = (transaction: Transaction) =>
    (async (sql) => (await sequelize.query(sql, { transaction }))[0]) as Run
  return {
    schema: () => Promise.all([Customer.sync()]).then(() => Order.sync()),
    order: (name, totals) =>
      sequelize.transaction(async (transaction) => {
        const values = { name, orders: totals.map((total) => ({ total })) }
        const made = await Customer.create(values, { include: 'orders', transaction })
        return made.get('id') as number
      }),
    async read(id) {
      const found = (await Customer.findByPk(id, { include: 'orders' }))?.toJSON()
      return { name: found.name, totals: found.orders.map(({ total }: { total: number }) => total) }
    },
    transaction: (work) => sequelize.transaction((transaction) => work(runOn(transaction))),
    lookup: (id) => Account.findByPk(id),
    close: () => sequelize.close(),
  }
}

await play({
  ours: async (place) => open(rockpoolSequelize(connect(place))),
  theirs: async (place) => open(connect(place)),
})
