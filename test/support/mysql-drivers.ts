import mariadbModule from 'mariadb'
import mysqlModule from 'mysql2/promise'
import { afterAll, beforeAll } from 'vitest'
import type { SqlDriver } from '../../src/contract/sql-driver.ts'
import { mariadb } from '../../src/drivers/mariadb/index.ts'
import type { MysqlConfig } from '../../src/drivers/mysql-family/config.ts'
import { mysql2 } from '../../src/drivers/mysql2/index.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from './mariadb.ts'
import { type MysqlServer, Overseer } from './mysql-server.ts'
import { needs } from './skip.ts'

/** What both packages' connections have. */
export interface AnyConnection {
  query(sql: string, values?: unknown[]): Promise<unknown>
  execute(sql: string, values?: unknown[]): Promise<unknown>
}

export type MakeAny = (config: string | MysqlConfig) => SqlDriver<AnyConnection>

/** For `describe.each`: the same must hold for both. */
export const drivers: { name: string; make: MakeAny }[] = [
  {
    name: 'mysql2',
    make: (config) => mysql2(config, { module: mysqlModule }) as unknown as SqlDriver<AnyConnection>,
  },
  {
    name: 'mariadb',
    make: (config) => mariadb(config, { module: mariadbModule }) as SqlDriver<AnyConnection>,
  },
]

/** A MariaDB for the tests of one file, which are skipped where it is not installed. */
export function useMariadb(extra: readonly string[] = []): { server: MysqlServer; overseer: Overseer } {
  const used = {} as { server: MysqlServer; overseer: Overseer }
  needs(hasMariadb, NO_MARIADB)
  beforeAll(async () => {
    if (!hasMariadb) return
    used.server = await startMariadb(extra)
    used.overseer = await Overseer.of(used.server)
  })
  afterAll(async () => {
    await used.overseer?.close()
    await used.server?.close()
  })
  return used
}
