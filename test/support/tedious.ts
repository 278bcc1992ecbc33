import tediousPackage, { type Connection, Request, type TYPES } from 'tedious'
import { afterEach, beforeEach, onTestFinished } from 'vitest'
import type { PoolOptions } from '../../src/contract/options.ts'
import { createPool } from '../../src/create-pool.ts'
import { type TediousConfig, tedious } from '../../src/drivers/tedious/index.ts'
import { startTdsServer, type TdsServer } from '../../src/testing/index.ts'

/** A new server for each test; what it did not understand fails the test. */
export function useTdsServer(): { readonly server: TdsServer } {
  const used: { server: TdsServer } = { server: undefined as unknown as TdsServer }
  beforeEach(async () => {
    used.server = await startTdsServer()
  })
  afterEach(async () => {
    await used.server.close()
    if (used.server.defects.length > 0) throw used.server.defects[0]
  })
  return used
}

export function configOf({ host, port }: TdsServer, more: TediousConfig = {}): TediousConfig {
  return { server: host, port, user: 'sa', password: 'secret', encrypt: false, ...more }
}

export function poolOn(server: TdsServer, options: PoolOptions<Connection> = {}, more: TediousConfig = {}) {
  const driver = tedious(configOf(server, more), { module: tediousPackage })
  const pool = createPool(driver, { max: 1, ...options })
  pool.on('error', () => {})
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
  })
  return { driver, pool }
}

/** A statement past rockpool, on the user's own connection. */
export function ask(
  connection: Connection,
  sql: string,
  params: readonly Param[] = [],
): Promise<unknown[][]> {
  return new Promise((resolve, reject) => {
    const rows: unknown[][] = []
    const request = new Request(sql, (error) => (error ? reject(error) : resolve(rows)))
    request.on('row', (columns: { value: unknown }[]) => rows.push(columns.map(({ value }) => value)))
    for (const [name, type, value] of params) request.addParameter(name, type, value)
    if (params.length === 0) connection.execSqlBatch(request)
    else connection.execSql(request)
  })
}

type Param = readonly [name: string, type: (typeof TYPES)['Int'], value: unknown]
