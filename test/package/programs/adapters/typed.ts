// Drop-ins and adapters have the types of what they stand for.
import { drizzle } from 'drizzle-orm/node-postgres'
import makeKnex, { type Knex } from 'knex'
import { Kysely } from 'kysely'
import pgModule from 'pg'
import pgPromise from 'pg-promise'
import { createPool } from 'rockpool'
import { createPool as createGenericPool } from 'rockpool/compat/generic-pool'
import mysql, { createPool as createMysqlPool } from 'rockpool/compat/mysql2'
import mysqlPromise from 'rockpool/compat/mysql2/promise'
import PgPool, { Pool, pgPool } from 'rockpool/compat/pg-pool'
import { Pool as SequelizePool } from 'rockpool/compat/sequelize-pool'
import { Pool as TarnPool } from 'rockpool/compat/tarn'
import { pg } from 'rockpool/drivers/pg'
import { rockpoolDrizzle } from 'rockpool/orm/drizzle'
import { rockpoolKnex } from 'rockpool/orm/knex'
import { rockpoolDialect } from 'rockpool/orm/kysely'
import { rockpoolPgPromise } from 'rockpool/orm/pg-promise'
import { rockpoolSequelize } from 'rockpool/orm/sequelize'
import { rockpoolTypeorm } from 'rockpool/orm/typeorm'
import { Sequelize } from 'sequelize'
import { DataSource } from 'typeorm'

interface Database {
  accounts: { id: number; balance: number }
}
const pool = createPool(pg('postgres://localhost/db', { module: pgModule }))

/** Its types too are found in the default export, where it is the whole package. */
export const mysqlPools: [mysql.Pool, mysqlPromise.Pool] = [mysql.createPool({}), mysqlPromise.createPool({})]
export type Rows = mysql.RowDataPacket[] & mysqlPromise.RowDataPacket[]

export const pools: pgModule.Pool[] = [new PgPool(), new Pool({ max: 2 })]

export async function balances(): Promise<number[]> {
  const kysely = new Kysely<Database>({ dialect: rockpoolDialect(pool) })
  const knex: Knex = makeKnex(rockpoolKnex(pool))
  const sequelize: Sequelize = rockpoolSequelize(new Sequelize('postgres://localhost/db'))
  const source = new DataSource({ type: 'postgres', ...rockpoolTypeorm(pool) })
  const db = rockpoolPgPromise(pgPromise(), pool)
  const drizzled = [drizzle(rockpoolDrizzle(pool)), drizzle(pgPool(pool)), drizzle(new Pool())]
  await Promise.all([knex.raw('select 1'), sequelize.authenticate(), source.initialize()])
  await Promise.all(drizzled.map((one) => one.execute('select 1')))
  const { balance } = await db.one<{ balance: number }>('select balance from accounts')
  const rows = await kysely.selectFrom('accounts').select('balance').execute()
  return [...rows.map((row) => row.balance), balance]
}

export async function things(): Promise<number[]> {
  const create = async (): Promise<{ id: number }> => ({ id: 1 })
  const tarn = new TarnPool<{ id: number }>({ create, destroy: () => {}, min: 0, max: 1 })
  const generic = createGenericPool<{ id: number }>({ create, destroy: async () => {} })
  const validate = (): boolean => true
  const settings = { name: 'things', create, destroy: () => {}, validate, min: 0, max: 1 }
  const sequelize = new SequelizePool<{ id: number }>(settings)
  createMysqlPool({ host: 'localhost', connectionLimit: 2 }).end()
  const { id } = await tarn.acquire().promise
  return [id, (await generic.acquire()).id, (await sequelize.acquire()).id]
}
