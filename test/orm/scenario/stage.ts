import { join } from 'node:path'
import { root } from '../../../scripts/entries.mjs'
import { run } from '../../../scripts/run.mjs'
import type { EmbeddedPostgres } from '../../../src/testing/embedded-postgres.ts'
import { bundled, type NewerProgram, newerNode } from '../../support/newer-node.ts'
import type { Side } from './orm.ts'
import type { Told } from './play.ts'

interface Cast {
  /** Its program, `orms/<name>.ts`. */
  readonly name: string
  readonly title: string
  /** What it wants that is not installed here, with a newer Node. */
  readonly newer?: NewerProgram['packages']
}

const MIKRO = ['core', 'sql', 'postgresql'].map((name) => `@mikro-orm/${name}@7.2.1`)

export const cast: readonly Cast[] = [
  { name: 'sequelize', title: 'Sequelize 6' },
  { name: 'typeorm', title: 'TypeORM' },
  { name: 'drizzle', title: 'Drizzle' },
  { name: 'kysely', title: 'Kysely' },
  { name: 'knex', title: 'Knex' },
  { name: 'prisma', title: 'Prisma' },
  {
    name: 'mikro-orm',
    title: 'MikroORM',
    newer: { name: 'mikro-orm-scenario', versions: [...MIKRO, 'kysely@0.29.6', 'pg@8.23.1'] },
  },
  {
    name: 'slonik',
    title: 'Slonik',
    newer: { name: 'slonik', versions: ['slonik@49.10.9', 'pg@8.23.1'] },
  },
  { name: 'pg-promise', title: 'pg-promise' },
]

const LIMIT_MS = 280_000

/** What one ORM's program tells, in a process and a database of its own. */
export async function performed(
  server: EmbeddedPostgres,
  { name, newer }: Cast,
  what: Side | 'rate',
): Promise<ReadonlyMap<string, string>> {
  const url = await freshDatabase(server, `${name.replace('-', '_')}_${what}`)
  const file = `test/orm/scenario/orms/${name}.ts`
  const stage = newer === undefined ? undefined : await bundled({ file, packages: newer })
  const [binary, args] =
    stage === undefined
      ? [process.execPath, ['--import', 'tsx', join(root, file)]]
      : [await newerNode(), [stage.program]]
  const { code, output } = await run(binary, [...args, what, url], {
    cwd: root,
    env: { ...process.env, ROARR_LOG: 'false', ROCKPOOL_PG_URL: url },
    timeoutMs: LIMIT_MS,
  })
  stage?.done()
  const lines = output.split('\n').filter((line) => line.startsWith('{"chapter"'))
  const told = new Map(lines.map((line) => JSON.parse(line) as Told).map((one) => [one.chapter, one.outcome]))
  if (code !== 0) told.set('end', `the process has ended with ${code}: ${output.slice(-2_000)}`)
  return told
}

async function freshDatabase(server: EmbeddedPostgres, name: string): Promise<string> {
  const { default: pgModule } = await import('pg')
  const client = new pgModule.Client({ connectionString: server.url() })
  await client.connect()
  // Whoever has a second try has a database of his own again.
  await client.query(`drop database if exists ${name} with (force)`)
  await client.query(`create database ${name}`)
  if (name.endsWith('_rate')) {
    const inside = new pgModule.Client({ connectionString: server.url(name) })
    await inside.connect()
    await inside.query(`create table accounts (id int primary key, name text not null, balance int not null)`)
    await inside.query(`insert into accounts select n, 'account ' || n, 100 from generate_series(1, 1000) n`)
    await inside.end()
  }
  await client.end()
  return server.url(name)
}
