// Drop-ins, adapters, drivers and ORMs as a program in CommonJS has them.
const { drizzle } = require('drizzle-orm/node-postgres')

module.exports = {
  url: process.env.ROCKPOOL_PG_URL,
  createPool: require('rockpool').createPool,
  pg: require('rockpool/drivers/pg').pg,
  compat: {
    pgPool: require('rockpool/compat/pg-pool'),
    mysql2: require('rockpool/compat/mysql2'),
    mysql2Promise: require('rockpool/compat/mysql2/promise'),
    tarn: require('rockpool/compat/tarn'),
    genericPool: require('rockpool/compat/generic-pool'),
    sequelizePool: require('rockpool/compat/sequelize-pool'),
  },
  orm: {
    ...require('rockpool/orm/drizzle'),
    ...require('rockpool/orm/knex'),
    ...require('rockpool/orm/kysely'),
    ...require('rockpool/orm/pg-promise'),
    ...require('rockpool/orm/sequelize'),
    ...require('rockpool/orm/typeorm'),
  },
  packages: {
    drizzle: { drizzle, sql: require('drizzle-orm').sql },
    knex: require('knex'),
    kysely: require('kysely'),
    mysql2: require('mysql2'),
    pg: require('pg'),
    pgPromise: require('pg-promise'),
    sequelize: require('sequelize'),
    typeorm: require('typeorm'),
  },
}
