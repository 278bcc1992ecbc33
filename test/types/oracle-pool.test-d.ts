import type * as original from 'oracledb'
import type { Connection } from 'oracledb'
import oracledb, { type OraclePool, oraclePool } from '../../src/compat/oracledb/index.ts'
import { createPool } from '../../src/index.ts'

declare function test(name: string, body: () => unknown): void

declare const pool: OraclePool

test('it goes where oracledb.Pool is wanted', async () => {
  const made: original.Pool = await oracledb.createPool({ poolMax: 2 })
  const found: oracledb.Pool = oracledb.getPool()
  const around: oracledb.Pool = oraclePool(createPool('oracle://localhost/x') as never)
  return [made, found, around]
})

test('the package goes where oracledb is wanted', () => {
  const asPackage: typeof original = oracledb
  return asPackage
})

test('its methods give promises, which need no look whether they are there', async () => {
  const connection: Connection = await pool.getConnection()
  const tagged: Connection = await pool.getConnection({ tag: 'a' })
  const single: Connection = await oracledb.getConnection('alias')
  const done: Promise<void>[] = [pool.close(), pool.close(10), pool.terminate(1)]
  done.push(pool.reconfigure({ poolMax: 3 }), pool.reconfigure({ resetStatistics: true }))
  done.push(pool.setAccessToken({ token: 'x', privateKey: 'y' }))
  return [connection, tagged, single, done]
})

test('its methods take callbacks, whose errors have codes', () => {
  const ofTheirs: original.ResultCallback<Connection> = (...[error, connection]) => [error?.code, connection]
  pool.close((error) => error?.code)
  pool.terminate(10, (error) => error?.code)
  pool.getConnection((error, connection) => (error === null ? connection.close() : error.code))
  pool.getConnection((error: original.DBError | null, connection?: Connection) => [error, connection])
  pool.getConnection({ tag: 'a' }, (error, connection) => [error?.code, connection.ping()])
  pool.getConnection(ofTheirs)
  pool.reconfigure({ poolMax: 3 }, (error) => error?.code)
  pool.setAccessToken({ token: 'x', privateKey: 'y' }, (error) => error?.code)
  oracledb.createPool({ poolMax: 2 }, (error, made) => (error === null ? made.poolMax : error.code))
  oracledb.getConnection((error, connection) => (error === null ? connection.ping() : error.code))
  oracledb.getConnection('alias', (_, connection) => connection.ping())
  oracledb.getConnection({ user: 'x' }, ofTheirs)
})

test('what cannot be meant is refused', () => {
  // @ts-expect-error a text is no time
  pool.close('soon')
  // @ts-expect-error the callback comes last
  pool.close(() => {}, 10)
  // @ts-expect-error there is no such option
  pool.reconfigure({ poolMaximum: 3 })
})

test('its statistics are those of oracledb', () => {
  const statistics: original.Statistics = pool.getStatistics()
  const queued: number = pool.getStatistics().requestsEnqueued
  pool.getStatistics().logStatistics()
  return [statistics, queued]
})
