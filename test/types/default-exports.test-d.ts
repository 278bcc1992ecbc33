import sql from '../../src/compat/mssql/index.ts'
import mysql from '../../src/compat/mysql2/index.ts'
import type mysqlPromise from '../../src/compat/mysql2/promise.ts'
import type oracledb from '../../src/compat/oracledb/index.ts'

declare function test(name: string, body: () => unknown): void

test("types of mssql's are found in its default export", () => {
  const config: sql.config = { server: 'localhost' }
  const pool: sql.ConnectionPool = new sql.ConnectionPool(config)
  const request: sql.Request = pool.request()
  const rows = async (): Promise<sql.IResult<{ a: number }>> => request.query<{ a: number }>('select 1 as a')
  return [request, rows]
})

test("types of oracledb's are found in its default export", () => {
  const options: oracledb.ExecuteOptions = { maxRows: 1 }
  const attributes: oracledb.PoolAttributes = { poolMax: 2 }
  const run = (connection: oracledb.Connection): Promise<oracledb.Result<{ A: number }>> =>
    connection.execute<{ A: number }>('select 1 as a from dual', {}, options)
  return [attributes, run]
})

test("types of mysql2's are found in its default exports", () => {
  const pool: mysql.Pool = mysql.createPool({ connectionLimit: 2 })
  const promises: mysqlPromise.Pool = pool.promise()
  return promises.query<mysqlPromise.RowDataPacket[]>('select 1')
})
