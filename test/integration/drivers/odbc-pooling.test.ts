import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { type OdbcConnection, type OdbcModule, odbc } from '../../../src/drivers/odbc/index.ts'
import type { EmbeddedPostgres } from '../../../src/testing/embedded-postgres.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from '../../support/mariadb.ts'
import type { MysqlServer } from '../../support/mysql-server.ts'
import { loadOdbc, odbcinstFile, problemWith } from '../../support/odbc.ts'
import { startPostgres } from '../../support/postgres.ts'
import { needs } from '../../support/skip.ts'

// unixODBC reads it when it is first used: so this file has a process, and an ini, of its own.
const folder = mkdtempSync(join(tmpdir(), 'rockpool-odbcini-'))
let module: OdbcModule<OdbcConnection>
const DRIVERS = ['PostgreSQL Unicode', 'MariaDB Unicode', 'SQLite3']
const problem = DRIVERS.map(problemWith).find((one) => one !== undefined)

beforeAll(async () => {
  if (problem !== undefined) return
  const drivers = readFileSync(odbcinstFile(), 'utf8').replaceAll(/^\[.+\]$/gm, '$&\nCPTimeout=60')
  writeFileSync(join(folder, 'odbcinst.ini'), `[ODBC]\nPooling=Yes\n\n${drivers}`)
  process.env.ODBCSYSINI = folder
  module = await loadOdbc()
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const raw = (connectionString: string) => module.connect({ connectionString } as never)
const first = async (connection: OdbcConnection, sql: string) => {
  const [row = {}] = (await connection.query(sql)) as Record<string, unknown>[]
  return Object.values(row)[0]
}

describe('with the pooling of the driver manager on, PostgreSQL', () => {
  needs(problem === undefined, problem ?? '')
  let server: EmbeddedPostgres
  let words: string
  beforeAll(async () => {
    if (problem !== undefined) return
    server = await startPostgres({ password: 'secret' })
    words = `Driver={PostgreSQL Unicode};Server=${server.host};Port=${server.port};Database=postgres;Uid=${server.user};Pwd=secret`
  })

  test('by itself hands a used session to the next', async () => {
    const before = await raw(`${words};A6=alone`)
    const id = await first(before, 'select pg_backend_pid()')
    await before.query(`set application_name = 'DIRTY'`)
    await before.close()
    const after = await raw(`${words};A6=alone`)
    expect(await first(after, 'select pg_backend_pid()')).toBe(id)
    expect(await first(after, 'show application_name')).toBe('DIRTY')
    await after.close()
  })

  test('leaks nothing through a pool, although the session is the same one', async () => {
    await using pool = createPool(odbc({ connectionString: words }, { module }), { max: 1 })
    const ids: unknown[] = []
    const use = async (dirty: boolean) =>
      pool.use(async (lease) => {
        ids.push(await first(lease.connection, 'select pg_backend_pid()'))
        expect(await first(lease.connection, 'show application_name')).not.toBe('DIRTY')
        expect(await first(lease.connection, `select to_regclass('pg_temp.left_over')`)).toBe(null)
        if (!dirty) return
        await lease.query(`set application_name = 'DIRTY'`)
        await lease.query('create temporary table left_over (id int)')
        await lease.query('select pg_advisory_lock(7)')
        lease.destroy()
      })
    await use(true)
    await use(false)
    expect(ids[1]).toBe(ids[0])
  })

  test('gives up the locks of a connection that the pool has closed', async () => {
    const pool = createPool(odbc({ connectionString: words }, { module }), { max: 1 })
    await pool.use((lease) => lease.query('select pg_advisory_lock(8)'))
    await pool.close()
    await using other = createPool(odbc({ connectionString: `${words};A6=other` }, { module }), { max: 1 })
    const { rows } = await other.query('select pg_try_advisory_lock(8)::int as free')
    expect(rows).toEqual([{ free: 1 }])
  })

  test('gets nothing from a session that somebody else has used in this process', async () => {
    const stranger = await raw(words)
    await stranger.query(`set work_mem = '7MB'`)
    await stranger.close()
    await using pool = createPool(odbc({ connectionString: words }, { module }), { max: 1 })
    const { rows } = await pool.query('show work_mem')
    expect(rows).toEqual([{ work_mem: '4MB' }])
  })
})

describe('with the pooling of the driver manager on, MariaDB', () => {
  needs(problem === undefined, problem ?? '')
  needs(hasMariadb, NO_MARIADB)
  let server: MysqlServer
  let words: string
  beforeAll(async () => {
    if (problem !== undefined || !hasMariadb) return
    server = await startMariadb()
    words = `Driver={MariaDB Unicode};SERVER=${server.host};PORT=${server.port};UID=app;PWD=S3cret#;DATABASE=app`
  })
  afterAll(() => server?.close())

  test('by itself hands a used session to the next', async () => {
    const before = await raw(`${words};OPTION=0`)
    await before.query('set @left = 1')
    await before.close()
    const after = await raw(`${words};OPTION=0`)
    expect(Number(await first(after, 'select @left'))).toBe(1)
    await after.close()
  })

  test('leaks nothing through a pool: what it gets back is ended, and a new session opened', async () => {
    await using pool = createPool(odbc({ connectionString: words }, { module }), { max: 1 })
    const ids: number[] = []
    for (let round = 0; round < 4; round++) {
      await pool.use(async (lease) => {
        ids.push(Number(await first(lease.connection, 'select connection_id()')))
        expect(await first(lease.connection, 'select @left')).toBe(null)
        expect(Number(await first(lease.connection, `select is_free_lock('mine')`))).toBe(1)
        await lease.query('set @left = 1')
        await lease.query(`select get_lock('mine', 0)`)
        lease.destroy()
      })
    }
    expect(new Set(ids).size).toBe(4)
  })
})

describe('with the pooling of the driver manager on, SQLite', () => {
  needs(problem === undefined, problem ?? '')

  test('is refused with what to do, because nothing cleans its sessions', async () => {
    const words = `Driver=SQLite3;Database=${join(folder, 'a.db')}`
    await using pool = createPool(odbc({ connectionString: words }, { module }), { max: 1 })
    await pool.use((lease) => lease.destroy())
    const error = await pool.query('select 1').catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining('Pooling=No') })
  })
})
