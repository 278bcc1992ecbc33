import { drizzle } from './drizzle.ts'
import { knex, objection } from './knex.ts'
import { kysely } from './kysely.ts'
import type { OrmSubject } from './orm.ts'
import { pgPromiseOrm } from './pg-promise.ts'
import { sequelize } from './sequelize.ts'
import { typeorm } from './typeorm.ts'

export const orms: readonly OrmSubject[] = [
  kysely,
  knex,
  objection,
  sequelize,
  pgPromiseOrm,
  typeorm,
  drizzle,
]
