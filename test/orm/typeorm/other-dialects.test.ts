import 'reflect-metadata'
import mssqlModule from 'mssql'
import tediousModule from 'tedious'
import { DataSource, EntitySchema } from 'typeorm'
import { expect, onTestFinished, test } from 'vitest'
import type { OracleConnection } from '../../../src/compat/oracledb/package.ts'
import { createPool } from '../../../src/create-pool.ts'
import { tedious } from '../../../src/drivers/tedious/index.ts'
import { rockpoolTypeorm } from '../../../src/orm/typeorm/index.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { startTdsServer } from '../../../src/testing/index.ts'
import { FakeOracledb } from '../../compat/oracledb/fake-oracledb.ts'
import { eventually } from '../../support/postgres.ts'
import { errorOf } from '../support.ts'

// Against a server that speaks as SQL Server does, and against oracledb's package with sessions on no server.

const account = new EntitySchema<{ id: number; balance: number }>({
  name: 'account',
  tableName: 'accounts',
  columns: { id: { type: 'int', primary: true }, balance: { type: 'int' } },
})

test('SQL Server: TypeORM reads, and its transactions commit and are rolled back on one connection', async () => {
  const server = await startTdsServer()
  const { host, port } = server
  const config = { server: host, port, user: 'sa', password: 'secret', encrypt: false }
  const pool = createPool(tedious(config, { module: tediousModule }), { max: 2 })
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
    await server.close()
  })
  await pool.query('CREATE TABLE accounts (id int PRIMARY KEY, balance int)')
  await pool.query('INSERT INTO accounts VALUES (1, 100)')
  const adapter = rockpoolTypeorm(pool, { type: 'mssql', module: mssqlModule })
  const source = new DataSource({ type: 'mssql', ...adapter, database: 'app', entities: [account] })
  await source.initialize()
  expect(await source.query('SELECT id, balance FROM accounts')).toEqual([{ id: 1, balance: 100 }])
  await source.transaction((manager) => manager.query('UPDATE accounts SET balance = 90 WHERE id = 1'))
  await errorOf(
    source.transaction(async (manager) => {
      await manager.query('UPDATE accounts SET balance = 0 WHERE id = 1')
      throw new Error('its error')
    }),
  )
  expect(await source.query('SELECT balance FROM accounts')).toEqual([{ balance: 90 }])
  await source.destroy()
  expect(pool.closed).toBe(false)
  await eventually(() => expect(pool.stats().leased).toBe(0))
})

test('Oracle: TypeORM borrows of the pool, gives back, and lets go of it', async () => {
  const fake = new FakeOracledb()
  const oracledb = fake.module() as { getConnection: (attributes: object) => Promise<OracleConnection> }
  const pool = createResourcePool<OracleConnection>(
    {
      name: 'oracledb',
      connect: () => oracledb.getConnection({ user: 'app' }),
      close: (connection) => connection.close(),
    },
    { max: 2 },
  )
  const adapter = rockpoolTypeorm(pool, { type: 'oracle', module: oracledb })
  const source = new DataSource({ type: 'oracle', ...adapter, database: 'app', schema: 'app', entities: [] })
  await source.initialize()
  await source.query('select 1 from dual')
  await errorOf(
    source.transaction(async (manager) => {
      await manager.query('update accounts set balance = 0')
      throw new Error('its error')
    }),
  )
  expect(fake.connections).toHaveLength(1)
  expect(fake.connections[0]?.statements).toContain('ROLLBACK')
  expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 })
  await source.destroy()
  expect(pool.closed).toBe(false)
  await pool.close()
})

test('what would do nothing is refused, and replicas too', async () => {
  const pool = createResourcePool<OracleConnection>({
    name: 'oracledb',
    connect: () => Promise.reject(new Error('not needed')),
    close: () => undefined,
  })
  onTestFinished(async () => {
    await pool.close()
  })
  const module = new FakeOracledb().module()
  const adapter = rockpoolTypeorm(pool, { type: 'oracle', module })
  const source = new DataSource({ type: 'oracle', ...adapter, username: 'app', poolSize: 3 })
  expect(await errorOf(source.initialize())).toMatchObject({ option: 'user' })
  expect(() => rockpoolTypeorm(pool, { type: 'oracle', module, replicas: [pool] })).toThrow(
    'replicas are for',
  )
})
