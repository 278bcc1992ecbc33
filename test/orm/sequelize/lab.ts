import {
  type CreationOptional,
  DataTypes,
  type InferAttributes,
  type InferCreationAttributes,
  Model,
  type NonAttribute,
  type Options,
  QueryTypes,
  Sequelize,
  type Transaction,
} from 'sequelize'
import { onTestFinished, vi } from 'vitest'
import type { PoolStats } from '../../../src/index.ts'
import { poolsOf, rockpoolSequelize, type SequelizePoolOptions } from '../../../src/orm/sequelize/index.ts'
import { eventually } from '../../support/postgres.ts'

/** A server, and what its SQL calls things. */
export interface Lab {
  readonly url: () => string
  readonly options: Options
  /** The session's number. */
  readonly whoami: string
  /** Ends a session from outside. */
  readonly kill: (session: number) => Promise<unknown>
  /** Sessions that the server counts, but for those of the tests themselves. */
  readonly sessions: () => Promise<number>
}

/** A Sequelize on rockpool, closed when the test ends. */
export function openOn(lab: Lab, options: Options = {}, poolOptions: SequelizePoolOptions = {}): Sequelize {
  return closedAtEnd(rockpoolSequelize(plainOn(lab, options), poolOptions))
}

/** A Sequelize on its own pool. */
export function plainOn(lab: Lab, options: Options = {}): Sequelize {
  return new Sequelize(lab.url(), { logging: false, ...lab.options, ...options })
}

export function closedAtEnd(sequelize: Sequelize): Sequelize {
  onTestFinished(async () => {
    await sequelize.close().catch(() => undefined)
  })
  return sequelize
}

export const statsOf = (sequelize: Sequelize): PoolStats => poolsOf(sequelize).write.stats()

/** All connections have come back, and nobody waits. */
export async function isWhole(sequelize: Sequelize, max = 5): Promise<void> {
  await eventually(() => {
    const { leased, waiting, resetting, validating } = statsOf(sequelize)
    if (leased + waiting + resetting + validating > 0) throw new Error('not whole yet')
  })
  await Promise.all(Array.from({ length: max }, () => ping(sequelize)))
}

/** A statement in the one way that every driver's newest version still answers. */
export function ping(sequelize: Sequelize, transaction?: Transaction): Promise<object[]> {
  const type = { type: QueryTypes.SELECT } as const
  return sequelize.query('select 1', transaction === undefined ? type : { ...type, transaction })
}

/** The number of the session that runs a statement. */
export async function sessionOf(
  sequelize: Sequelize,
  { whoami }: Lab,
  transaction?: Transaction,
): Promise<number> {
  const [row] = await sequelize.query<{ id: number }>(whoami, {
    type: QueryTypes.SELECT,
    ...(transaction !== undefined && { transaction }),
  })
  return Number(row?.id)
}

/** Sequelize tells the console of every commit that has failed. */
export function hushed(): void {
  const spy = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  onTestFinished(() => spy.mockRestore())
}

export class Author extends Model<InferAttributes<Author>, InferCreationAttributes<Author>> {
  declare id: CreationOptional<number>
  declare name: string
  declare books?: NonAttribute<Book[]>
}

export class Book extends Model<InferAttributes<Book>, InferCreationAttributes<Book>> {
  declare id: CreationOptional<number>
  declare title: string
  declare authorId?: number
  declare author?: NonAttribute<Author>
  declare tags?: NonAttribute<Tag[]>
}

export class Tag extends Model<InferAttributes<Tag>, InferCreationAttributes<Tag>> {
  declare id: CreationOptional<number>
  declare word: string
}

/** Authors have books, books have tags; the tables are made anew. */
export async function library(sequelize: Sequelize): Promise<void> {
  const id = { type: DataTypes.INTEGER, autoIncrement: true, primaryKey: true }
  const shared = { sequelize, timestamps: false }
  Author.init(
    { id, name: { type: DataTypes.STRING(80), allowNull: false, unique: true } },
    { ...shared, modelName: 'author' },
  )
  Book.init(
    { id, title: DataTypes.STRING(80), authorId: DataTypes.INTEGER },
    { ...shared, modelName: 'book' },
  )
  Tag.init({ id, word: DataTypes.STRING(80) }, { ...shared, modelName: 'tag' })
  Author.hasMany(Book, { foreignKey: 'authorId', as: 'books' })
  Book.belongsTo(Author, { foreignKey: 'authorId', as: 'author' })
  Book.belongsToMany(Tag, { through: 'book_tags', as: 'tags', timestamps: false })
  Tag.belongsToMany(Book, { through: 'book_tags', as: 'books', timestamps: false })
  await sequelize.sync({ force: true })
}
