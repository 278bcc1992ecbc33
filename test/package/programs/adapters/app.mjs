// The same as a program in ESM has them.
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import knex from 'knex'
import * as kysely from 'kysely'
import mysql2 from 'mysql2'
import pgModule from 'pg'
import pgPromise from 'pg-promise'
import { createPool } from 'rockpool'
import * as genericPool from 'rockpool/compat/generic-pool'
import * as compatMysql2 from 'rockpool/compat/mysql2'
import * as mysql2Promise from 'rockpool/compat/mysql2/promise'
import * as pgPool from 'rockpool/compat/pg-pool'
import * as sequelizePool from 'rockpool/compat/sequelize-pool'
import * as tarn from 'rockpool/compat/tarn'
import { pg } from 'rockpool/drivers/pg'
import { rockpoolDrizzle } from 'rockpool/orm/drizzle'
import { rockpoolKnex } from 'rockpool/orm/knex'
import { rockpoolDialect } from 'rockpool/orm/kysely'
import { rockpoolPgPromise } from 'rockpool/orm/pg-promise'
import { poolsOf, rockpoolSequelize } from 'rockpool/orm/sequelize'
import { rockpoolTypeorm } from 'rockpool/orm/typeorm'
import * as sequelize from 'sequelize'
import * as typeorm from 'typeorm'

export default {
  url: process.env.ROCKPOOL_PG_URL,
  createPool,
  pg,
  compat: { pgPool, mysql2: compatMysql2, mysql2Promise, tarn, genericPool, sequelizePool },
  orm: {
    poolsOf,
    rockpoolDialect,
    rockpoolDrizzle,
    rockpoolKnex,
    rockpoolPgPromise,
    rockpoolSequelize,
    rockpoolTypeorm,
  },
  packages: { drizzle: { drizzle, sql }, knex, kysely, mysql2, pg: pgModule, pgPromise, sequelize, typeorm },
}
