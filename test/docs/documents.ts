import { committedFiles, read } from '../house/files.ts'
import { type Block, blocksOf, textsIn } from './blocks.ts'

/** The documents that are written for users. */
export const documents = committedFiles().filter((path) =>
  /^(README\.md|docs\/README\.md|docs\/(guide|drivers|compat|orm|coming-from)\/.*\.md)$/.test(path),
)

export const blocks: Block[] = documents.flatMap((path) => blocksOf(path, read(path)))

/** The tables of the examples. */
export const tables = textsIn(read('docs/README.md'), 'sql').join('\n')

/** Packages that are installed here in any case; what uses others is run by the lane `consumer`. */
export const AT_HAND = [
  'pg',
  'mysql2',
  'mysql2/promise',
  'mariadb',
  'libsql',
  'tedious',
  'sequelize',
  'kysely',
  'knex',
  'objection',
  'pg-promise',
  'typeorm',
  'reflect-metadata',
  'drizzle-orm',
  'drizzle-orm/node-postgres',
  'drizzle-orm/pg-core',
  'drizzle-orm/mysql2',
  'drizzle-orm/mysql-core',
]

const runnable = blocks.filter(({ fragment }) => fragment === undefined)
const atHand = runnable.filter(({ packages }) => packages.every((name) => AT_HAND.includes(name)))
/** Those that want a MySQL or MariaDB, and say so by the variable that names it. */
export const onMysql = atHand.filter(({ code }) => code.includes('MYSQL_URL'))
/** Those that want an SQL Server: here one that only speaks as it does. */
export const onSqlserver = atHand.filter(({ code }) => code.includes('SQLSERVER_URL'))
export const standalone = atHand.filter((block) => !onMysql.includes(block) && !onSqlserver.includes(block))
export const visiting = runnable.filter((block) => !atHand.includes(block))
