import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { entries, entrySource, root } from '../../scripts/entries.mjs'
import { startTdsServer, type TdsServer } from '../../src/testing/index.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from '../support/mariadb.ts'
import type { MysqlServer } from '../support/mysql-server.ts'
import { startPostgres } from '../support/postgres.ts'
import { needs } from '../support/skip.ts'
import {
  AT_HAND,
  blocks,
  documents,
  onMysql,
  onSqlserver,
  standalone,
  tables,
  visiting,
} from './documents.ts'
import { prepareFolder } from './program.ts'
import { runs } from './runs.ts'
import { compile } from './types.ts'

// Every program of the documents compiles, runs against a PostgreSQL, ends by itself and prints what the document says.
// Those with packages that are not installed here come with the lane `consumer`.

const server = await startPostgres()
const folder = mkdtempSync(join(tmpdir(), 'rockpool-documents-'))
afterAll(() => rmSync(folder, { recursive: true }))
beforeAll(() =>
  prepareFolder(
    folder,
    AT_HAND.filter((name) => !name.includes('/')),
  ),
)

test('there are programs to run, and tables for them', () => {
  expect(documents).toContain('README.md')
  expect(standalone.length).toBeGreaterThan(10)
  expect(tables).toMatch(/create table/)
})

describe('runs', () => {
  test.each(standalone.map((block) => [block.name, block] as const))('%s', async (_, block) => {
    await runs(block, { folder, server })
  })
})

describe('runs on MariaDB', () => {
  needs(hasMariadb, NO_MARIADB)
  let mysql: MysqlServer | undefined
  beforeAll(async () => {
    if (hasMariadb) mysql = await startMariadb()
  })
  afterAll(() => mysql?.close())

  test.each(onMysql.map((block) => [block.name, block] as const))('%s', async (_, block) => {
    await runs(block, { folder, server, env: { MYSQL_URL: mysql?.url() ?? '' } })
  })
})

describe('runs on the TDS test server', () => {
  let tds: TdsServer | undefined
  beforeEach(async () => {
    tds = await startTdsServer()
  })
  afterEach(() => tds?.close())

  test.each(onSqlserver.map((block) => [block.name, block] as const))('%s', async (_, block) => {
    await runs(block, { folder, server, env: { SQLSERVER_URL: tds?.url(';database=app') ?? '' } })
  })
})

describe('compiles', () => {
  const typed = blocks.filter((block) => block.language === 'ts' && !visiting.includes(block))
  let complaints = new Map<string, string[]>()
  beforeAll(async () => {
    const own = Object.keys(entries).map((s) => [`rockpool${s.slice(1)}`, [join(root, entrySource(s))]])
    complaints = await compile(typed, join(folder, 'checked'), {
      paths: {
        ...Object.fromEntries(own),
        pg: [join(root, 'node_modules/@types/pg/index.d.ts')],
        mariadb: [join(root, 'node_modules/mariadb/types/index.d.ts')],
        tedious: [join(root, 'node_modules/tedious/lib/tedious.d.ts')],
        'mysql2/promise': [join(root, 'node_modules/mysql2/promise.d.ts')],
      },
      typeRoots: [join(root, 'node_modules/@types')],
      allowImportingTsExtensions: true,
    })
  })

  test('nothing but the programs is complained about', () => {
    expect(complaints.get('')).toBeUndefined()
  })

  test.each(typed.map(({ name }) => name))('%s', (name) => {
    expect(complaints.get(name)).toBeUndefined()
  })
})
