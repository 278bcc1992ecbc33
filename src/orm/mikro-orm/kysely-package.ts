import { DriverMissingError } from '../../contract/errors.ts'
import type { SqlDialect } from '../../contract/sql-driver.ts'
import { loadPackage, resolvePackage } from '../../drivers/load-package.ts'
import type { KyselyModule } from '../kysely/index.ts'

/** Who brings kysely along; there it may be found even where it is not at the top. */
const PARENTS: Readonly<Record<SqlDialect, readonly string[]>> = {
  postgres: ['@mikro-orm/postgresql'],
  mysql: ['@mikro-orm/mysql', '@mikro-orm/mariadb'],
  sqlite: ['@mikro-orm/sqlite', '@mikro-orm/libsql'],
}

/** MikroORM's own kysely, or the one that is found from here. @throws DriverMissingError */
export function kyselyOfMikroOrm(sql: SqlDialect): KyselyModule {
  for (const parent of PARENTS[sql]) {
    try {
      return loadPackage(resolvePackage('kysely', parent)) as KyselyModule
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return loadPackage('kysely') as KyselyModule
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return error instanceof DriverMissingError || /(^|_)MODULE_NOT_FOUND$/.test(String(code))
}
