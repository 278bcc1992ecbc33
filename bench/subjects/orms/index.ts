import type { OrmSubject } from './orm.ts'

/** One that can be measured. It is loaded when its turn has come: a program has one ORM, and the heap of no other. */
export interface OrmEntry {
  readonly name: string
  readonly title: string
  load(): Promise<OrmSubject>
}

export const orms: readonly OrmEntry[] = [
  { name: 'kysely', title: 'Kysely', load: async () => (await import('./kysely.ts')).kysely },
  { name: 'knex', title: 'Knex', load: async () => (await import('./knex.ts')).knex },
  { name: 'objection', title: 'Objection', load: async () => (await import('./knex.ts')).objection },
  { name: 'sequelize', title: 'Sequelize 6', load: async () => (await import('./sequelize.ts')).sequelize },
  {
    name: 'pg-promise',
    title: 'pg-promise',
    load: async () => (await import('./pg-promise.ts')).pgPromiseOrm,
  },
  { name: 'typeorm', title: 'TypeORM', load: async () => (await import('./typeorm.ts')).typeorm },
  { name: 'drizzle', title: 'Drizzle', load: async () => (await import('./drizzle.ts')).drizzle },
]
