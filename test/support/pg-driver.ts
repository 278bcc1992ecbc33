import pgModule from 'pg'
import { onTestFinished } from 'vitest'
import type { Row, SqlDriver } from '../../src/contract/sql-driver.ts'
import { type PgConfig, pg } from '../../src/drivers/pg/index.ts'

type PgDriver = Required<SqlDriver<pgModule.Client>>

/** The driver with all that it can, and a way to open connections that end with the test. */
export function pgDriver(config: string | PgConfig) {
  const driver = pg(config, { module: pgModule }) as PgDriver
  const open = async () => {
    const client = await driver.connect({ signal: new AbortController().signal })
    const lost: unknown[] = []
    driver.onLost(client, (error) => lost.push(error))
    let closing: Promise<void> | undefined
    const close = () => {
      closing ??= Promise.resolve(driver.close(client))
      return closing
    }
    onTestFinished(close)
    const query = (sql: string, params: unknown[] = [], name?: string) =>
      driver.query(client, sql, params, name === undefined ? {} : { name })
    return {
      client,
      /** What `onLost` was told. */
      lost,
      close,
      query,
      rows: async (sql: string, params?: unknown[]): Promise<Row[]> => (await query(sql, params)).rows,
      pid: (client as unknown as { processID: number }).processID,
    }
  }
  return { driver, open }
}
